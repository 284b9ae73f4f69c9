"""Removes Project Gutenberg's header and licence from a stream of lines."""

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
"""Characters within which a start marker is expected."""


def without_licence(lines: Iterable[str]) -> Iterator[str]:
    """The lines between the start and end markers; all of them where there are no markers.

    Concatenated books are each cut. The older headers (``*END*THE SMALL PRINT``)
    and footers (``End of Project Gutenberg's ...``, only after a header) count as markers too.
    """
    stream = iter(lines)
    head, marked = _header(stream)
    if not marked:
        yield from head
    inside = True
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
    """The first lines, and whether a start marker followed them (it is consumed)."""
    head: list[str] = []
    left = _LONGEST_HEADER
    for line in stream:
        kind = _marker(line)
        if kind == "start":
            _finish_marker(line, stream)
            return head, True
        if kind == "end":
            # an end without a start: the text is before it, the licence follows
            for following in stream:
                if _marker(following) == "start":
                    _finish_marker(following, stream)
                    break
            return head, False
        head.append(line)
        left -= len(line) + 1
        if left <= 0:
            break
    return head, False


def _marker(line: str) -> str | None:
    if line[:1] not in ("*", "E"):
        return None
    if _START.match(line):
        return "start"
    if _END.match(line):
        return "end"
    return "old end" if _OLD_END.match(line) else None


def _finish_marker(line: str, stream: Iterator[str]) -> None:
    """Consume the rest of a marker that a long title wraps over several lines."""
    while line.strip() and not line.rstrip().endswith("*"):
        following = next(stream, None)
        if following is None:
            return
        line = following
