"""Streams text files as paragraphs or lines, never holding a whole text in memory."""

from __future__ import annotations

import atexit
import contextlib
import gzip
import os
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from nextword.errors import TextError
from nextword.text.decoding import TextDecoder
from nextword.text.detokenizer import Kind
from nextword.text.gutenberg import without_licence
from nextword.text.scripts import is_unspaced

Source = str | Path | Sequence[str | Path]
"""A file, a folder, ``-`` for standard input, or several of these."""

_CHUNK = 1 << 20
_SUFFIXES = (".txt", ".txt.gz")
_LOOK_AHEAD = 1 << 16
_LONGEST_WRAPPED = 200
_LEAST_WRAPPED = 40
_FEWEST_LINES = 20
_SENTENCE_END = re.compile(r"[.!?…。！？:;)][\"'”’»)]*\Z")
_DASH_AT_END = re.compile(r"\S(?:--|[—―])\Z|[^\W\d_][-‐]\Z")
_SUSPENDED = re.compile(r"(?:and|or|to)\b")


def text_files(path: Source) -> list[Path]:
    """The files of a text: for a folder its .txt and .txt.gz files, sorted.

    Standard input and pipes, which can be read only once, are copied to a temporary file.

    Raises:
        TextError: a file is missing, empty or unreadable.
    """
    sources = [path] if isinstance(path, (str, Path)) else list(path)
    if not sources:
        raise TextError("no text is named: give a file, a folder, or - for standard input")
    return [file for source in sources for file in _files_of(source)]


def _files_of(source: str | Path) -> list[Path]:
    file = Path(source)
    try:
        if str(source) == "-" or (file.exists() and not file.is_file() and not file.is_dir()):
            files = [spool(str(source))]
        elif file.is_dir():
            files = folder_files(file)
        elif file.exists():
            files = [file]
        else:
            raise TextError(f"{file}: no such file or folder; check the path")
        for found in files:
            with found.open("rb") as stream:
                if not stream.read(1):
                    raise TextError(f"{display_name(found)} is empty; give a text with words in it")
    except (OSError, ValueError) as error:
        raise TextError(f"{file}: cannot be read ({_reason(error)})") from error
    return files


def folder_files(folder: Path) -> list[Path]:
    """A folder's .txt and .txt.gz files, sorted. Raises TextError if there are none."""
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.name.lower().endswith(_SUFFIXES)
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not files:
        raise TextError(f"{folder}: the folder holds no .txt or .txt.gz file")
    return files


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def read_lines(path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """All lines, also empty ones, without line ends and without Project Gutenberg's licence.

    Raises:
        TextError: a file cannot be read or decoded.
        ConfigError: Python does not know the encoding.
    """
    for file in text_files(path):
        yield from without_licence(_raw_lines(file, encoding))


def read_paragraphs(path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """Paragraphs of prose, separated by blank lines, with inner line ends replaced by spaces.

    In a file without blank lines whose lines are not wrapped, each line is a paragraph. The end of
    a file ends a paragraph. Errors as in :func:`read_lines`.
    """
    for file in text_files(path):
        lines = without_licence(_raw_lines(file, encoding))
        head = _take(lines, _LOOK_AHEAD)
        every_line = chain(head, lines)
        if _one_paragraph_a_line(head):
            yield from (line.strip() for line in every_line if line.strip())
        else:
            yield from _join(every_line)


def read_units(kind: Kind, path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """Paragraphs of prose, or lines of text that is tokenized already."""
    return (read_lines if kind == "whitespace" else read_paragraphs)(path, encoding)


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


def _raw_lines(file: Path, encoding: str) -> Iterator[str]:
    """Unfiltered lines; pieces of a long line are joined once, so that time stays linear."""
    pieces: list[str] = []
    for text in _decoded(file, encoding):
        first, *others = text.split("\n")
        pieces.append(first)
        if others:
            yield "".join(pieces)
            yield from others[:-1]
            pieces = [others[-1]]
    last = "".join(pieces)
    del pieces  # keeps one copy of a one-line text in memory, not two
    if last:
        yield last


def _decoded(file: Path, encoding: str) -> Iterator[str]:
    """The file's decompressed text in chunks, all line ends LF."""
    decoder = TextDecoder(display_name(file), encoding)
    try:
        with file.open("rb") as stream:
            compressed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if compressed else stream
            while chunk := source.read(_CHUNK):
                yield decoder.decode(chunk)
            yield decoder.decode(b"", final=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TextError(
            f"{display_name(file)}: the gzip file is damaged or cut short ({error}); fetch it again"
        ) from error
    except OSError as error:
        raise TextError(f"{display_name(file)}: cannot be read ({_reason(error)})") from error


_spooled: dict[str, Path] = {}


def spool(source: str) -> Path:
    """Copy ``source`` (``-``: standard input) to a file, once; later calls return the same file.

    The file is removed when the program ends. Raises OSError if it cannot be written.
    """
    if source not in _spooled:
        handle, name = tempfile.mkstemp(prefix="nextword-", suffix=".txt")
        atexit.register(_remove, name)
        with os.fdopen(handle, "wb") as copy:
            if source == "-":
                shutil.copyfileobj(sys.stdin.buffer, copy)
            else:
                with open(source, "rb") as stream:
                    shutil.copyfileobj(stream, copy)
        _spooled[source] = Path(name)
    return _spooled[source]


def display_name(file: Path) -> str:
    """The file as the user named it, with undecodable bytes replaced."""
    name = str(file)
    for source, copy in _spooled.items():
        if copy == file:
            name = "standard input" if source == "-" else source
    return name.encode("utf-8", "replace").decode()


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)
