"""Counts the n-grams of a text, in arrays.

An n-gram is a node of a tree: its parent is the n-gram without its last word. Within one length
nodes are numbered by parent, then by last word, so that the successors of a context are adjacent.

As in KenLM, the end of a line has two roles: as the last word it is ``</s>``, as the first word of
a longer n-gram it is ``<s>``. No n-gram spans it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nextword.text.vocabulary import END_ID


@dataclass(frozen=True, eq=False)
class Grams:
    """The n-grams of one length, in node order; all arrays ``(n-grams,)``."""

    parents: NDArray[np.int64]
    """Node of the context among the n-grams one word shorter."""
    words: NDArray[np.int32]
    """The last word."""
    counts: NDArray[np.int64]
    begins_line: NDArray[np.bool_]
    """Whether the first word is the end of the previous line, which nothing can precede."""


def count_grams(
    ids: NDArray[np.integer], vocabulary_size: int, order: int
) -> Iterator[tuple[Grams, int]]:
    """The n-grams of length 1, 2, ... ``order`` with their adjusted counts.

    The adjusted count of the longest n-grams, and of those that begin a line, is the number of
    occurrences; of the others the number of distinct preceding words (Kneser and Ney, 1995). The
    n-grams of length 1 are all words of the vocabulary, also those that never occur.

    Args:
        ids: word ids ``(time,)``; read as if a line had ended before the first.
        vocabulary_size: all ids are below it.
        order: the greatest length.

    Yields:
        n-grams and the number of n-grams one word shorter, which are their contexts.
    """
    stream = np.concatenate([[END_ID], ids.astype(np.int64)])
    # for each position, the node of the n-gram of the current length that ends there, or -1
    nodes = stream
    grams, contexts = _unigrams(stream[1:], vocabulary_size), 1
    for length in range(2, order + 1):
        extensible = nodes[:-1] >= 0
        if length > 2:
            extensible &= stream[:-1] != END_ID
        longer, longer_nodes = _extend(grams, nodes, stream, extensible, vocabulary_size)
        distinct = _distinct_left(longer_nodes, nodes, len(longer.words), len(grams.words))
        if length > 2:
            distinct = np.where(grams.begins_line, grams.counts, distinct)
        yield replace(grams, counts=distinct), contexts
        grams, nodes, contexts = longer, longer_nodes, len(grams.words)
    yield grams, contexts


def _unigrams(words: NDArray[np.int64], vocabulary_size: int) -> Grams:
    every = np.arange(vocabulary_size)
    return Grams(
        np.zeros(vocabulary_size, dtype=np.int64),
        every.astype(np.int32),
        np.bincount(words, minlength=vocabulary_size),
        every == END_ID,
    )


def _extend(
    grams: Grams,
    nodes: NDArray[np.int64],
    stream: NDArray[np.int64],
    extensible: NDArray[np.bool_],
    vocabulary_size: int,
) -> tuple[Grams, NDArray[np.int64]]:
    """The n-grams one word longer with their occurrences, and the node at each position."""
    keys = nodes[:-1][extensible] * vocabulary_size + stream[1:][extensible]
    unique, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    longer_nodes = np.full_like(nodes, -1)
    longer_nodes[1:][extensible] = inverse
    parents, words = np.divmod(unique, vocabulary_size)
    longer = Grams(parents, words.astype(np.int32), counts, grams.begins_line[parents])
    return longer, longer_nodes


def _distinct_left(
    longer_nodes: NDArray[np.int64], nodes: NDArray[np.int64], longer: int, shorter: int
) -> NDArray[np.int64]:
    """The number of distinct words before each shorter n-gram, ``(shorter,)``."""
    present = longer_nodes >= 0
    without_first = np.empty(longer, dtype=np.int64)
    without_first[longer_nodes[present]] = nodes[present]
    return np.bincount(without_first, minlength=shorter)
