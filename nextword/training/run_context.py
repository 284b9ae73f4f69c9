"""The context of a run: its folder and lock, its configuration and text, its log.

Made once, at the start of every training, whatever kind of model it trains.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from nextword.config.load import dump_config
from nextword.config.schema import Config
from nextword.errors import TextError
from nextword.resources import find_resource
from nextword.storage.files import write_atomically
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import (
    RunFolder,
    begin_run,
    run_folder,
    run_to_begin,
)
from nextword.storage.run_record import RunRecord
from nextword.text.dataset import EncodedText
from nextword.text.prepare import prepare_text
from nextword.text.sources import shipped_text
from nextword.training.callbacks import Callback
from nextword.training.clock import Clock

DEFAULT_TEXT = "napoleon.txt"
"""The text of a configuration that names none; it ships with the package."""
_LONGEST_STEM = 80
"""Bytes of the text's name in a run's name."""


class RunContext:
    """A claimed run folder; a context manager that gives it back.

    A new run's folder is made and locked at once, so that of two trainings that begin at the same
    time each has its own. If the context ends before :meth:`write_config`, the folder that it
    made is removed.

    Args:
        config: the configuration; a missing text is the one that ships.
        name: of a new run; derived from the text and the kind of model by default.
        resumed: the folder of the run to continue, instead of a new one.
        callback: receives the run's events.
        started: :func:`time.monotonic` when the user's wait began; now by default.
        full: whether the final figures are taken from all held-out text, whatever time it takes.

    Raises:
        ConfigError: the name is taken, or another training is at work in the folder.
        NextwordError: the folder cannot be made.
    """

    def __init__(
        self,
        config: Config,
        name: str | None = None,
        resumed: RunFolder | None = None,
        callback: Callback | None = None,
        started: float | None = None,
        full: bool = False,
    ) -> None:
        self.full = full
        self.clock = Clock(started)
        """The user's wait."""
        self.callback = callback or Callback()
        self.config = with_text(config, self.say)
        """Updated once the open settings are resolved."""
        self.resumed = resumed is not None
        self.reason = ""
        """Why the open settings were chosen as they are, for a run with a budget of time."""
        self._made: list[Path] = []
        stem = f"{text_stem(self.config)}-{self.config.model.kind}"
        self.folder = resumed or self._make_folder(name, stem)
        self._lock = RunLock(self.folder, self.say)
        self._lock.take()
        if not self.resumed:
            try:
                # a training of the same name may have ended here before the lock was taken
                run_to_begin(self.folder.path.name, stem)
            except BaseException:
                self._lock.release()
                raise

    def _make_folder(self, name: str | None, stem: str) -> RunFolder:
        existed = name is not None and run_folder(name).path.exists()
        runs_existed = run_folder(stem if name is None else name).path.parent.exists()
        folder = begin_run(name, stem)
        self._made += [] if existed else [folder.path]
        self._made += [] if runs_existed else [folder.path.parent]
        return folder

    def __enter__(self) -> RunContext:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()
        if self._made and not self.folder.exists:
            self._remove()

    def _remove(self) -> None:
        """Remove the folder, unless it holds more than the lock."""
        with suppress(OSError):
            self.folder.lock.unlink(missing_ok=True)
            for path in (self.folder.lock.parent, *self._made):
                path.rmdir()

    def say(self, line: str) -> None:
        """Show a line on the screen."""
        self.callback.on_message(line)

    def read_text(self) -> EncodedText:
        """The text as word ids, from the cache where it was prepared before.

        Raises:
            TextError: it cannot be read, or is too short.
        """
        text = prepare_text(
            self.config.text,
            self.config.vocabulary,
            report=self.say,
            progress=self.callback.on_progress,
        )
        part = text.parts["train"]
        unknown = 100 * part.unknown / max(len(part.ids), 1)
        self.say(
            f"{text.source}: {len(part.ids):,} words to train on, vocabulary "
            f"{len(text.tokenizer):,} ({unknown:.1f} % of the words unknown)"
        )
        self.say(text.held_out)
        return text

    def write_config(self, text: EncodedText) -> None:
        """Write ``run.json``, then ``config.yaml``, with which the run exists.

        Raises:
            NextwordError: they cannot be written.
        """
        self.folder.write_record(
            RunRecord.of_this_machine(
                torch=str(torch.__version__),
                threads=torch.get_num_threads(),
                text_sha256=text.sha256,
                vocabulary_size=len(text.tokenizer),
                reason=self.reason,
            )
        )
        write_atomically(self.folder.config, dump_config(self.config))

    def log(self, kind: str, **values: Any) -> None:
        """Append a line to ``metrics.jsonl``; numbers that are not finite become null.

        Raises:
            NextwordError: it cannot be written.
        """
        self.folder.log.append(kind, **values)


def with_text(config: Config, report: Callable[[str], None]) -> Config:
    """The configuration with absolute paths to its text, or to the text that ships.

    Args:
        config: the configuration.
        report: called with a line where a text that ships is taken for a file that is not there.

    Raises:
        TextError: it names no text, and the one that ships is missing.
    """
    text = config.text
    if text.train is not None:
        parts = {"train": text.train, "valid": text.valid, "test": text.test}
        update: dict[str, Any] = {
            part: _absolute(path, report) for part, path in parts.items() if path
        }
    elif isinstance(text.path, list):
        update = {"path": [_absolute(path, report) for path in text.path]}
    else:
        update = {"path": _absolute(text.path, report) if text.path else str(_default_text())}
    return config.model_copy(update={"text": text.model_copy(update=update)})


def _default_text() -> Path:
    path = find_resource("data", DEFAULT_TEXT)
    if path is None:
        raise TextError(f"{DEFAULT_TEXT}: the shipped text is missing; install nextword again")
    return path


def _absolute(path: str, report: Callable[[str], None]) -> str:
    """The absolute path of a file that exists, or of a text that ships under that name."""
    if path == "-":
        return path
    if Path(path).exists():
        return str(Path(path).resolve())
    shipped = shipped_text(path)
    if shipped is None:
        return path
    report(f"{path}: no such file here, so the text of that name that ships is taken")
    return str(shipped)


def text_stem(config: Config) -> str:
    """A short name for the text: that of its first file, without suffixes.

    Characters that a folder's name may not have, here or on another system, are left out.
    """
    source = config.text.train or config.text.path
    first = source[0] if isinstance(source, list) else source
    name = "" if first in (None, "-") else Path(str(first)).name.split(".")[0]
    allowed = "".join(c for c in name if c.isprintable() and c not in '/\\<>:"|?*')
    short = allowed.encode("utf-8", "ignore")[:_LONGEST_STEM].decode("utf-8", "ignore")
    return short.strip(" -") or "text"
