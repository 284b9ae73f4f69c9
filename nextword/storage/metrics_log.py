"""The metrics log of a run, ``metrics.jsonl``: written line by line, read leniently.

A crash may cut the last line short, and the file may have been edited: a line that cannot be read
is skipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from nextword.formatting import plain
from nextword.storage.files import unwritable

Count = Annotated[int, Field(ge=0, lt=10**18)]
Figure = Annotated[float, Field(ge=0, lt=1e18, allow_inf_nan=False)]


class _Logged(BaseModel):
    """A line; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, strict=True)


class LoggedStep(_Logged):
    """One optimizer step."""

    kind: Literal["train"]
    step: Count
    words: Count
    """Target words trained on so far."""
    seconds: Figure
    """Training time so far, validation and saving included."""
    loss: Annotated[float, Field(gt=-1e18, lt=1e18, allow_inf_nan=False)] | None = None
    """Nats per word; None for a skipped step."""
    learning_rate: Figure | None = None
    gradient_norm: Figure | None = None


class LoggedPrediction(_Logged):
    """A predicted word."""

    word: str
    probability: Figure


class LoggedValidation(_Logged):
    """One validation."""

    kind: Literal["valid"]
    step: Count
    words: Count | None = None
    seconds: Figure | None = None
    perplexity: Annotated[Figure, Field(gt=0)]
    samples: dict[str, list[LoggedPrediction]] = {}
    """The most probable next words by prompt."""


class LoggedResult(_Logged):
    """The result of a training that ended or was stopped."""

    kind: Literal["result"]
    steps: Count
    words: Count | None = None
    seconds: Figure | None = None
    tokens_per_second: Figure | None = None
    valid_perplexity: Figure | None = None
    test_perplexity: Figure | None = None
    network_valid_perplexity: Figure | None = None
    network_test_perplexity: Figure | None = None


Logged: TypeAlias = LoggedStep | LoggedValidation | LoggedResult


@dataclass(frozen=True)
class RunLog:
    """A run's lines by kind, in the order in which they were written."""

    steps: list[LoggedStep] = field(default_factory=list)
    validations: list[LoggedValidation] = field(default_factory=list)
    results: list[LoggedResult] = field(default_factory=list)

    @property
    def result(self) -> LoggedResult | None:
        """The final result; a run that was stopped and resumed has logged earlier ones too."""
        return self.results[-1] if self.results else None

    @property
    def words(self) -> int | None:
        """Target words trained on; None if no line says."""
        lines: list[Logged] = [*self.steps, *self.validations, *self.results]
        return max((line.words for line in lines if line.words is not None), default=None)


_LINE: TypeAdapter[Logged] = TypeAdapter(Annotated[Logged, Field(discriminator="kind")])


class MetricsLog:
    """The log file of one run.

    Args:
        path: the ``metrics.jsonl``, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, kind: str, **values: Any) -> None:
        """Append a line; numbers that are not finite become null.

        Raises:
            NextwordError: the file cannot be written.
        """
        line = json.dumps(plain({"kind": kind, **values}), ensure_ascii=False, allow_nan=False)
        with self._open("ab") as file:
            file.write(f"{line}\n".encode())

    def size(self) -> int:
        """The file's length in bytes, all of them flushed to the disk.

        Raises:
            NextwordError: the file cannot be written.
        """
        if not self.path.exists():
            return 0
        with self._open("ab") as file:
            os.fsync(file.fileno())
            return file.tell()

    def truncate(self, size: int) -> None:
        """Keep the whole lines among the first ``size`` bytes: a resume logs the rest again.

        Raises:
            NextwordError: the file cannot be written.
        """
        if not self.path.exists():
            return
        with self._open("rb+") as file:
            file.truncate(file.read(size).rfind(b"\n") + 1)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> RunLog:
        """Every readable line; none if there is no file.

        Raises:
            OSError: the file exists and cannot be read.
        """
        log = RunLog()
        for line in self._lines():
            if isinstance(line, LoggedStep):
                log.steps.append(line)
            elif isinstance(line, LoggedValidation):
                log.validations.append(line)
            else:
                log.results.append(line)
        return log

    def _lines(self) -> Iterator[Logged]:
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            for line in file:
                try:
                    yield _LINE.validate_json(line)
                except ValidationError:
                    continue

    @contextmanager
    def _open(self, mode: Literal["ab", "rb+"]) -> Iterator[BinaryIO]:
        try:
            with self.path.open(mode) as file:
                yield file
        except OSError as error:
            raise unwritable(self.path, error) from error
