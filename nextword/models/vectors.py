"""Pretrained word vectors: word2vec (text or binary) and GloVe files, gzipped or not.

The formats are those that the programs of Mikolov and others (2013) and of Pennington and others
(2014) write. A file is streamed, and only the vectors of the words asked for are kept.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nextword.errors import TextError

Row = NDArray[np.float32]
_Stream = BinaryIO | gzip.GzipFile

_SAMPLE = 1 << 20
"""Bytes from which the format is recognised, and bytes read at a time."""
_LARGEST_SIZE = 65_536
"""Most numbers of a vector; a larger one in a header means that it is no header."""
_LONGEST_WORD = 65_536
_HEADER = re.compile(rb"([0-9]{1,18})[ \t]+([0-9]{1,18})\s*")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]")
_LARGEST_NUMBER = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class FoundVectors:
    """The vectors that a file has for some requested words."""

    matrix: Row
    """``(found, size)``."""
    ids: NDArray[np.int64]
    """``(found,)``: indices in the list of requested words, ascending."""
    size: int
    """Numbers in a vector."""
    total: int
    """Vectors in the file."""
    asked: int
    """Number of requested words."""

    @property
    def share(self) -> float:
        """Share of the requested words that were found, 0 to 1."""
        return len(self.ids) / self.asked if self.asked else 0.0


def read_vectors(path: Path, words: Sequence[str]) -> FoundVectors:
    """The vectors of ``words``, looked up as they are, else in lower case.

    The first of repeated entries counts. Every row must have the right length; its numbers are
    parsed only if it is kept.

    Raises:
        TextError: the file is invalid; the message names the line or entry and the remedy.
    """
    try:
        return _read(path, words)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TextError(f"{path}: damaged or cut off gzip ({error}); fetch it again") from None
    except OSError as error:
        raise TextError(f"{path}: cannot be read: {error.strerror or error}") from None


def _read(path: Path, words: Sequence[str]) -> FoundVectors:
    with _open(path) as stream:
        sample = stream.read(_SAMPLE)
    layout = _layout(path, sample)
    exact = [word.encode("utf-8", "surrogatepass") for word in words]
    lower = [word.lower().encode("utf-8", "surrogatepass") for word in words]
    kept: dict[bytes, Row] = {}
    with _open(path) as stream:
        entries = _binary_rows if layout.binary else _text_rows
        total = 0
        for word, row in entries(path, stream, layout, {*exact, *lower}):
            total += 1
            if row is not None:
                kept.setdefault(word, row)
    rows = [kept.get(word, kept.get(low)) for word, low in zip(exact, lower, strict=True)]
    found = [(i, row) for i, row in enumerate(rows) if row is not None]
    matrix = np.empty((len(found), layout.size), dtype=np.float32)
    for i, (_, row) in enumerate(found):
        matrix[i] = row
    ids = np.array([i for i, _ in found], dtype=np.int64)
    return FoundVectors(matrix, ids, layout.size, total, len(words))


def _open(path: Path) -> _Stream:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"PK\x03\x04":
        raise TextError(f"{path}: is a zip archive; unpack it and give the file inside")
    if start[:2] == b"\x1f\x8b":
        return gzip.open(path, "rb")
    return path.open("rb")


@dataclass(frozen=True)
class _Layout:
    size: int
    count: int | None
    """Vectors that the header announces; None without a header (GloVe)."""
    binary: bool


def _layout(path: Path, sample: bytes) -> _Layout:
    """The layout according to the first bytes. Raises TextError for an unknown format."""
    if not sample.strip():
        raise TextError(f"{path}: is empty; wanted word vectors (word2vec or GloVe)")
    first, _, rest = sample.partition(b"\n")
    if header := _HEADER.fullmatch(first):
        count, size = int(header[1]), int(header[2])
        if not 1 <= size <= _LARGEST_SIZE or count == 0:
            raise TextError(
                f"{path}: line 1: announces {count} vectors of {size} numbers, which cannot be; "
                f"wanted at least one vector of 1 to {_LARGEST_SIZE} numbers"
            )
        return _Layout(size, count, _looks_binary(rest, size))
    lines = sample.split(b"\n") if len(sample) < _SAMPLE else sample.split(b"\n")[:-1]
    # words may hold spaces or be numbers, rows may be damaged: the most common size counts
    sizes = Counter(size for line in lines[:50] if (size := _numbers_at_end(line)) > 0)
    if not sizes:
        raise TextError(
            f"{path}: is neither word2vec nor GloVe: line 1 is not a word followed by numbers"
        )
    return _Layout(max(sizes, key=lambda size: (sizes[size], size)), None, False)


def _looks_binary(rest: bytes, size: int) -> bool:
    """Whether bytes, not digits, follow the first word; ``rest`` starts after the header."""
    line, newline, _ = rest.lstrip(b"\r\n").partition(b"\n")
    values = line.split()[1:] if newline or len(rest) < _SAMPLE else line.split()[1:-1]
    if values and all(map(_is_number, values)):
        return False
    _, _, bytes_of_row = rest.partition(b" ")
    return _CONTROL.search(bytes_of_row[: 4 * size]) is not None


def _numbers_at_end(line: bytes) -> int:
    """The number of numbers at the end of the line, after at least one word."""
    fields = line.split()
    count = 0
    while count < len(fields) - 1 and _is_number(fields[-1 - count]):
        count += 1
    return count


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _text_rows(
    path: Path, stream: _Stream, layout: _Layout, wanted: Collection[bytes]
) -> Iterator[tuple[bytes, Row | None]]:
    """Every word with its vector, or with None where it is not ``wanted``."""
    limit = _LONGEST_WORD + 64 * layout.size
    number = rows = 0
    while line := stream.readline(limit):
        number += 1
        location = f"{path}: line {number}"
        if len(line) == limit:
            raise TextError(f"{location}: is longer than any vector of {layout.size} numbers")
        if (number == 1 and layout.count is not None) or not line.strip():
            continue
        word, values = _split(line, layout.size, location)
        rows += 1
        if layout.count is not None and rows > layout.count:
            raise TextError(
                f"{location}: line 1 announces {layout.count} vectors, here is one more; "
                "correct line 1 or fetch the file again"
            )
        yield word, _parsed(values.split(), layout.size, location) if word in wanted else None
    if layout.count is not None and rows < layout.count:
        raise TextError(
            f"{path}: line 1 announces {layout.count} vectors, {rows} follow; the file is cut "
            "off, fetch it again"
        )


def _split(line: bytes, size: int, location: str) -> tuple[bytes, bytes]:
    """The word, which may hold spaces, and the text of its ``size`` numbers."""
    line = line.rstrip()
    word, _, values = line.partition(b" ")
    if word and values.count(b" ") == size - 1 and b"  " not in values and b"\t" not in values:
        return word, values
    parts = line.rsplit(None, size)
    if len(parts) <= size:
        held = max(len(parts) - 1, 0)
        raise TextError(
            f"{location}: has {held} numbers instead of {size}; correct or remove the line"
        )
    word = parts[0].strip()
    last = word.split()[-1]
    if last != word and _is_number(last) and math.isfinite(float(last)):
        held = size + _numbers_at_end(word)
        raise TextError(
            f"{location}: has {held} numbers instead of {size}; correct or remove the line"
        )
    return word, b" ".join(parts[1:])


def _parsed(fields: list[bytes], size: int, location: str) -> Row:
    if len(fields) != size:  # separated by white space other than blanks
        held = len(fields)
        raise TextError(
            f"{location}: has {held} numbers instead of {size}; correct or remove the line"
        )
    try:
        row = np.array([float(field) for field in fields])
    except ValueError:
        wrong = next(field for field in fields if not _is_number(field))
        text = wrong[:40].decode("utf-8", "replace")
        raise TextError(
            f"{location}: {text!r} is not a number; correct or remove the line"
        ) from None
    return _checked(row, location, "line")


def _checked(row: NDArray[np.float64] | Row, location: str, unit: str) -> Row:
    """The row as float32. Raises TextError for a number that is not finite in float32."""
    bad = ~(np.abs(row) <= _LARGEST_NUMBER)
    if bad.any():
        value = row[bad][0]
        raise TextError(f"{location}: {value} is not a finite 32-bit number; remove the {unit}")
    return row.astype(np.float32)


def _binary_rows(
    path: Path, stream: _Stream, layout: _Layout, wanted: Collection[bytes]
) -> Iterator[tuple[bytes, Row | None]]:
    """As :func:`_text_rows`, from word, space and little-endian float32 numbers."""
    assert layout.count is not None
    width = 4 * layout.size
    stream.readline()
    buffer, start = b"", 0
    for entry in range(1, layout.count + 1):
        location = f"{path}: entry {entry} of {layout.count}"
        while (space := buffer.find(b" ", start)) < 0 or len(buffer) < space + 1 + width:
            if space < 0 and len(buffer) - start > _LONGEST_WORD:
                raise TextError(f"{location}: no word ends here; this is no word2vec file")
            chunk = stream.read(_SAMPLE)
            if not chunk:
                raise TextError(f"{location}: the file is cut off here; fetch it again")
            buffer, start = buffer[start:] + chunk, 0
        word = buffer[start:space].lstrip(b"\n")
        start = space + 1 + width
        if word not in wanted:
            yield word, None
            continue
        row = np.frombuffer(buffer, dtype="<f4", count=layout.size, offset=space + 1)
        yield word, _checked(row, location, "entry")
    if (buffer[start:] + stream.read(_SAMPLE)).strip():
        raise TextError(
            f"{path}: more follows the {layout.count} vectors that its first line announces; "
            "fetch it again"
        )
