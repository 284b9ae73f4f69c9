"""Bars on stderr for work of several parts, one bar after the other."""

from __future__ import annotations

import sys
from typing import Any


def interval() -> float:
    """Seconds between two looks of a bar: few where nobody sees it move, as in a file."""
    return 0.1 if sys.stderr.isatty() else 10.0


class Bars:
    """A bar for each part of the work, gone when the part is done."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.what: str | None = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, what: str, read: int, total: int) -> None:
        """Say how much is done.

        Args:
            what: the part of the work; another name begins another bar.
            read: words, or other work, by now.
            total: in the end.
        """
        from tqdm import tqdm

        if what != self.what:
            self.__exit__()
            self.what = what
            self.bar = tqdm(
                total=total,
                desc=what,
                leave=False,
                mininterval=interval(),
                dynamic_ncols=True,
                bar_format="{desc}: {percentage:3.0f}% |{bar}| {elapsed} gone, {remaining} left",
            )
        self.bar.update(read - self.bar.n)
