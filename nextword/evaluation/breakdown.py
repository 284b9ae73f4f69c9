"""Where a model is good and where it is not: by how often a word was read, where it stands, which
it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.perplexity import perplexity
from nextword.text.vocabulary import END_ID, UNKNOWN_ID

FREQUENCIES = (1, 10, 100, 1000)
"""Where bands of words begin, by how often the training part has them."""
POSITIONS = (1, 2, 6, 11, 21, 51)
"""Where bands of places begin, by words since the beginning of the paragraph or line."""
COSTLIEST = 20
"""Words that are named for what they cost."""


@dataclass(frozen=True)
class Band:
    """Some of a text's places."""

    band: str
    """Which, such as ``10-99``."""
    tokens: int
    """How many."""
    perplexity: float
    """Over them alone; NaN where there are none."""
    standard_error: float | None
    """Of the perplexity; None where there are too few."""


@dataclass(frozen=True)
class Cost:
    """What all occurrences of a word cost together."""

    word: str
    times: int
    """How often it stands in the text."""
    bits: float
    """Surprisal of all its occurrences."""
    mean_bits: float


def by_frequency(
    words: NDArray[np.integer], surprisals: NDArray[np.floating], counts: NDArray[np.integer]
) -> list[Band]:
    """Perplexity by how often the training part has a word; unknown words are a band of their own.

    Args:
        words: ids of the words that came, ``(places,)``.
        surprisals: of each in nats, ``(places,)``.
        counts: how often each word was read in training, ``(vocabulary,)``.
    """
    unknown = words == UNKNOWN_ID
    value, error = perplexity(surprisals, unknown)
    first = Band("unknown", int(unknown.sum()), value, error)
    # a known word was read at least once, whatever a foreign model's counts say
    read = np.where(unknown, 0, np.maximum(counts[words], 1))
    return [first, *_bands(read, FREQUENCIES, surprisals)]


def by_position(words: NDArray[np.integer], surprisals: NDArray[np.floating]) -> list[Band]:
    """Perplexity by how many words of its paragraph or line a word stands behind.

    Args:
        words: ids of the words that came, ``(places,)``.
        surprisals: of each in nats, ``(places,)``.
    """
    return _bands(positions(words), POSITIONS, surprisals)


def positions(words: NDArray[np.integer]) -> NDArray[np.int64]:
    """Each word's number in its paragraph or line, from 1 on; the end is counted too."""
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
    """The words that cost most bits in total, the costliest first.

    Args:
        words: ids of the words that came, ``(places,)``.
        surprisals: of each in nats, ``(places,)``.
        vocabulary: the words by their ids.
        most: how many are named.
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
    found = []
    for begin, next_one in zip(begins, [*begins[1:], None], strict=True):
        if next_one is None:
            name, mine = f"{begin}+", numbers >= begin
        else:
            name = str(begin) if next_one == begin + 1 else f"{begin}-{next_one - 1}"
            mine = (numbers >= begin) & (numbers < next_one)
        found.append(Band(name, int(mine.sum()), *perplexity(surprisals, mine)))
    return found
