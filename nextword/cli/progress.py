"""Bars on stderr for work of several parts, one bar after the other."""

from __future__ import annotations

from typing import Any


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
                dynamic_ncols=True,
                bar_format="{desc}: {percentage:3.0f}% |{bar}| {elapsed} gone, {remaining} left",
            )
        self.bar.update(read - self.bar.n)
