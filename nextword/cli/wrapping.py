"""Breaks running text into lines as it arrives."""

from __future__ import annotations

import re
from collections.abc import Callable

from nextword.cli.layout import columns_of
from nextword.formatting import escape_control
from nextword.text.scripts import UNSPACED_LETTERS


def escape_lines(text: str) -> str:
    """A text with its line ends kept and all other control characters escaped."""
    lines = text.replace("\r\n", "\n").replace("\t", " ").split("\n")
    return "\n".join(escape_control(line) for line in lines)


_ATOMS = re.compile(rf"\n| +|[{UNSPACED_LETTERS}]|[^ \n{UNSPACED_LETTERS}]+")
_BREAK_BEFORE = re.compile(f"[{UNSPACED_LETTERS}]")


class Wrapper:
    """Breaks a stream of text into lines.

    Text without a space in it stays on one line, so the last word is held back until it is known
    whether punctuation follows.

    Args:
        width: columns of a line.
        gap: written for a space between words.
    """

    def __init__(self, width: int, gap: str = " ") -> None:
        self.width = width
        self.gap = gap
        self._column = 0
        self._spaced = False
        self._held = ""
        self._held_columns = 0

    def push(self, text: str, paint: Callable[[str], str] = str) -> str:
        """Add text and return what can be written by now.

        Args:
            text: continues directly after the text pushed before.
            paint: colours a word; escape sequences take no columns.
        """
        written = []
        for atom in _ATOMS.findall(text):
            if atom[0] in "\n ":
                written.append(self.flush())
                self._spaced = atom[0] == " "
                if atom == "\n":
                    written.append(atom)
                    self._column = 0
                continue
            if _BREAK_BEFORE.match(atom):
                written.append(self.flush())
            self._held += paint(atom)
            self._held_columns += columns_of(atom)
        return "".join(written)

    def flush(self) -> str:
        """Return the word that was held back."""
        if not self._held:
            return ""
        gap = self.gap if self._spaced and self._column else ""
        if self._column and self._column + bool(gap) + self._held_columns > self.width:
            gap, self._column = "\n", 0
        written = gap + self._held
        self._column += bool(gap.strip("\n")) + self._held_columns
        self._held, self._held_columns, self._spaced = "", 0, False
        return written
