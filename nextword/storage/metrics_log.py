"""What a run logged as it went, ``metrics.jsonl``, as far as its lines can be read.

A crash may have cut the last line short, and a stranger's file may hold anything: a line that is
none of ours is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Count = Annotated[int, Field(ge=0, lt=10**18)]
Figure = Annotated[float, Field(ge=0, lt=1e18, allow_inf_nan=False)]
_Line = TypeVar("_Line")


class _Logged(BaseModel):
    """A line; keys that are not named here are for others."""

    model_config = ConfigDict(frozen=True, strict=True)


class LoggedStep(_Logged):
    """What one optimizer step saw."""

    kind: Literal["train"]
    step: Count
    words: Count
    """Targets learned from by then."""
    seconds: Figure
    """Time spent training by then, validation and saving included."""
    loss: Annotated[float, Field(gt=-1e18, lt=1e18, allow_inf_nan=False)] | None = None
    """In nats a word; None of a step that was left out."""
    learning_rate: Figure | None = None
    gradient_norm: Figure | None = None


class LoggedPrediction(_Logged):
    """A word that may come next."""

    word: str
    probability: Figure


class LoggedValidation(_Logged):
    """A measurement on the validation part."""

    kind: Literal["valid"]
    step: Count
    words: Count | None = None
    seconds: Figure | None = None
    perplexity: Annotated[Figure, Field(gt=0)]
    samples: dict[str, list[LoggedPrediction]] = {}
    """What was likeliest to follow each prompt."""


class LoggedResult(_Logged):
    """What a training came to when it ended, or was stopped."""

    kind: Literal["result"]
    steps: Count
    words: Count | None = None
    seconds: Figure | None = None
    tokens_per_second: Figure | None = None
    valid_perplexity: Figure | None = None
    test_perplexity: Figure | None = None
    network_valid_perplexity: Figure | None = None
    network_test_perplexity: Figure | None = None


@dataclass(frozen=True)
class RunLog:
    """A run's lines by their kinds, each in the order in which they were written."""

    steps: list[LoggedStep] = field(default_factory=list)
    validations: list[LoggedValidation] = field(default_factory=list)
    results: list[LoggedResult] = field(default_factory=list)

    @property
    def result(self) -> LoggedResult | None:
        """What the training came to in the end; a resume has come to something before."""
        return self.results[-1] if self.results else None

    @property
    def words(self) -> int | None:
        """Words learned from; None where no line tells."""
        told = [line.words for line in self.steps]
        told += [line.words for line in self.validations if line.words is not None]
        told += [line.words for line in self.results if line.words is not None]
        return max(told, default=None)


_LINE: TypeAdapter[Any] = TypeAdapter(
    Annotated[LoggedStep | LoggedValidation | LoggedResult, Field(discriminator="kind")]
)


def read_log(path: Path) -> RunLog:
    """The lines of a ``metrics.jsonl``; none where there is no such file.

    Raises:
        OSError: it is there and cannot be read.
    """
    found = list(_lines(path))
    return RunLog(
        _of_kind(found, LoggedStep),
        _of_kind(found, LoggedValidation),
        _of_kind(found, LoggedResult),
    )


def _lines(path: Path) -> Iterator[Any]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield _LINE.validate_json(line)
            except ValidationError:
                continue


def _of_kind(lines: list[Any], kind: type[_Line]) -> list[_Line]:
    return [line for line in lines if isinstance(line, kind)]
