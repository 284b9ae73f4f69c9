"""Removes Project Gutenberg's headers, footers and licences from a stream of lines."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Literal

Marker = Literal["start", "end", "footer", "licence", "licence end", "title"]

_PATTERNS: dict[Marker, str] = {
    "start": r"\*{2,}\s*START OF (?:(?:THE|THIS) )?(?:COPYRIGHTED )?PROJECT GUTENBERG",
    "end": r"\*{2,}\s*END OF (?:(?:THE|THIS) )?(?:COPYRIGHTED )?PROJECT GUTENBERG",
    "licence": r"\*+\s*START[*:\s]*(?:THE )?(?:SMALL PRINT|FULL LICEN[SC]E)",
    "licence end": r"\*+\s*END[*:\s]*(?:THE )?(?:SMALL PRINT|FULL LICEN[SC]E)",
    "footer": r"\W{0,5}(?:The )?(?:End|Ende|Einde|Fin|Fine|Fim|Slut|Loppu)\b.{0,30}?\b"
    r"Proje[ck]?t Gutenberg|This site is full of free ebooks",
    "title": r"\W{0,5}(?:The )?Project Gutenberg(?:['’]s)? (?:\w+ )?E-?(?:text|book)s? of\b"
    r"|\W{0,5}(?:A )?Project Gutenberg (?:of )?(?:Australia|Canada)(?: E-?books?)?\W*$"
    r"|\W{0,5}(?:This )?E-?text (?:was )?(?:prepared|produced|typed|scanned) by\b",
}
_HINT = re.compile(r"\*|utenberg|UTENBERG|full of free|[Tt]ext .*\bby")
_MARKERS = {marker: re.compile(text, re.IGNORECASE) for marker, text in _PATTERNS.items()}
_BOILERPLATE = re.compile(r"Project Gutenberg|small print|\be-?texts?\b", re.IGNORECASE)
_AT_THE_END = re.compile(r"small\s+print.{0,40}\bend\b", re.IGNORECASE | re.DOTALL)
_LONGEST_HEADER = 1 << 16
"""Characters within which a start marker is expected."""
_LONGEST_TITLE = 1 << 14
"""Characters of a header before its licence; a longer text there is a book."""
_LONGEST_LICENCE = 40_000
"""Characters within which a licence's end mark is expected."""
_TITLE_BLOCKS = 12
"""Blocks at a text's beginning among which its header is looked for."""


def without_licence(lines: Iterable[str]) -> Iterator[str]:
    """The text between headers and footers; all of it where Project Gutenberg added nothing.

    Of concatenated books each is cut. In the older form the licence stands before the book or after
    it; that form is recognised by its title line, by the small print or by a footer (``End of
    Project Gutenberg's ...``).
    """
    stream = _Lines(lines)
    known = False  # whether a marker of Project Gutenberg was met
    while (first := stream.next()) is not None:
        stream.put_back([first])
        known = yield from _book(stream, known)


class _Lines:
    """A stream of lines that takes lines back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)

    def next(self) -> str | None:
        """The next line; None at the end."""
        return next(self._lines, None)

    def put_back(self, lines: list[str]) -> None:
        """Make these the next lines."""
        self._lines = chain(lines, self._lines)

    def skip_blank(self) -> bool:
        """Pass over blank lines; whether a line follows."""
        while (line := self.next()) is not None:
            if line.strip():
                self.put_back([line])
                return True
        return False

    def finish_marker(self, line: str) -> None:
        """Consume the rest of a marker that a long title wraps over several lines."""
        while line.strip() and not line.rstrip().endswith("*"):
            following = self.next()
            if following is None:
                return
            line = following

    def skip_licence(self) -> Marker | None:
        """Consume a licence and return what ended it; consume nothing if it is too long for one."""
        return self.skip_to("licence end", "start", "title", within=_LONGEST_LICENCE)

    def skip_to(self, *markers: Marker, within: float = math.inf) -> Marker | None:
        """Consume lines up to one of these markers, an end mark included; None at the end.

        If none stands within so many characters, nothing is consumed.
        """
        skipped: list[str] = []
        while (line := self.next()) is not None:
            within -= len(line)
            if math.isfinite(within):
                skipped.append(line)
            if within < 0:
                self.put_back(skipped)
                return None
            marker = _marker(line)
            if marker in markers:
                if marker in ("start", "title"):
                    self.put_back([line])
                else:
                    self.finish_marker(line)
                return marker
        return None


def _book(stream: _Lines, known: bool) -> Generator[str, None, bool]:
    """Yield one book; return whether Project Gutenberg is known to have made the text."""
    head, marker = _head(stream, known)
    known = known or marker is not None or _titled(head)
    if marker == "licence" and not _ends_a_book(head):
        # the licence of a header, unless nothing follows it
        closed = stream.skip_licence()
        if not closed or (closed == "licence end" and not stream.skip_blank()):
            yield from _without_title(head)
            return known
        marker = "licence end"
    elif marker == "licence end" and not stream.skip_blank():
        marker = "licence"
    if marker in ("end", "footer", "licence"):
        yield from _without_title(head)
        _skip_between_books(stream, marker)
        return known
    if marker is None:
        yield from _without_title(head)
    while (line := stream.next()) is not None:
        kind = _marker(line)
        if kind in ("end", "licence") or (kind == "footer" and known):
            _skip_between_books(stream, kind)
            return True
        if kind in ("start", "licence end"):
            known = True
            stream.finish_marker(line)
        else:
            yield line
    return known


def _head(stream: _Lines, known: bool) -> tuple[list[str], Marker | None]:
    """The first lines of a book, and the marker that ended them (it is consumed)."""
    head: list[str] = []
    left = _LONGEST_HEADER
    while left > 0 and (line := stream.next()) is not None:
        kind = _marker(line)
        if kind in ("start", "licence end"):
            stream.finish_marker(line)
        if kind == "footer" and not (known or _titled(head)):
            kind = None
        if kind not in (None, "title"):
            return head, kind
        head.append(line)
        left -= len(line)
    return head, None


def _skip_between_books(stream: _Lines, marker: Marker | None) -> None:
    """Consume the text between a book, which this marker ended, and the next one."""
    if marker != "licence":
        marker = stream.skip_to("start", "title", "licence", "licence end", within=_LONGEST_LICENCE)
    if marker == "licence":
        stream.skip_licence()


def _marker(line: str) -> Marker | None:
    if not _HINT.search(line):
        return None
    line = line.lstrip()
    return next((marker for marker, pattern in _MARKERS.items() if pattern.match(line)), None)


def _titled(head: list[str]) -> bool:
    """Whether the text begins with Project Gutenberg's own title line."""
    first = next((line for line in head if line.strip()), "")
    return _marker(first) == "title"


def _ends_a_book(head: list[str]) -> bool:
    """Whether lines before a licence are a book, not the beginning of a header."""
    text = "".join(head)
    return len(text) > _LONGEST_TITLE or _AT_THE_END.search(text) is not None


def _without_title(head: list[str]) -> list[str]:
    """The lines after a header without an end mark: its title and its remarks."""
    if not _titled(head):
        return head
    blocks, last = 0, 0
    for number, line in enumerate(head):
        if line.strip() and (number == 0 or not head[number - 1].strip()):
            blocks += 1
        if blocks > _TITLE_BLOCKS:
            break
        if _BOILERPLATE.search(line):
            last = number
    while last < len(head) and head[last].strip():
        last += 1
    return head[last:]
