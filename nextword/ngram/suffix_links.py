"""Suffix links: the shorter n-gram that each n-gram backs off to.

With the words ``c`` before a word ``w``, the n-gram ``c w`` backs off to ``c' w``, where ``c'`` is
``c`` without its first word. A fitted tree holds ``c' w``. One that was pruned elsewhere may lack
it, and then backs off further, at the price of the back-off weights on the way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nextword.ngram.tree import MISSING, Tree

Nodes = NDArray[np.int64]
Floats = NDArray[np.float64]
_NO_CONTEXT = -1
"""The suffix link of a single word, after which the empty context is left."""


class SuffixLinks:
    """The n-grams of a tree with their suffix links, added one length after the other.

    Nodes are numbered as in :class:`~nextword.ngram.tree.Tree`.

    Args:
        vocabulary_size: the n-grams of one word, which are there from the start.
    """

    def __init__(self, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self._keys = np.empty(0, dtype=np.int64)
        self._links = np.full(vocabulary_size, _NO_CONTEXT)

    def __len__(self) -> int:
        """The number of nodes."""
        return len(self._links)

    def find(self, contexts: Nodes, words: NDArray[np.integer]) -> Nodes:
        """The nodes of n-grams ``(n-grams,)``; :data:`MISSING` where there is none.

        Args:
            contexts: their contexts, of at least one word; may hold :data:`MISSING`.
            words: the last words.
        """
        if not len(self._keys):
            return np.full(len(words), MISSING)
        keys = self.keys(contexts, words)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found = (self._keys[places] == keys) & (contexts != MISSING)
        return np.where(found, places + self.vocabulary_size, MISSING)

    def keys(self, contexts: Nodes, words: NDArray[np.integer]) -> NDArray[np.int64]:
        """Numbers that sort n-grams as a tree does: by context, then by last word."""
        return contexts * self.vocabulary_size + words

    def back_off(
        self, contexts: Nodes, words: NDArray[np.integer], backoffs: NDArray[np.floating]
    ) -> tuple[Nodes, Floats]:
        """The suffix links of longer n-grams, and the weight of the probability found there.

        Args:
            contexts: their contexts, ``(n-grams,)``.
            words: the last words, ``(n-grams,)``.
            backoffs: of all contexts shorter than these, by node.
        """
        links = np.empty(len(words), dtype=np.int64)
        weights = np.ones(len(words))
        open_ones = np.arange(len(words))
        shorter = self._links[contexts]
        while len(open_ones):
            last = words[open_ones]
            single = shorter == _NO_CONTEXT
            found = np.where(single, last, self.find(np.where(single, MISSING, shorter), last))
            links[open_ones] = found
            missing = found == MISSING
            open_ones, shorter = open_ones[missing], shorter[missing]
            weights[open_ones] *= backoffs[shorter]
            shorter = self._links[shorter]
        return links, weights

    def add(self, contexts: Nodes, words: NDArray[np.integer], links: Nodes) -> None:
        """Add all n-grams of the next length, sorted by their :meth:`keys`.

        Args:
            contexts: their contexts, ``(n-grams,)``.
            words: the last words, ``(n-grams,)``.
            links: from :meth:`back_off`.
        """
        self._keys = np.concatenate([self._keys, self.keys(contexts, words)])
        self._links = np.concatenate([self._links, links])


def ngram_probabilities(tree: Tree) -> Floats:
    """The probability of the last word of each n-gram after its others, ``(nodes,)``."""
    contexts = np.repeat(np.arange(len(tree.backoffs)), np.diff(tree.offsets))
    links = SuffixLinks(tree.vocabulary_size)
    probabilities = tree.unigrams.astype(np.float64)
    start = 0
    for size in tree.sizes[1:]:
        level = slice(start, start + size)
        before, words = contexts[level], tree.words[level]
        found, weights = links.back_off(before, words, tree.backoffs)
        shorter = weights * probabilities[found]
        own = tree.shares[level] + tree.backoffs[before] * shorter
        probabilities = np.concatenate([probabilities, own])
        links.add(before, words, found)
        start += size
    return probabilities
