"""Project Gutenberg's own words around a book, cut off as the lines go by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_START = re.compile(
    r"\*\*\*\s*START OF (?:(?:THE|THIS) )?PROJECT GUTENBERG|\*END\W{0,4}THE SMALL PRINT",
    re.IGNORECASE,
)
_END = re.compile(r"\*\*\*\s*END OF (?:(?:THE|THIS) )?PROJECT GUTENBERG", re.IGNORECASE)
_OLD_END = re.compile(r"End of (?:the |this )?Project Gutenberg", re.IGNORECASE)
_LONGEST_HEADER = 1 << 16
"""Characters; a text without a start marker so far has none."""


def without_licence(lines: Iterable[str]) -> Iterator[str]:
    """The lines between the start and end markers; all of them where there are no markers.

    Several books one after the other are each cut. The older headers (``*END*THE SMALL PRINT``)
    and footers (``End of Project Gutenberg's ...``, only after a header) count as markers too.
    """
    stream = iter(lines)
    head, found = _header(stream)
    if not found:
        yield from head
    inside, marked = True, found
    for line in stream:
        kind = _marker(line)
        if kind == "start":
            inside, marked = True, True
            _finish_marker(line, stream)
        elif kind == "end" or (kind == "old end" and marked):
            inside = False
        elif inside:
            yield line


def _header(stream: Iterator[str]) -> tuple[list[str], bool]:
    """The first lines and whether a start marker ended them (and is read to its end)."""
    head: list[str] = []
    left = _LONGEST_HEADER
    for line in stream:
        kind = _marker(line)
        if kind == "start":
            _finish_marker(line, stream)
            return head, True
        if kind == "end":
            # The licence that follows has no start before it: only what comes before is text.
            _skip_to_start(stream)
            return head, False
        head.append(line)
        left -= len(line) + 1
        if left <= 0:
            break
    return head, False


def _skip_to_start(stream: Iterator[str]) -> None:
    for line in stream:
        if _marker(line) == "start":
            _finish_marker(line, stream)
            return


def _marker(line: str) -> str | None:
    if line[:1] not in ("*", "E"):
        return None
    if _START.match(line):
        return "start"
    if _END.match(line):
        return "end"
    return "old end" if _OLD_END.match(line) else None


def _finish_marker(line: str, stream: Iterator[str]) -> None:
    """Reads on to the end of a marker that a long title has wrapped to further lines."""
    while line.strip() and not line.rstrip().endswith("*"):
        following = next(stream, None)
        if following is None:
            return
        line = following
