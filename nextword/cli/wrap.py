"""Running text on a terminal, line by line, while it still comes."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable

from nextword.formatting import escape_control
from nextword.text.scripts import UNSPACED_LETTERS
from nextword.text.vocabulary import END

PILCROW = "¶"
"""Shown for the end of a paragraph or line."""
WIDEST = 88
"""Columns of running text at most; longer lines are hard to read."""
_ATOMS = re.compile(rf"\n| +|[{UNSPACED_LETTERS}]|[^ \n{UNSPACED_LETTERS}]+")
_BREAK_BEFORE = re.compile(f"[{UNSPACED_LETTERS}]")


def line_width() -> int:
    """Columns for running text on this terminal."""
    return max(20, min(shutil.get_terminal_size().columns, WIDEST))


def colours_wanted() -> bool:
    """Whether stdout is a terminal that shows colours, and nobody minds (no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def escape_lines(text: str) -> str:
    """The text with its line ends, all else that a terminal would obey spelled out."""
    lines = text.replace("\r\n", "\n").replace("\t", " ").split("\n")
    return "\n".join(escape_control(line) for line in lines)


def columns_of(text: str) -> int:
    """How many columns a text takes: wide letters two, combining marks none."""
    return sum(_width(letter) for letter in text)


def padded(text: str, width: int) -> str:
    """The text and as many spaces as make it so many columns wide."""
    return text + " " * (width - columns_of(text))


def shown_word(word: str) -> str:
    """A word of a vocabulary as it is shown: harmless, and the end of a paragraph as a mark."""
    return PILCROW if word == END else escape_control(word)


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


class Wrapper:
    """Breaks a stream of text into lines.

    What has no space in between stays together, so the last word is held back until it is known
    whether a mark follows it.

    Args:
        width: columns of a line.
        gap: what is written for a space between words.
    """

    def __init__(self, width: int, gap: str = " ") -> None:
        self.width = width
        self.gap = gap
        self._column = 0
        self._spaced = False
        self._held = ""
        self._held_columns = 0

    def push(self, text: str, paint: Callable[[str], str] = str) -> str:
        """What to write now.

        Args:
            text: goes on where the text before ended.
            paint: gives words their colours; these take no columns.
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
        """What was held back."""
        if not self._held:
            return ""
        gap = self.gap if self._spaced and self._column else ""
        if self._column and self._column + bool(gap) + self._held_columns > self.width:
            gap, self._column = "\n", 0
        written = gap + self._held
        self._column += bool(gap.strip("\n")) + self._held_columns
        self._held, self._held_columns, self._spaced = "", 0, False
        return written
