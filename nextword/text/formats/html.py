"""HTML to paragraphs: block elements are paragraphs, inline elements vanish into their text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path

from nextword.config.types import text_codec
from nextword.errors import ConfigError, TextError
from nextword.text.decoding import plain_lines
from nextword.text.formats.extract import Extract, paragraphs_in, without_controls
from nextword.text.formats.head import read_head

BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu ol option "
    "p pre section summary table tbody tfoot thead title tr ul".split()
)
INLINE = frozenset(
    "a abbr acronym b bdi bdo big br cite code del dfn em font i img input ins kbd label link "
    "mark meta q rp rt ruby samp script small span strike strong style sub sup td th tt u "
    "var wbr".split()
)
_HIDDEN = frozenset("head nav noscript rp rt script style svg template title".split())
_IN_HEAD = frozenset("base link meta noscript script style template title".split())
_HIDDEN_UNTIL = {"rt": ("rt", "rp", "ruby"), "rp": ("rt", "rp", "ruby"), "head": ("head", "body")}
_BLOCK_TAG = re.compile(rf"<(?:{'|'.join(BLOCKS - {'html', 'body', 'title'})})\b", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\f]+")
_MARKED_SECTION = re.compile(r"<!\[(?:CDATA\[((?:(?!<!\[).)*?)\]\]>|[^<>-]*>)", re.DOTALL)
_OPEN_TAG = re.compile(r"<(?=[a-zA-Z/][^<>]*<)")
_MANY_OPEN = 200
"""Unfinished tags in a piece; fewer may be a ``<`` in an attribute or in a script."""
_CHARSET = re.compile(rb"""(?:charset|<\?xml[^>]*encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_CHUNK = 1 << 16
_LONGEST_SECTION = 1 << 20
_MANY_LINES = 40
"""Line breaks in one block; a stanza or an address has fewer, a chat log more."""


def open_html(file: Path, encoding: str, column: str | None) -> Extract:
    """The text of an HTML file.

    A text without block elements, with nothing but tags such as ``<i>`` and ``<br>``, is given as
    lines.

    Raises:
        TextError: the file cannot be read or decoded.
    """
    chunks = _chunks(plain_lines(file, _encoding_of(file, encoding)))
    first = next(chunks)
    as_lines = _BLOCK_TAG.search(first) is None
    return Extract("HTML", _parsed(chain([first], chunks), as_lines), as_lines)


def html_paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """The paragraphs of HTML or XHTML.

    Scripts, styles, the head, navigation and ruby annotations are left out. Two ``<br>`` end a
    paragraph; where a block has many of them, each ends one.
    """
    return _parsed(_chunks(lines), as_lines=False)


def _parsed(chunks: Iterable[str], as_lines: bool) -> Iterator[str]:
    collector = _Lines() if as_lines else _Blocks()
    for chunk in chunks:
        collector.feed(chunk)
        yield from collector.take()
    collector.close()
    collector.end_block()
    yield from collector.take()


def _chunks(lines: Iterable[str]) -> Iterator[str]:
    """The lines in larger pieces, with CDATA as text, which the parser knows only inside SVG."""
    kept, size = "", 0
    pieces: list[str] = []
    for line in lines:
        pieces.append(line + "\n")
        size += len(line) + 1
        if size >= _CHUNK:
            text = kept + "".join(pieces)
            unclosed = text.rfind("<![", -_LONGEST_SECTION)
            if unclosed < 0 or _MARKED_SECTION.match(text, unclosed):
                unclosed = len(text)
            yield _parsable(text[:unclosed])
            kept, size, pieces = text[unclosed:], 0, []
    yield _parsable(kept + "".join(pieces))


def _parsable(text: str) -> str:
    text = _MARKED_SECTION.sub(_escaped, text).replace("<![", "&lt;![")
    # html.parser takes quadratic time for these
    return _OPEN_TAG.sub("&lt;", text) if len(_OPEN_TAG.findall(text)) > _MANY_OPEN else text


def _escaped(section: re.Match[str]) -> str:
    return (section[1] or "").replace("&", "&amp;").replace("<", "&lt;")


class _Blocks(HTMLParser):
    """Gathers the text between the tags of block elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._hidden: list[str] = []
        self._preformatted = 0
        self._pieces: list[str] = []
        self._breaks = 0
        self._found: list[str] = []

    def take(self) -> list[str]:
        """The paragraphs that ended since the last call."""
        found, self._found = self._found, []
        return found

    def end_block(self) -> None:
        """Make paragraphs of the text gathered so far."""
        text = "".join(self._pieces)
        self._found += paragraphs_in(
            text.replace("\n", "\n\n") if self._breaks > _MANY_LINES else text
        )
        self._pieces, self._breaks = [], 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if self._hidden:
            if self._hidden[-1] == "head" and tag not in _IN_HEAD:
                self._hidden.pop()  # its end tag may be left out
            elif self._hidden[-1] in ("rt", "rp") and tag in ("rt", "rp"):
                self._hidden[-1] = tag
                return
        if tag in _HIDDEN:
            self._hidden.append(tag)
        elif not self._hidden:
            self._open(tag)

    def _open(self, tag: str) -> None:
        if tag == "br":
            self._pieces.append("\n")
            self._breaks += 1
        elif tag in ("td", "th"):
            self._pieces.append(" ")
        elif tag in BLOCKS:
            self.end_block()
            self._preformatted += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        if not self._hidden and tag not in _HIDDEN:
            self._open(tag)
            self._preformatted -= tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag in _HIDDEN_UNTIL.get(self._hidden[-1], (self._hidden[-1],)):
                self._hidden.pop()
        elif tag in BLOCKS:
            self.end_block()
            self._preformatted = max(0, self._preformatted - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._pieces.append(data if self._preformatted else _SPACES.sub(" ", data))


class _Lines(_Blocks):
    """Gathers lines, with those that ``<br>`` ends."""

    _after_break = False

    def take(self) -> list[str]:
        """The lines that ended since the last call."""
        *found, rest = "".join(self._pieces).split("\n")
        self._pieces = [rest]
        return [without_controls(line) for line in found]

    def end_block(self) -> None:
        """End the last line."""
        if any(self._pieces):
            self._pieces.append("\n")

    def _open(self, tag: str) -> None:
        if tag == "br" and not self._after_break:
            self._pieces.append("\n")
            self._after_break = True

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._after_break:  # a line end after <br> is the same one
            data = re.sub(r"\A[ \t]*\n?", "", data)
        self._after_break = self._after_break and not data
        self._pieces.append(data)


def _encoding_of(file: Path, encoding: str) -> str:
    """The encoding that the document declares, if it is not the UTF-8 that is assumed."""
    if text_codec(encoding).name != "utf-8":
        return encoding
    declared = _CHARSET.search(read_head(file)[1][:4096])
    if declared is None:
        return encoding
    # browsers take these for cp1252, which has quotation marks where they have controls
    name = re.sub(r"(?i)^(?:iso-?8859-?1|latin-?1|us-ascii|ascii)$", "cp1252", declared[1].decode())
    try:
        if text_codec(name).name == "utf-8":
            return encoding
        for _ in plain_lines(file, encoding):
            pass
    except ConfigError:
        return encoding
    except TextError:
        return name
    return encoding
