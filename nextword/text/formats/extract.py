"""A file format, and the running text that it gives, as paragraphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# an escape or an entity may hold what decoding removes from plain text
_CONTROLS = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?|[\x85\u2028]")
_SPACES = re.compile(r"[ \t]{2,}|\t")
_BLANK_LINES = re.compile(r"\n\s*\n|\u2029")


@dataclass(frozen=True)
class Extract:
    """The text that was found in a file."""

    taken: str
    """The part of the file that is read, in a few words: ``CSV, column 'message'``."""
    paragraphs: Iterator[str]
    """Not empty, without line ends. Raises TextError where the file turns out to be damaged."""
    as_lines: bool = False
    """Whether ``paragraphs`` are lines, also empty ones, to be grouped as in plain text."""


Opener = Callable[[Path, str, str | None], Extract]
"""Takes the file, its encoding and the column that the user named. Formats that declare their
encoding ignore the second, formats without columns the third. Raises TextError."""


@dataclass(frozen=True)
class Format:
    """A kind of file, by its content."""

    name: str
    """For messages, such as ``EPUB``."""
    open: Opener | None = None
    """Gives the text; None for plain text, and for files that are refused."""
    refusal: str = ""
    """Why the file is not read and what to do instead, to follow the file's name and a colon."""
    columns: bool = False
    """Whether each record has named fields, such as columns, one of which holds the text."""
    binary: bool = False
    """Whether a file of this kind is certainly no text, whatever the user says."""


def without_controls(text: str) -> str:
    """The text with spaces for control characters and U+FFFD for surrogates."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text))


def paragraphs_in(text: str) -> Iterator[str]:
    """The paragraphs of a string, which blank lines separate; white space becomes one space."""
    for block in _BLANK_LINES.split(without_controls(_LINE_ENDS.sub("\n", text))):
        paragraph = " ".join(line for part in block.split("\n") if (line := part.strip()))
        if paragraph:
            yield _SPACES.sub(" ", paragraph)
