"""The words most similar to a word: nearest vectors in a network's embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.errors import NextwordError
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.sampling import top_words
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import SPECIAL_WORDS

_SHORTEST = 1e-12
"""A vector shorter than this counts as this long, so that none is divided by zero."""


@dataclass(frozen=True)
class Neighbour:
    """A word similar to another."""

    word: str
    """As the vocabulary spells it."""
    similarity: float
    """The cosine of the angle between the two vectors, from -1 to 1."""


def word_id(tokenizer: Tokenizer, word: str) -> int:
    """The id of a typed word, or of the one that differs only in typesetting or case.

    Raises:
        NextwordError: the vocabulary lacks it; the message suggests near spellings.
    """
    match = tokenizer.find(word)
    if match.id >= len(SPECIAL_WORDS):
        return match.id
    close = tokenizer.matcher.suggestions(match.typed)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise NextwordError(f"not in the vocabulary: {word}{hint}")


def nearest(
    vectors: NDArray[np.floating], target: NDArray[np.floating], exclude: Sequence[int], k: int
) -> list[tuple[int, float]]:
    """The ids nearest to a vector and their cosines, the nearest first.

    Args:
        vectors: ``(vocabulary, size)``.
        target: ``(size,)``.
        exclude: ids to leave out, besides the special words.
        k: number of neighbours.
    """
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(target)
    cosines = vectors @ target / np.maximum(lengths, _SHORTEST)
    ids = np.arange(len(SPECIAL_WORDS), len(vectors))
    return top_words(cosines, ids[~np.isin(ids, exclude)], k)


def similar(loaded: LoadedModel, word: str, k: int) -> list[Neighbour]:
    """The ``k`` words nearest to a word."""
    vectors, number = loaded.word_vectors(), word_id(loaded.tokenizer, word)
    neighbours = nearest(vectors, vectors[number], [number], k)
    return [Neighbour(loaded.tokenizer.words[i], cosine) for i, cosine in neighbours]


def analogy(loaded: LoadedModel, a: str, b: str, c: str, k: int) -> list[Neighbour]:
    """Words that are to ``c`` as ``b`` is to ``a``: nearest to b - a + c, none of the three.

    Vectors have length one before they are added (Mikolov and others, 2013).
    """
    vectors = loaded.word_vectors()
    ids = [word_id(loaded.tokenizer, word) for word in (a, b, c)]
    own = vectors[ids]
    first, second, third = own / np.maximum(np.linalg.norm(own, axis=1), _SHORTEST)[:, None]
    neighbours = nearest(vectors, second - first + third, ids, k)
    return [Neighbour(loaded.tokenizer.words[i], cosine) for i, cosine in neighbours]


def principal_plane(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points on the plane in which vectors differ most (principal components).

    The sign of an axis is chosen so that its farthest point is on the positive side.

    Args:
        vectors: ``(points, size)``, at least one point.

    Returns:
        Coordinates ``(points, 2)``, each column with mean zero.
    """
    centred = vectors.astype(np.float64) - vectors.astype(np.float64).mean(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(vectors), 2))
    axes = min(2, len(values))
    plane[:, :axes] = left[:, :axes] * values[:axes]
    farthest = plane[np.abs(plane).argmax(0), [0, 1]]
    return np.where(farthest < 0, -plane, plane)
