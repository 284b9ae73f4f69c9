"""Word vectors to start from, out of the training text itself: what stands near what.

The positive pointwise mutual information of words and their neighbours, brought down to a few
hundred numbers a word by a truncated singular value decomposition (Levy and Goldberg, 2014;
Levy, Goldberg and Dagan, 2015). Seconds of work that save a network its first minute.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

REACH = 5
"""Neighbours on either side; one at distance d counts 1 / d."""
SMOOTHING = 0.75
"""Power of the neighbours' counts, which keeps rare ones from mattering most."""
MOST_WORDS = 2_000_000
"""Of a longer text, so many words in pieces from all over it are counted."""
PIECES = 100
EXTRA = 32
"""Directions that the search for the main ones uses besides (Halko and others, 2011)."""
ROUNDS = 3
"""Rounds of that search."""


def cooccurrence_vectors(
    ids: NDArray[np.integer], vocabulary_size: int, size: int, seed: int
) -> Tensor:
    """A vector of length one for each word, ``(vocabulary_size, size)``; zeros for unseen words.

    Args:
        ids: the training text ``(words,)``.
        vocabulary_size: words that have vectors.
        size: numbers in a vector.
        seed: of the search and of the order of the numbers.
    """
    drawn = torch.Generator().manual_seed(seed)
    ids = _sampled(ids)
    if len(ids) < 2:
        return torch.zeros(vocabulary_size, size)
    information = _information(ids, vocabulary_size)
    found = min(size, vocabulary_size)
    directions = torch.randn(vocabulary_size, min(size + EXTRA, vocabulary_size), generator=drawn)
    for _ in range(ROUNDS):
        directions, _ = torch.linalg.qr(information @ directions)
    turned, values, _ = torch.linalg.svd(directions.t() @ (information @ directions))
    turned = directions @ turned
    # what never stood beside anything has no direction, only rounding errors
    turned[information.crow_indices().diff() == 0] = 0
    vectors = torch.zeros(vocabulary_size, size)
    vectors[:, :found] = turned[:, :found] * values[:found].sqrt()
    # the numbers are sorted by how much they say; a network is better off without that order
    vectors = vectors[:, torch.randperm(size, generator=drawn)]
    return functional.normalize(vectors, dim=1)


def _sampled(ids: NDArray[np.integer]) -> NDArray[np.int64]:
    if len(ids) <= MOST_WORDS:
        return np.asarray(ids, dtype=np.int64)
    length = MOST_WORDS // PIECES
    starts = np.linspace(0, len(ids) - length, PIECES).astype(np.int64)
    return np.concatenate([ids[start : start + length] for start in starts]).astype(np.int64)


def _information(ids: NDArray[np.int64], vocabulary_size: int) -> Tensor:
    """The symmetric sparse matrix of positive pointwise mutual information."""
    pairs, counts = _neighbours(ids, vocabulary_size)
    words, others = np.divmod(pairs, vocabulary_size)
    totals = np.bincount(words, counts, vocabulary_size)
    shares = totals**SMOOTHING / (totals**SMOOTHING).sum()
    ratio = np.log(counts / (totals[words] * shares[others]))
    # neighbourhood is mutual, the smoothing is not: the mean of both ways round is
    back = np.log(counts / (totals[others] * shares[words]))
    values = np.maximum(ratio, 0) / 2 + np.maximum(back, 0) / 2
    kept = values > 0
    matrix = torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([words[kept], others[kept]])),
        torch.from_numpy(values[kept].astype(np.float32)),
        (vocabulary_size, vocabulary_size),
        is_coalesced=True,
        check_invariants=False,
    )
    with warnings.catch_warnings():
        # PyTorch calls the row format unfinished; it multiplies twice as fast
        warnings.simplefilter("ignore")
        return matrix.to_sparse_csr()


def _neighbours(
    ids: NDArray[np.int64], vocabulary_size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of words, as ``word * vocabulary_size + other`` in order, and their counts."""
    keys, weights = [], []
    for distance in range(1, REACH + 1):
        first, second = ids[:-distance], ids[distance:]
        for word, other in ((first, second), (second, first)):
            keys.append(word * vocabulary_size + other)
            weights.append(np.full(len(word), 1 / distance))
    pairs, places = np.unique(np.concatenate(keys), return_inverse=True)
    return pairs, np.bincount(places, np.concatenate(weights)).astype(np.float64)
