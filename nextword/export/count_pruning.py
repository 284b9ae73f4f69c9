"""Prune a tree of n-grams by how often they occurred in the text.

A fitted tree does not hold counts but discounted shares, ``(c - D(c)) / total``. The discount
``D(c)`` depends only on the length and on whether ``c`` is 1, 2 or more, and what all successors of
a context lost together is ``backoff * total``; so a few contexts give the discounts away, and with
them every share its count. Of the shorter n-grams that is in how many contexts they stand (Kneser
and Ney, 1995); how often they occurred is the sum over the n-grams that are one word longer at the
front. All counts are whole numbers whose sums are known: where they do not come out exactly, as
for n-grams that were pruned before or counted elsewhere, nothing is pruned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ConfigError, ModelError
from nextword.export.prune import subtree
from nextword.export.suffixes import context_nodes, levels, suffix_nodes
from nextword.ngram.smoothing import FALLBACK_DISCOUNTS
from nextword.ngram.tree import Tree
from nextword.text.vocabulary import END_ID

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
_TOLERANCE = 0.01
"""How far a count may be from a whole number. Float32 keeps small counts much closer."""
_FEW = 8
"""Small shares of different size from which discounts are guessed, at most."""
_GREATEST = 10_000
"""Counts up to this are checked to be whole; the rounding of greater ones may exceed the
tolerance."""


def prune_counts(tree: Tree, thresholds: Sequence[int]) -> Tree:
    """The tree without n-grams that occurred rarely, as ``lmplz --prune`` leaves them out.

    Args:
        tree: as fitted.
        thresholds: for n-grams of 1, 2, ... words: those that occurred at most so often go. The
            last one is for all longer ones, too.

    Raises:
        ConfigError: the thresholds fall, or ask for single words.
        ModelError: the counts are not known.
    """
    if list(thresholds) != sorted(thresholds) or any(thresholds[:1]):
        raise ConfigError(
            "prune: thresholds begin with 0, for single words, and never fall, such as 0,1,2"
        )
    counts, kept = occurrences(tree), np.ones(sum(tree.sizes), dtype=np.bool_)
    for length, level in enumerate(levels(tree)):
        if length:
            kept[level] = counts[level] > thresholds[min(length, len(thresholds) - 1)]
    return subtree(tree, kept, context_nodes(tree))


def occurrences(tree: Tree) -> Counts:
    """How often each n-gram occurred in the text, ``(nodes,)``; -1 for single words.

    Raises:
        ModelError: the tree was not counted, or not by this program, or was pruned.
    """
    contexts, suffixes = context_nodes(tree), suffix_nodes(tree)
    begins_line = np.arange(len(contexts)) == END_ID
    counts = np.full(len(contexts), -1)
    for level in levels(tree)[1:]:
        begins_line[level] = begins_line[contexts[level]]
        counts[level] = _adjusted_counts(tree, level, contexts[level])
    longer = slice(0, 0)
    for level in reversed(levels(tree)[1:]):
        if longer.stop and level.stop > level.start:
            ends = suffixes[longer] - level.start
            whole = np.bincount(ends, counts[longer], minlength=level.stop - level.start)
            counts[level] = np.where(begins_line[level], counts[level], whole.astype(np.int64))
        longer = level
    return counts


def _adjusted_counts(tree: Tree, level: slice, contexts: Counts) -> Counts:
    """The counts that the smoothing used for the n-grams of one length."""
    size = tree.vocabulary_size
    totals = tree.totals[1:].astype(np.float64)
    shares = tree.shares[level.start - size : level.stop - size] * totals[contexts]
    for discounts in _possible_discounts(shares, contexts, totals, tree.backoffs * totals):
        counts = _nearest_counts(shares, discounts)
        inexact = np.abs(shares - counts + _of(counts, discounts)) > _TOLERANCE
        sums = np.bincount(contexts, counts, minlength=len(totals))
        if not (inexact & (counts < _GREATEST)).any() and (sums == totals)[contexts].all():
            return counts
    raise ModelError(
        "the model's n-grams cannot be pruned by their counts, which are not known: they were "
        "pruned before, or counted by another program; limit their number instead"
    )


def _possible_discounts(
    shares: Floats, contexts: Counts, totals: Floats, lost: Floats
) -> Iterator[Floats]:
    """Discounts of counts of 1, 2 and more, the most likely ones first.

    Args:
        shares: discounted counts, ``(n-grams,)``.
        contexts: the context of each, ``(n-grams,)``.
        totals: the sums of counts, ``(contexts,)``.
        lost: the sums of discounts, ``(contexts,)``.
    """
    sizes = np.bincount(contexts, minlength=len(totals))
    single = sizes == 1
    once = (sizes > 0) & (totals == sizes)
    known = (
        (lost / np.maximum(sizes, 1))[once],  # all successors occurred once
        lost[single & (totals == 2)],
        lost[single & (totals > 2)],
    )
    # where no context gives a discount away, a small or a great share may be of such a count
    small = np.unique(shares[shares < 2].round(3))
    small = small if len(small) <= _FEW else small[:0]
    greatest = -shares.max(initial=0) % 1 + np.arange(3)
    guesses = (1 - small[small < 1], 2 - small, greatest)
    choices = [
        [np.median(given)] if len(given) else [*guessed.tolist(), usual]
        for given, guessed, usual in zip(known, guesses, FALLBACK_DISCOUNTS, strict=True)
    ]
    yield from map(np.array, product(*choices))


def _of(counts: Counts, discounts: Floats) -> Floats:
    """The discount of each count, all above zero."""
    values: Floats = discounts[np.minimum(counts, 3) - 1]
    return values


def _nearest_counts(shares: Floats, discounts: Floats) -> Counts:
    """The whole number that each discounted count stems from, at least 1."""
    more = np.maximum(np.rint(shares + discounts[2]), 3)
    candidates = np.stack([np.ones_like(more), np.full_like(more, 2), more])
    distances = np.abs(shares - candidates + discounts[:, None])
    nearest = np.take_along_axis(candidates, distances.argmin(0)[None], 0)[0]
    counts: Counts = nearest.astype(np.int64)
    return counts
