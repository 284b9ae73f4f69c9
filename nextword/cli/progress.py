"""The one kind of progress bar that all commands show, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

TIMES = "{elapsed} elapsed, {remaining} remaining"


def open_bar(
    total: int,
    label: str = "",
    *,
    initial: int = 0,
    counts: str = "",
    keep: bool = False,
    delay: float = 0.0,
    smoothing: float = 0.3,
) -> tqdm[NoReturn]:
    """Open a bar; the caller updates and closes it.

    Args:
        total: units of work in all.
        label: what is being done.
        initial: units that were done before.
        counts: shown before the times, such as ``{n_fmt}/{total_fmt} steps,`` (tqdm's fields).
        keep: leave the bar on the screen once it is closed.
        delay: seconds before the bar appears.
        smoothing: weight of the newest speed in the estimate of the remaining time.
    """
    from tqdm import tqdm

    head = "{desc}: " if label else ""
    return tqdm(
        total=total,
        desc=label,
        initial=initial,
        leave=keep,
        delay=delay,
        smoothing=smoothing,
        # rarely where nobody sees it move, as in a log file
        mininterval=0.1 if sys.stderr.isatty() else 10.0,
        dynamic_ncols=True,
        bar_format=f"{head}{{percentage:3.0f}}% |{{bar}}| {counts}{TIMES}{{postfix}}",
    )


class ProgressBars:
    """One bar for each part of the work, removed when the part is done; a context manager.

    Args:
        delay: seconds before a bar appears.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self._bar: tqdm[NoReturn] | None = None
        self._label: str | None = None

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, label: str, done: int, total: int) -> None:
        """Show how much of a part is done; a new label starts a new bar."""
        if self._bar is None or label != self._label:
            self.__exit__()
            self._label = label
            self._bar = open_bar(total, label, delay=self.delay)
        self._bar.update(done - self._bar.n)

    def counter(self, label: str, total: int) -> Callable[[int], None]:
        """A function that is called with the units of work just done, for one part."""
        done = 0

        def advance(units: int) -> None:
            nonlocal done
            done += units
            self.show(label, done, total)

        return advance
