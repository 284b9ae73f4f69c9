"""Markdown: headings, paragraphs and list items as paragraphs, links as their text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nextword.formatting import counted
from nextword.text.decoding import plain_lines
from nextword.text.formats.extract import Extract, paragraphs_in
from nextword.text.formats.html import html_paragraphs

if TYPE_CHECKING:
    from markdown_it.token import Token

SUFFIXES = (".md", ".markdown", ".mdown", ".mkd")
"""Of files that are Markdown if they have any mark of it."""
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?:(?!---)(?=[\w-]+[ \t]*:|[ \t-]|\n).*\n)+---[ \t]*\n"  # YAML
    r"|\A\+\+\+[ \t]*\n(?:(?!\+\+\+).*\n){1,500}\+\+\+[ \t]*\n"  # TOML
)
_HASHES = re.compile(r"^#+ ", re.MULTILINE)
_HEADING = re.compile(r"(?:\A|(?<=\n\n))#{1,6} +\S.*\n(?=\n)")
_OTHER_MARKS = (  # each with the number of times that is evidence
    (re.compile(r"!?\[[^\[\]\n]{1,200}\]\((?:https?:|[\w./#-])[^)\s]{,500}\)"), 2),  # a link
    (re.compile(r"^(?:```|~~~)", re.MULTILINE), 2),  # code
    (re.compile(r"(?<![\w*])\*\*(?=[^\s*])[^*\n]{1,200}(?<=\S)\*\*(?![\w*])"), 3),  # bold
    (re.compile(r"^\|?[ \t]*:?-{3,}:?[ \t]*\|[ \t|:-]*$", re.MULTILINE), 1),  # a table
)
_WEAK_MARKS = re.compile(r"^(?:[*+-] |\d+\. |> |#{1,6} |={3,}$|-{3,}$)|\*\w|_\w|`", re.MULTILINE)
_FEWEST_HEADINGS = 2


def is_markdown(text: str, suffix: str) -> bool:
    """Whether a text is Markdown: by its suffix and any mark, or by headings and other marks.

    Breaks of ``***``, ``_underscored_`` words and lists occur in plain text too; in programs lines
    begin with ``#``, but few stand alone.
    """
    others = sum(len(mark.findall(text)) >= fewest for mark, fewest in _OTHER_MARKS)
    if suffix in SUFFIXES:
        return others > 0 or any(mark.search(text) for mark in (_WEAK_MARKS, _FRONT_MATTER))
    headings = len(_HEADING.findall(text))
    is_program = 2 * headings < len(_HASHES.findall(text))
    return headings >= _FEWEST_HEADINGS and not is_program and others > 0


def open_markdown(file: Path, encoding: str, column: str | None) -> Extract:
    """The text of a Markdown file, without front matter, fenced code, images and addresses.

    Raises:
        TextError: the file cannot be read or decoded.
    """
    from markdown_it import MarkdownIt

    text = _FRONT_MATTER.sub("", "\n".join(plain_lines(file, encoding)) + "\n", count=1)
    # four spaces begin a paragraph more often than a program in the texts of writers
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("code")
    tokens = parser.parse(text)
    fences = sum(token.type == "fence" for token in tokens)
    left_out = f", without {counted(fences, 'code block')}" if fences else ""
    return Extract(f"Markdown{left_out}", _paragraphs(tokens))


def _paragraphs(tokens: list[Token]) -> Iterator[str]:
    row: list[str] = []
    in_row = False
    for token in tokens:
        if token.type == "html_block":
            yield from html_paragraphs(token.content.split("\n"))
        elif token.type == "inline":
            text = _inline(token.children or [])
            if in_row:
                row.append(text)
            else:
                yield from paragraphs_in(text)
        elif token.type == "tr_open":
            in_row = True
        elif token.type == "tr_close":
            yield from paragraphs_in(" ".join(row))
            row, in_row = [], False


def _inline(tokens: list[Token]) -> str:
    pieces = []
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            pieces.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            pieces.append("\n")
        elif token.type == "html_inline" and token.content.lower().startswith("<br"):
            pieces.append("\n")
    return "".join(pieces)
