"""Streams text files as paragraphs or lines, never holding a whole text in memory."""

from __future__ import annotations

from collections.abc import Iterator

from nextword.text.decoding import decoded_lines
from nextword.text.detokenizer import Kind
from nextword.text.gutenberg import without_licence
from nextword.text.paragraphs import paragraphs_of
from nextword.text.sources import Source, text_files


def read_lines(path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """All lines, also empty ones, without line ends and without Project Gutenberg's licence.

    Raises:
        TextError: a file cannot be read or decoded.
        ConfigError: Python does not know the encoding.
    """
    for file in text_files(path):
        yield from without_licence(decoded_lines(file, encoding))


def read_paragraphs(path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """Paragraphs of prose, separated by blank lines, with inner line ends replaced by spaces.

    In a file without blank lines whose lines are not wrapped, each line is a paragraph. The end of
    a file ends a paragraph. Errors as in :func:`read_lines`.
    """
    for file in text_files(path):
        yield from paragraphs_of(without_licence(decoded_lines(file, encoding)))


def read_units(kind: Kind, path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """Paragraphs of prose, or lines of text that is tokenized already."""
    return (read_lines if kind == "whitespace" else read_paragraphs)(path, encoding)
