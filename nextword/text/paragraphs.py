"""Lines to paragraphs: finds out how a text marks them, and joins what a margin wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from nextword.text.scripts import is_unspaced

_LOOK_AHEAD = 1 << 16
_LONGEST_WRAPPED = 200
_LEAST_WRAPPED = 40
_FEWEST_LINES = 20
_SENTENCE_END = re.compile(r"[.!?…。！？:;)][\"'”’»)]*\Z")
_DASH_AT_END = re.compile(r"\S(?:--|[—―])\Z|[^\W\d_][-‐]\Z")
_SUSPENDED = re.compile(r"(?:and|or|to)\b")


def paragraphs_of(lines: Iterator[str]) -> Iterator[str]:
    """The paragraphs in the lines of one file.

    They are separated by blank lines, and inner line ends become spaces; in a file without blank
    lines whose lines are not wrapped, each line is a paragraph.
    """
    head = _take(lines, _LOOK_AHEAD)
    every_line = chain(head, lines)
    if _one_paragraph_a_line(head):
        yield from (line.strip() for line in every_line if line.strip())
    else:
        yield from _join(every_line)


def _take(lines: Iterator[str], characters: int) -> list[str]:
    head = []
    for line in lines:
        head.append(line)
        characters -= len(line) + 1
        if characters <= 0:
            break
    return head


def _one_paragraph_a_line(head: list[str]) -> bool:
    """Whether every line is a paragraph: no blank lines, and lines are not wrapped at a margin."""
    lines = [line.strip() for line in head]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    if not all(lines) or len(lines) < 2:
        return False
    longest = max(map(len, lines))
    if longest > _LONGEST_WRAPPED:
        return True
    ended = sum(_SENTENCE_END.search(line) is not None for line in lines)
    return len(lines) >= _FEWEST_LINES and (longest < _LEAST_WRAPPED or 2 * ended > len(lines))


def _join(lines: Iterable[str]) -> Iterator[str]:
    pieces: list[str] = []
    last = ""
    for line in chain(lines, [""]):
        line = line.strip()
        if not line:
            if pieces:
                yield "".join(pieces)
            pieces, last = [], ""
            continue
        if last and not _sticks(last, line):
            pieces.append(" ")
        pieces.append(line)
        last = line


def _sticks(last: str, line: str) -> bool:
    """Whether a wrapped line continues without a space: Han, kana, after a dash or hyphen."""
    if is_unspaced(last[-1]) and is_unspaced(line[0]):
        return True
    return (
        last[-1] in "-‐—―"
        and _DASH_AT_END.search(last, max(0, len(last) - 3)) is not None
        and not (last[-2:] != "--" and _SUSPENDED.match(line))
    )
