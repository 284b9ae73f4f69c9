"""Perplexity by word frequency and by position, and the words with the most bits in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.statistics import perplexity
from nextword.text.vocabulary import END_ID, UNKNOWN_ID

FREQUENCIES = (1, 10, 100, 1000)
"""Lower bounds of the bands, in occurrences in the training part."""
POSITIONS = (1, 2, 6, 11, 21, 51)
"""Lower bounds of the bands, in words since the beginning of the paragraph or line."""
COSTLIEST = 20
"""Number of words listed."""


@dataclass(frozen=True)
class Band:
    """The positions of a text within a range of frequencies or of positions in a paragraph."""

    band: str
    """The range, such as ``10-99``."""
    tokens: int
    """The number of positions."""
    perplexity: float
    """Over these positions; NaN if there are none."""
    standard_error: float | None
    """Of the perplexity; None if there are too few positions."""


@dataclass(frozen=True)
class Cost:
    """The surprisal of all occurrences of a word together."""

    word: str
    times: int
    """Occurrences in the text."""
    bits: float
    """The sum of their surprisals."""
    mean_bits: float


def by_frequency(
    words: NDArray[np.integer], surprisals: NDArray[np.floating], counts: NDArray[np.integer]
) -> list[Band]:
    """Perplexity by frequency in the training part; unknown words are a band of their own.

    Args:
        words: word ids, ``(positions,)``.
        surprisals: of the words in nats, ``(positions,)``.
        counts: occurrences of each word in the training part, ``(vocabulary,)``.
    """
    unknown = words == UNKNOWN_ID
    value, error = perplexity(surprisals, unknown)
    first = Band("unknown", int(unknown.sum()), value, error)
    # a known word occurred at least once, whatever the counts of an imported model say
    frequencies = np.where(unknown, 0, np.maximum(counts[words], 1))
    return [first, *_bands(frequencies, FREQUENCIES, surprisals)]


def by_position(words: NDArray[np.integer], surprisals: NDArray[np.floating]) -> list[Band]:
    """Perplexity by the word's number in its paragraph or line.

    Args:
        words: word ids, ``(positions,)``.
        surprisals: of the words in nats, ``(positions,)``.
    """
    return _bands(positions(words), POSITIONS, surprisals)


def positions(words: NDArray[np.integer]) -> NDArray[np.int64]:
    """Each word's number in its paragraph or line, starting at 1; the end counts, too."""
    numbers = np.arange(len(words), dtype=np.int64)
    begins = np.concatenate([[True], words[:-1] == END_ID])
    first: NDArray[np.int64] = np.maximum.accumulate(np.where(begins[: len(words)], numbers, 0))
    return numbers - first + 1


def costliest(
    words: NDArray[np.integer],
    surprisals: NDArray[np.floating],
    vocabulary: Sequence[str],
    most: int = COSTLIEST,
) -> list[Cost]:
    """The words with the most bits in total, the costliest first.

    Args:
        words: word ids, ``(positions,)``.
        surprisals: of the words in nats, ``(positions,)``.
        vocabulary: the words in id order.
        most: number of words to list.
    """
    times = np.bincount(words)
    bits = np.bincount(words, np.asarray(surprisals, dtype=np.float64)) / np.log(2)
    order = np.argsort(-bits, kind="stable")[:most]
    return [
        Cost(vocabulary[i], int(times[i]), float(bits[i]), float(bits[i] / times[i]))
        for i in order.tolist()
        if times[i]
    ]


def _bands(
    numbers: NDArray[np.integer], begins: Sequence[int], surprisals: NDArray[np.floating]
) -> list[Band]:
    bands = []
    for begin, next_begin in zip(begins, [*begins[1:], None], strict=True):
        if next_begin is None:
            name, inside = f"{begin}+", numbers >= begin
        else:
            name = str(begin) if next_begin == begin + 1 else f"{begin}-{next_begin - 1}"
            inside = (numbers >= begin) & (numbers < next_begin)
        bands.append(Band(name, int(inside.sum()), *perplexity(surprisals, inside)))
    return bands
