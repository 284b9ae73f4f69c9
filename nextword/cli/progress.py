"""Shows the progress of long work on stderr: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from nextword.cli.terminal import is_terminal, say
from nextword.formatting import escape_control

if TYPE_CHECKING:
    from tqdm import tqdm

DELAY = 0.5
"""Seconds before a bar appears."""
LOG_INTERVAL = 10.0
"""Seconds between two lines about progress in a log, at least."""
FALLBACK_WIDTH = 80
"""Columns of a terminal that does not tell its width."""
TIMES = "{elapsed} elapsed, {remaining} remaining"
BAR = f"{{percentage:3.0f}}% |{{bar}}| {TIMES}{{postfix}}"
SMOOTHING = 0.1
"""Weight of the newest speed in a bar's estimate of the remaining time."""


def _size() -> dict[str, Any]:
    """tqdm's arguments for the terminal's size; a fixed size where a terminal reports 0 by 0."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (AttributeError, OSError, ValueError):
        known = False
    return {"dynamic_ncols": True} if known else {"ncols": FALLBACK_WIDTH, "nrows": 24}


class Display(ABC):
    """Shows one part of the work at a time, and lines of text in between.

    If the terminal was closed, output is dropped and the work goes on.
    """

    @abstractmethod
    def begin(self, label: str, total: float, *, done: float = 0.0, delay: float = DELAY) -> None:
        """Begin a part, which ends the one before it.

        Args:
            label: what is being done; a part without a label stays on the screen at its end.
            total: units of work in all; 0 where unknown.
            done: units that were done before.
            delay: seconds before a bar appears.
        """

    @abstractmethod
    def update(self, done: float, note: str = "") -> None:
        """Show how much of the part is done, and a note behind it."""

    @abstractmethod
    def message(self, line: str) -> None:
        """Show a line."""

    @abstractmethod
    def end(self) -> None:
        """End the part, if there is one."""

    @abstractmethod
    def status(self) -> str:
        """The progress of the part, for a line of text; empty where a bar shows it."""


class TerminalBar(Display):
    """A bar at the bottom of a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._visible_from = 0.0

    def begin(self, label: str, total: float, *, done: float = 0.0, delay: float = DELAY) -> None:
        from tqdm import tqdm

        self.end()
        delay = delay if total else 0.0  # without updates, a delayed bar would never appear
        self._visible_from = time.monotonic() + delay
        named = f"{escape_control(label)}: " * bool(label)
        with suppress(OSError):
            self._bar = tqdm(
                total=total or None,
                initial=done,
                leave=not label,
                delay=delay,
                smoothing=SMOOTHING,
                miniters=0,
                **_size(),
                bar_format=named + (BAR if total else "{elapsed} elapsed{postfix}"),
            )

    def update(self, done: float, note: str = "") -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(escape_control(note), refresh=False)
            with suppress(OSError):
                self._bar.update(done - self._bar.n)

    def message(self, line: str) -> None:
        from tqdm import tqdm

        if self._bar is None or time.monotonic() < self._visible_from:
            say(line, err=True)  # tqdm would draw the bar around the line
            return
        with suppress(OSError):
            tqdm.write(escape_control(line), file=sys.stderr)

    def end(self) -> None:
        if self._bar is not None:
            with suppress(OSError):
                self._bar.close()
            self._bar = None

    def status(self) -> str:
        return ""


class PlainLog(Display):
    """A plain line now and then, for a file or a pipe."""

    def __init__(self) -> None:
        self._label = ""
        self._total = self._done = self._before = 0.0
        self._started = self._written = time.monotonic()

    def begin(self, label: str, total: float, *, done: float = 0.0, delay: float = DELAY) -> None:
        self._label, self._total, self._done, self._before = label, total, done, done
        self._started = time.monotonic()

    def update(self, done: float, note: str = "") -> None:
        self._done = done
        if time.monotonic() - self._written >= LOG_INTERVAL:
            parts = [part for part in (self.status(), note) if part]
            self.message(f"{self._label}: " * bool(self._label) + ", ".join(parts))

    def message(self, line: str) -> None:
        self._written = time.monotonic()
        say(line, err=True)

    def end(self) -> None:
        pass

    def status(self) -> str:
        from tqdm import tqdm

        elapsed = time.monotonic() - self._started
        shown = f"{tqdm.format_interval(elapsed)} elapsed"
        new = self._done - self._before
        if not self._total:
            return shown
        remaining = elapsed * (self._total - self._done) / new if new > 0 else None
        left = "?" if remaining is None else tqdm.format_interval(remaining)
        return f"{100 * self._done / self._total:.0f} %, {shown}, {left} remaining"


def open_display() -> Display:
    """The display that fits what stderr is connected to."""
    return TerminalBar() if is_terminal(sys.stderr) else PlainLog()


class ProgressBars:
    """One bar for each part of the work, removed when the part is done; a context manager.

    Args:
        delay: seconds before a bar appears.
    """

    def __init__(self, delay: float = DELAY) -> None:
        self.delay = delay
        self.display = open_display()
        self._label: str | None = None

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the bar."""
        self._label = None
        self.display.end()

    def show(self, label: str, done: float, total: float) -> None:
        """Show how much of a part is done; a new label starts a new bar.

        Args:
            label: what is being done.
            done: units of work so far.
            total: units in all; 0 where unknown.
        """
        if label != self._label:
            self.display.begin(label, total, delay=self.delay)
            self._label = label
        self.display.update(done)
        if 0 < total <= done:
            self.close()

    def counter(self, label: str, total: int) -> Callable[[int], None]:
        """A function that is called with the units of work just done, for one part."""
        done = 0

        def advance(units: int) -> None:
            nonlocal done
            done += units
            self.show(label, done, total)

        return advance
