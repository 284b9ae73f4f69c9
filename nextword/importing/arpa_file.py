"""Reads ARPA text as KenLM, SRILM and others write it.

Accepted: any text before ``\\data\\``, blank lines, tabs or spaces, CRLF, gzip, missing back-off
weights, counts that are wrong, and files without ``<unk>``, ``<s>`` or ``</s>``. What these words
mean, and their counterparts here: :mod:`nextword.export.arpa`.
"""

from __future__ import annotations

import gzip
import re
import zlib
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.config.architecture import GREATEST
from nextword.config.types import text_codec
from nextword.errors import ConfigError, ModelError
from nextword.text.vocabulary import END, END_ID, SPECIAL_WORDS, UNKNOWN

LONGEST_LINE = 1 << 16
"""Bytes of a line, at most."""
LONGEST_PREAMBLE = 1000
"""Lines before the data, at most."""
GREATEST_LOG_BACKOFF = 50.0
"""The greatest logarithm to base 10 that is taken for a back-off weight."""
ROUNDING = 1e-3
"""How far above zero, by rounding, the logarithm of a probability may be."""
BEGIN, BEGIN_ID = "<s>", -1
"""The begin of a line; the id is used only until the roles of the words are checked."""
_CANONICAL = {b"</s>": END, b"<UNK>": UNKNOWN}
_ASCII = "\\1-grams: \t\n"
_GZIP, _BYTE_ORDER_MARK = b"\x1f\x8b", b"\xef\xbb\xbf"
_COUNT = re.compile(rb"ngram\s+(\d+)\s*=\s*(\d+)")
_LINES_BETWEEN_REPORTS = 1 << 14

Progress = Callable[[int, int], object]
Floats = NDArray[np.float64]
Entry = tuple[int, float, list[bytes], float]
"""The number of a line, and what it says: log-probability, words, logarithm of the weight."""


class NgramTable(NamedTuple):
    """The n-grams of one length, in the file's order."""

    words: NDArray[np.int64]
    """``(n-grams, length)``."""
    log_probabilities: Floats
    """``(n-grams,)``, to base 10."""
    log_backoffs: Floats
    """``(n-grams,)``, to base 10; 0 where the file has none."""
    lines: NDArray[np.int64]
    """``(n-grams,)``: where each stands in the file."""


class ArpaFile(NamedTuple):
    """The content of a file, both ends of a line as one word."""

    words: list[str]
    """The vocabulary: the special words, then by falling probability."""
    log_probabilities: Floats
    """``(vocabulary,)``, to base 10; minus infinity for special words that the file lacks."""
    log_backoffs: Floats
    """``(vocabulary,)``, to base 10."""
    tables: list[NgramTable]
    """The n-grams of two words, of three, and so on."""
    notes: list[str]
    """What a user should know about the file, a line each."""


def read_arpa(
    path: Path, encoding: str = "utf-8", progress: Progress = lambda done, total: None
) -> ArpaFile:
    """Read a file.

    Args:
        path: may be compressed by gzip.
        encoding: of its words; one in which ASCII is ASCII.
        progress: called with the number of bytes read, and of all.

    Raises:
        ModelError: it cannot be read or is malformed; the message names the line.
        ConfigError: there is no such encoding.
    """
    text_codec(encoding)
    if _ASCII.encode(encoding) != _ASCII.encode():
        raise ConfigError(f"encoding: {encoding} writes ASCII in its own way; convert the file")
    try:
        return _Reader(path, encoding, _lines(path, progress)).read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ModelError(f"{path}: is damaged or incomplete ({error})") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from error


