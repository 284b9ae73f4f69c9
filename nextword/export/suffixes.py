"""Relations between the n-grams of a tree: contexts, and suffixes.

The suffix of an n-gram is the n-gram without its first word, to which the smoothing backs off. A
fitted tree holds the suffix of each of its n-grams.
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from nextword.ngram.tree import MISSING, Tree

Nodes = NDArray[np.int64]


def levels(tree: Tree) -> list[slice]:
    """The nodes of each length of n-grams."""
    ends = list(accumulate(tree.sizes))
    return [slice(end - size, end) for end, size in zip(ends, tree.sizes, strict=True)]


def context_nodes(tree: Tree) -> Nodes:
    """The context of each n-gram, ``(nodes,)``; single words have none, :data:`MISSING`."""
    contexts = np.repeat(np.arange(len(tree.backoffs)), np.diff(tree.offsets))
    return np.concatenate([np.full(tree.vocabulary_size, MISSING), contexts])


def suffix_nodes(tree: Tree) -> Nodes:
    """The suffix of each n-gram, ``(nodes,)``; :data:`MISSING` for single words, and where the tree
    lacks it."""
    contexts, size = context_nodes(tree), tree.vocabulary_size
    suffixes = np.full(len(contexts), MISSING)
    shorter = np.arange(size)  # of all n-grams one word shorter: context and last word in one key
    for length, level in enumerate(levels(tree)[1:], start=2):
        words = tree.words[level.start - size : level.stop - size].astype(np.int64)
        if length == 2:
            suffixes[level] = words
        else:
            wanted = suffixes[contexts[level]]
            keys = np.where(wanted == MISSING, MISSING, wanted * size + words)
            places = np.minimum(np.searchsorted(shorter, keys), max(len(shorter) - 1, 0))
            exists = shorter[places] == keys if len(shorter) else np.zeros(len(keys), np.bool_)
            suffixes[level] = np.where(exists, places + level.start - len(shorter), MISSING)
        shorter = contexts[level] * size + words
    return suffixes
