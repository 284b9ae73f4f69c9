"""DOCX: the paragraphs of the main document, without deleted text, footnotes and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nextword.errors import TextError
from nextword.text.formats.archive import local_name, opened_archive, xml_parser
from nextword.text.formats.extract import Extract, paragraphs_in

DOCUMENT = re.compile(r"word/document\d*\.xml")
"""The member that holds the text."""
_WORD = "wordprocessingml"
# drawings are written twice, for newer and older programs: the second time as Fallback
_HIDDEN = frozenset(("del", "moveFrom", "Fallback"))
_CHARACTERS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def open_docx(file: Path, encoding: str, column: str | None) -> Extract:
    """The text of a DOCX file; it declares its encoding itself.

    Raises:
        TextError: the file is damaged or encrypted.
    """
    with opened_archive(file, "DOCX") as archive:
        member = next((name for name in archive.names if DOCUMENT.fullmatch(name)), None)
        if member is None:
            raise TextError("lacks its part 'word/document.xml'; fetch it again")
    return Extract("DOCX", _paragraphs(file, member))


def _paragraphs(file: Path, member: str) -> Iterator[str]:
    collector = _Collector()
    parser = xml_parser()
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.data
    with opened_archive(file, "DOCX") as archive:
        for chunk in archive.chunks(member):
            parser.Parse(chunk, False)
            yield from collector.take()
        parser.Parse(b"", True)
        yield from collector.take()


class _Collector:
    """Gathers the text of each ``w:p``; a text box has its own inside another."""

    def __init__(self) -> None:
        self._open: list[list[str]] = []
        self._hidden = 0
        self._in_text = False
        self._paragraphs: list[str] = []

    def take(self) -> list[str]:
        """The paragraphs that ended since the last call."""
        paragraphs, self._paragraphs = self._paragraphs, []
        return paragraphs

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = local_name(name)
        self._hidden += kind in _HIDDEN
        if _WORD not in name:
            return
        if kind == "p":
            self._open.append([])
        self._in_text = kind == "t"
        if kind in _CHARACTERS:
            self._add(_CHARACTERS[kind])

    def end(self, name: str) -> None:
        kind = local_name(name)
        self._hidden -= kind in _HIDDEN
        if _WORD in name and kind == "p" and self._open:
            self._paragraphs += paragraphs_in("".join(self._open.pop()))
        self._in_text = False

    def data(self, text: str) -> None:
        if self._in_text:
            self._add(text)

    def _add(self, text: str) -> None:
        if self._open and not self._hidden:
            self._open[-1].append(text)
