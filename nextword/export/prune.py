"""Prune a tree of n-grams: remove those whose absence changes the model least.

A removed n-gram's share goes to its context's back-off, so that distributions still sum to one. The
change is the relative entropy of Stolcke (1998), between "this word" and "any other" and without
the renormalisation of a Katz model, which an interpolated one does not need. Counts of shorter
n-grams say in how many contexts they stand, not how often (Kneser and Ney, 1995), so the frequency
of a context comes from the model's own probabilities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nextword.export.suffixes import Nodes, context_nodes, levels, suffix_nodes
from nextword.ngram.tree import MISSING, Tree


def prune(tree: Tree, counts: NDArray[np.integer], num_ngrams: int) -> Tree:
    """The tree with the n-grams that matter most.

    Every word keeps its probability without context. An n-gram stays only with its context and its
    suffix, so the result is again a tree to which the smoothing can back off.

    Args:
        tree: not changed.
        counts: occurrences of each word, ``(vocabulary,)``.
        num_ngrams: n-grams of two words or more that stay, at most; of several that matter equally
            all go where not all can stay.
    """
    contexts, suffixes = context_nodes(tree), suffix_nodes(tree)
    costs = _with_dependents(tree, _costs(tree, counts, contexts, suffixes), contexts, suffixes)
    size = tree.vocabulary_size
    longer = costs[size:]
    kept = costs >= 0
    if num_ngrams < np.count_nonzero(longer >= 0):
        kept = costs > np.partition(longer, -num_ngrams - 1)[-num_ngrams - 1]
    kept[:size] = True
    return subtree(tree, kept, contexts)


def _costs(
    tree: Tree, counts: NDArray[np.integer], contexts: Nodes, suffixes: Nodes
) -> NDArray[np.float64]:
    """How much the removal of each n-gram changes the model, in nats per word of a text.

    Single words have infinity; n-grams have -1 where the tree lacks their suffix, or the suffix or
    context has -1.
    """
    size = tree.vocabulary_size
    probabilities = np.empty(len(contexts))
    frequencies = np.empty(len(contexts))
    probabilities[:size] = tree.unigrams
    frequencies[:size] = counts / max(counts.sum(), 1)
    costs = np.full(len(contexts), np.inf)
    for level in levels(tree)[1:]:
        context, suffix = contexts[level], suffixes[level]
        share = tree.shares[level.start - size : level.stop - size].astype(np.float64)
        backoff = tree.backoffs[context].astype(np.float64)
        shorter = np.where(suffix == MISSING, 0, probabilities[suffix])
        before, after = share + backoff * shorter, (share + backoff) * shorter
        probabilities[level] = before
        frequencies[level] = frequencies[context] * before
        costs[level] = frequencies[context] * _divergence(before, after)
        # where MISSING indexes costs, it does not matter what it finds
        costs[level][(suffix == MISSING) | (costs[suffix] < 0) | (costs[context] < 0)] = -1
    return costs


def _divergence(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative entropy of an event's probabilities, in nats; none is negative."""
    tiny = np.finfo(np.float64).tiny
    p, q = np.clip(before, tiny, 1), np.clip(after, tiny, 1)
    rest, other = np.maximum(1 - p, tiny), np.maximum(1 - q, tiny)
    divergence: NDArray[np.float64] = p * np.log(p / q) + rest * np.log(rest / other)
    return np.maximum(divergence, 0)


def _with_dependents(
    tree: Tree, costs: NDArray[np.float64], contexts: Nodes, suffixes: Nodes
) -> NDArray[np.float64]:
    """Each n-gram's cost, or that of the costliest n-gram that cannot stay without it."""
    costs = costs.copy()
    for level in reversed(levels(tree)[2:]):
        for needed in (contexts[level], suffixes[level]):
            present = needed != MISSING
            np.maximum.at(costs, needed[present], costs[level][present])
    return costs


def subtree(tree: Tree, kept: NDArray[np.bool_], contexts: Nodes) -> Tree:
    """The tree of some nodes, among them the context of each."""
    size, inner = tree.vocabulary_size, len(tree.backoffs)
    longer = kept[size:]
    parents = contexts[size:]
    shares = tree.shares.astype(np.float64)
    backoffs = tree.backoffs + np.bincount(parents[~longer], shares[~longer], minlength=inner)
    successors = np.bincount(parents[longer], minlength=inner)[kept[:inner]]
    followed = successors > 0
    backoffs = np.where(followed, np.minimum(backoffs[kept[:inner]], 1), 1)
    totals = np.where(followed, tree.totals[1:][kept[:inner]], 0)
    offsets = np.concatenate([[0], successors]).cumsum(dtype=np.int64)
    return Tree(
        sizes=tuple(int(np.count_nonzero(kept[level])) for level in levels(tree)),
        unigrams=tree.unigrams,
        words=tree.words[longer],
        shares=tree.shares[longer],
        offsets=offsets.astype(np.int32) if tree.offsets.dtype == np.int32 else offsets,
        backoffs=backoffs.astype(np.float32),
        totals=np.concatenate([tree.totals[:1], totals]).astype(np.float32),
    )