def _lines(path: Path, progress: Progress) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, from 1 on."""
    with path.open("rb") as file:
        total = path.stat().st_size
        compressed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        read_line = partial(stream.readline, LONGEST_LINE)
        for number, line in enumerate(iter(read_line, b""), start=1):
            if len(line) == LONGEST_LINE:
                raise ModelError(f"{path}: line {number:,} is too long; this is no ARPA file")
            yield number, line
            if number % _LINES_BETWEEN_REPORTS == 0:
                progress(file.tell(), total)


class _Reader:
    """Reads the sections of a file one after the other.

    Args:
        path: of the file, for messages.
        encoding: of its words.
        lines: of the file, with their numbers.
    """

    def __init__(self, path: Path, encoding: str, lines: Iterator[tuple[int, bytes]]) -> None:
        self._path = path
        self._encoding = encoding
        self._lines = lines
        self._index: dict[bytes, int] = {}
        """The id of each word as the file spells it."""
        self._header = 0, b""
        """The number and the text of the line that ended the last section."""
        self._notes: list[str] = []

    def read(self) -> ArpaFile:
        """Everything.

        Raises:
            ModelError: the file is malformed.
        """
        counts = self._read_counts()
        words, logs, backoffs = self._read_words()
        tables: list[NgramTable] = []
        while self._header[1] != b"\\end\\":
            tables.append(self._read_ngrams(len(tables) + 2))
        found = [len(self._index), *(len(table.lines) for table in tables)]
        for length in sorted({*counts, *range(1, len(found) + 1)}):
            there = found[length - 1] if length <= len(found) else 0
            if counts.get(length) != there:
                claimed = f"{counts[length]:,}" if length in counts else "nothing"
                self._notes.append(
                    f"{length}-grams: the header says {claimed}, there are {there:,}"
                )
        kept = [self._within_lines(table) for table in tables]
        dropped = sum(found[1:]) - sum(len(table.lines) for table in kept)
        if dropped:
            self._notes.append(
                f"left out {dropped:,} n-grams in which </s> is not the last word or <s> not the "
                "first: no text has them"
            )
        while kept and not len(kept[-1].lines):
            kept.pop()
        return ArpaFile(words, logs, backoffs, kept, self._notes)

    def _error(self, number: int, problem: str) -> ModelError:
        return ModelError(f"{self._path}: line {number:,}: {problem}")

    def _shown(self, spelled: bytes) -> str:
        return f"'{spelled[:80].decode(self._encoding, 'replace')}'"

    def _read_counts(self) -> dict[int, int]:
        """The number of n-grams that the file claims, by their length."""
        for number, line in self._lines:
            if line.strip().removeprefix(_BYTE_ORDER_MARK) == b"\\data\\":
                break
            if number == LONGEST_PREAMBLE:
                raise ModelError(f"{self._path}: is no ARPA file, which begins with \\data\\")
        else:
            raise ModelError(f"{self._path}: is no ARPA file, which begins with \\data\\")
        counts: dict[int, int] = {}
        for number, line in self._lines:
            text = line.strip()
            if match := _COUNT.fullmatch(text):
                counts[int(match[1])] = int(match[2])
            elif text.startswith(b"\\"):
                self._header = number, text
                return counts
            elif text:
                raise self._error(number, f"is {self._shown(text)}, not 'ngram N=COUNT'")
        raise self._incomplete()

    def _incomplete(self) -> ModelError:
        return ModelError(f"{self._path}: is incomplete: its last line is not \\end\\")

    def _check_header(self, length: int) -> None:
        """Check that the last line read begins the n-grams of some length."""
        number, line = self._header
        if line != b"\\%d-grams:" % length:
            expected = f"'\\{length}-grams:'" + " or '\\end\\'" * (length > 1)
            raise self._error(number, f"is {self._shown(line)} where {expected} is expected")
        if length > GREATEST["order"]:
            raise self._error(number, f"n-grams of more than {GREATEST['order']} words")

    def _entries(self, length: int) -> Iterator[Entry]:
        """The n-grams of a section, up to the header of the next one."""
        self._check_header(length)
        for number, line in self._lines:
            fields = line.split()
            if not fields:
                continue
            if fields[0].startswith(b"\\"):
                self._header = number, line.strip()
                return
            if not 0 < len(fields) - length < 3:
                raise self._error(number, _count_problem(length, len(fields)))
            try:
                log = float(fields[0])
                backoff = float(fields[-1]) if len(fields) > length + 1 else 0.0
            except ValueError:
                raise self._error(number, "a probability or weight is no number") from None
            # NaN fails either comparison
            if not (log <= ROUNDING and backoff <= GREATEST_LOG_BACKOFF):
                raise self._error(number, "a probability or weight is out of range")
            yield number, min(log, 0.0), fields[1 : length + 1], backoff
        raise self._incomplete()

    def _read_words(self) -> tuple[list[str], Floats, Floats]:
        """The vocabulary with log-probabilities and logarithms of weights."""
        entries: dict[str, tuple[float, float]] = {}
        spellings: list[bytes] = []
        for number, log, (spelled,), backoff in self._entries(1):
            word = _CANONICAL.get(spelled) or self._decode(spelled, number)
            if word in entries:
                raise self._error(number, f"the word {self._shown(spelled)} is there twice")
            entries[word] = log, backoff
            spellings.append(spelled)
        numbered = dict(zip(entries, spellings, strict=True))
        begin = entries.pop(BEGIN, None)
        for word, name in ((UNKNOWN, "<unk>: unknown words"), (END, "</s>: ends of lines")):
            if word not in entries:
                self._notes.append(f"the file lacks {name} get no probability")
        ordinary = sorted(entries.keys() - {*SPECIAL_WORDS}, key=lambda w: (-entries[w][0], w))
        words = [*SPECIAL_WORDS, *ordinary]
        self._index = {numbered[word]: i for i, word in enumerate(words) if word in numbered}
        if BEGIN in numbered:
            self._index[numbered[BEGIN]] = BEGIN_ID
        pairs = np.array([entries.get(word, (-np.inf, 0.0)) for word in words])
        logs, backoffs = pairs.T.copy()
        if begin is not None:
            _, backoffs[END_ID] = begin
        if not np.isfinite(logs).any():
            raise ModelError(f"{self._path}: gives no word a probability")
        return words, logs, backoffs

    def _decode(self, spelled: bytes, number: int) -> str:
        try:
            return spelled.decode(self._encoding)
        except UnicodeError:
            problem = f"the word {self._shown(spelled)} is not {self._encoding}; name another"
            raise self._error(number, f"{problem} --encoding") from None

    def _read_ngrams(self, length: int) -> NgramTable:
        numbers, ids = array("q"), array("q")
        logs, backoffs = array("d"), array("d")
        id_of = self._index.__getitem__
        for number, log, words, backoff in self._entries(length):
            try:
                ids.extend(map(id_of, words))
            except KeyError as error:
                problem = f"the word {self._shown(error.args[0])} is not among the 1-grams"
                raise self._error(number, problem) from None
            numbers.append(number)
            logs.append(log)
            backoffs.append(backoff)
        table = np.array(ids, dtype=np.int64).reshape(-1, length)
        return NgramTable(table, np.array(logs), np.array(backoffs), np.array(numbers))

    def _within_lines(self, table: NgramTable) -> NgramTable:
        """The n-grams that a text can have, with both ends of a line as one word."""
        words = table.words.copy()
        possible = (words[:, 1:] != BEGIN_ID).all(1) & (words[:, 1:-1] != END_ID).all(1)
        if BEGIN.encode() in self._index:  # else one word may have both roles
            possible &= words[:, 0] != END_ID
        words[words == BEGIN_ID] = END_ID
        columns = (words, table.log_probabilities, table.log_backoffs, table.lines)
        return NgramTable(*(column[possible] for column in columns))


def _count_problem(length: int, fields: int) -> str:
    words = "1 word" if length == 1 else f"{length} words"
    return f"a probability, {words} and perhaps a weight are expected, not {fields} fields"
