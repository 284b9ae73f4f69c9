"""A back-off model, in which each listed n-gram has a probability, as an interpolated tree.

The tree stores ``share = p - backoff * shorter``, where ``shorter`` is the probability after the
context without its first word. Nothing is lost where all shares of a context are at least zero and
sum, with its back-off, to one. Then probabilities change only by the rounding of the file.

Models that were not interpolated, such as Katz's, can give a listed word less than backing off
would. The tree cannot hold the negative share. Such a context gets the nearest distribution, in
relative entropy from the file's, that it can: these words get ``backoff * shorter`` like those that
are not listed, all other listed words keep their probability, and the back-off is what the sum of
one then leaves. Contexts whose probabilities do not sum to one get that back-off, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.importing.arpa_file import ArpaFile, NgramTable
from nextword.ngram.suffix_links import SuffixLinks
from nextword.ngram.tree import MISSING, Tree

Floats = NDArray[np.float64]
Nodes = NDArray[np.int64]
_ROUNDING = 1e-3
"""Relative difference that is taken for rounding, by programs that write four digits."""
_NOTHING = 1e-9
"""Less than this is no probability left, but the rounding of a sum."""


class Interpolated(NamedTuple):
    """The tree of a back-off model."""

    tree: Tree
    changed: int
    """The number of contexts whose distribution is not the file's."""
    word_total: float
    """The sum of the probabilities of single words in the file."""


def interpolate(file: ArpaFile) -> Interpolated:
    """The tree of a file.

    Raises:
        ModelError: an n-gram is there twice, or without its context; the message names the line.
    """
    size = len(file.words)
    links = SuffixLinks(size)
    unigrams = 10**file.log_probabilities
    word_total = float(unigrams.sum())
    probabilities = unigrams / word_total
    backoffs, given = np.empty(0), 10**file.log_backoffs
    shares, levels, changed = [np.empty(0)], [(np.empty(0, np.int64), np.empty(0, np.int64))], 0
    for table in file.tables:
        contexts, words, order = _sorted(links, table)
        found, weights = links.back_off(contexts, words, backoffs)
        shorter = weights * probabilities[found]
        level = _fit(10 ** table.log_probabilities[order], shorter, contexts - len(backoffs), given)
        backoffs = np.concatenate([backoffs, level.backoffs])
        probabilities = np.concatenate([probabilities, level.shares + backoffs[contexts] * shorter])
        links.add(contexts, words, found)
        shares.append(level.shares)
        levels.append((contexts, words))
        given = 10 ** table.log_backoffs[order]
        changed += level.changed
    contexts, words = (np.concatenate(columns) for columns in zip(*levels, strict=True))
    successors = np.bincount(contexts, minlength=len(backoffs))
    offsets = np.concatenate([[0], successors]).cumsum()
    tree = Tree(
        sizes=(size, *(len(table.lines) for table in file.tables)),
        unigrams=(unigrams / word_total).astype(np.float32),
        words=words.astype(np.int32),
        shares=np.concatenate(shares).astype(np.float32),
        offsets=offsets.astype(np.int32) if offsets[-1] < 2**31 else offsets,
        backoffs=backoffs.astype(np.float32),
        # the least that was counted
        totals=np.concatenate([[size], successors]).astype(np.float32),
    )
    return Interpolated(tree, changed, word_total)


def _sorted(links: SuffixLinks, table: NgramTable) -> tuple[Nodes, Nodes, Nodes]:
    """Contexts and last words of n-grams in the tree's order, and that order, ``(n-grams,)``."""
    length = table.words.shape[1]
    contexts = table.words[:, 0]
    for column in range(1, length - 1):
        contexts = links.find(contexts, table.words[:, column])
    if (contexts == MISSING).any():
        line = int(table.lines[contexts == MISSING][0])
        raise ModelError(f"line {line:,}: its first {length - 1} words are no {length - 1}-gram")
    keys = links.keys(contexts, table.words[:, -1])
    order = np.argsort(keys, kind="stable")
    again = np.flatnonzero(np.diff(keys[order]) == 0)
    if len(again):
        line = int(table.lines[order][again + 1].min())
        raise ModelError(f"line {line:,}: the {length}-gram is there twice")
    return contexts[order], table.words[order, -1], order


class _Level(NamedTuple):
    """What the tree stores for n-grams of one length."""

    shares: Floats
    """``(n-grams,)``."""
    backoffs: Floats
    """``(contexts,)``."""
    changed: int
    """The number of contexts whose distribution is not the given one."""


def _fit(probabilities: Floats, shorter: Floats, contexts: Nodes, backoffs: Floats) -> _Level:
    """Shares and back-offs of n-grams of one length.

    Args:
        probabilities: of the last words, ``(n-grams,)``.
        shorter: the same after the shorter contexts.
        contexts: their numbers, ``(n-grams,)``.
        backoffs: as given, ``(contexts,)``.
    """
    count = len(backoffs)
    followed = np.bincount(contexts, minlength=count) > 0
    backoffs = np.where(followed, backoffs, 1)
    shares = probabilities - backoffs[contexts] * shorter
    negative = np.bincount(contexts, shares < -_ROUNDING * probabilities, minlength=count) > 0
    total = backoffs + np.bincount(contexts, shares, minlength=count)
    changed = negative | (np.abs(total - 1) > _ROUNDING)
    chosen = changed[contexts]
    numbers = np.cumsum(changed) - 1
    backoffs[changed] = _nearest_backoffs(
        probabilities[chosen], shorter[chosen], numbers[contexts[chosen]], int(changed.sum())
    )
    shares = np.maximum(probabilities - backoffs[contexts] * shorter, 0)
    total = backoffs + np.bincount(contexts, shares, minlength=count)
    return _Level(shares / total[contexts], backoffs / total, int(changed.sum()))


def _nearest_backoffs(
    probabilities: Floats, shorter: Floats, contexts: Nodes, count: int
) -> Floats:
    """The back-offs of the distributions nearest to given ones, ``(contexts,)``.

    Args:
        probabilities: of the listed words, ``(n-grams,)``.
        shorter: the same after the shorter contexts.
        contexts: their numbers, ``(n-grams,)``.
        count: number of contexts.
    """
    pooled = np.zeros(len(probabilities), dtype=np.bool_)
    while True:
        # what the words that keep their probability leave for all others, of either distribution
        left = 1 - np.bincount(contexts, np.where(pooled, 0, probabilities), minlength=count)
        left_shorter = 1 - np.bincount(contexts, np.where(pooled, 0, shorter), minlength=count)
        backoffs = np.divide(
            np.maximum(left, 0), left_shorter, out=np.zeros(count), where=left_shorter > _NOTHING
        )
        below = probabilities < backoffs[contexts] * shorter
        # a word that was pooled once and is above the falling back-off leaves the pool for good
        now = below if not pooled.any() else pooled & below
        if (now == pooled).all():
            return backoffs
        pooled = now
