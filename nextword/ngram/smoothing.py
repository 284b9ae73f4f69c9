"""Interpolated modified Kneser-Ney smoothing (Chen and Goodman, 1998).

With ``c`` the adjusted count of a word after a context, ``D(c)`` the discount of such counts and
``c'`` the context without its first word::

    p(w | c) = (c(w) - D(c(w))) / total(c) + backoff(c) * p(w | c')

The back-off is the mass that the discounts removed, so that the sum over all words is one. Single
words back off to the uniform distribution over the vocabulary. These are the formulas of KenLM's
``lmplz`` (Heafield and others, 2013) without pruning.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nextword.ngram.counting import Grams, count_grams
from nextword.ngram.tree import Tree

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""For texts too small to estimate discounts, as in ``lmplz --discount_fallback``."""


def discounts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The discounts of counts 0, 1, 2 and 3 or more, ``(4,)`` (Chen and Goodman, equation 26).

    Args:
        counts: adjusted counts of all n-grams of one length.
    """
    of_counts = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].astype(np.float64)
    fallback = np.array([0, *FALLBACK_DISCOUNTS])
    if not of_counts[:3].all():
        return fallback
    times = np.arange(1, 4)
    common = of_counts[0] / (of_counts[0] + 2 * of_counts[1])
    estimated = times - (times + 1) * common * of_counts[1:] / of_counts[:3]
    # a discount of zero could leave no mass for unseen words
    if ((estimated <= 0) | (estimated > times)).any():
        return fallback
    return np.array([0, *estimated])


def fit_tree(
    ids: NDArray[np.integer],
    vocabulary_size: int,
    order: int,
    progress: Callable[[int], object] | None = None,
) -> Tree:
    """Count and smooth the n-grams of a text; see :class:`~nextword.ngram.model.NgramModel`."""
    levels: list[Grams] = []
    shares, backoffs, totals = [], [], []
    for length, (grams, contexts) in enumerate(count_grams(ids, vocabulary_size, order), start=1):
        share, backoff, total = _smooth(grams, contexts)
        if length == 1:
            share += backoff / vocabulary_size
        else:
            backoffs.append(backoff)
        levels.append(grams)
        shares.append(share)
        totals.append(total)
        if progress is not None:
            progress(length)
    words = [grams.words for grams in levels[1:]]
    return Tree(
        sizes=tuple(len(grams.words) for grams in levels),
        unigrams=_float32(shares[:1]),
        words=np.concatenate([np.empty(0, np.int32), *words]),
        shares=_float32(shares[1:]),
        offsets=_offsets(levels),
        backoffs=_float32(backoffs),
        totals=_float32(totals),
    )


def _smooth(
    grams: Grams, contexts: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Discounted shares ``(n-grams,)``, then back-offs and totals ``(contexts,)``."""
    discount = discounts(grams.counts)[np.minimum(grams.counts, 3)]
    total = np.bincount(grams.parents, grams.counts, minlength=contexts).astype(np.float64)
    taken = np.bincount(grams.parents, discount, minlength=contexts)
    # a context without successors, such as the last words of a text, backs off entirely
    backoff = np.divide(taken, total, out=np.ones(contexts), where=total > 0)
    share = (grams.counts - discount) / np.maximum(total, 1)[grams.parents]
    return share, backoff, total


def _offsets(levels: list[Grams]) -> NDArray[np.int32] | NDArray[np.int64]:
    """The index of each context's first successor among all n-grams of two words or more."""
    sizes = [len(grams.words) for grams in levels]
    successors = [
        np.bincount(longer.parents, minlength=size)
        for size, longer in zip(sizes, levels[1:], strict=False)
    ]
    offsets = np.concatenate([[0], *successors]).cumsum(dtype=np.int64)
    return offsets.astype(np.int32) if offsets[-1] < 2**31 else offsets


def _float32(parts: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    return np.concatenate([np.empty(0, np.float32), *parts], dtype=np.float32)
