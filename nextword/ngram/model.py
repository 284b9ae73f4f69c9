"""The n-gram model: a distribution of the next word given the last few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.ngram.smoothing import fit_tree
from nextword.ngram.tree import MISSING, Tree
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS


class Matches(NamedTuple):
    """Contexts found in the tree, all ``(positions, order - 1)`` of int64.

    Column ``k`` is for the last ``k + 1`` words of the context.
    """

    nodes: NDArray[np.int64]
    """Nodes of these words; -1 if nothing was ever seen after them."""
    starts: NDArray[np.int64]
    """Index of their first successor."""
    sizes: NDArray[np.int64]
    """Number of successors; 0 if the node is -1."""


class NgramModel:
    """An interpolated modified Kneser-Ney n-gram (Chen and Goodman, 1998).

    Word ids must be those of the vocabulary that the model was fitted with; every word of it has
    a probability, seen or not. No method changes the model: threads may share it.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.order = len(tree.sizes)
        self.vocabulary_size = tree.vocabulary_size

    @classmethod
    def fit(
        cls,
        ids: NDArray[np.integer],
        vocabulary_size: int,
        order: int = 5,
        progress: Callable[[int], object] | None = None,
    ) -> NgramModel:
        """Count a text.

        Args:
            ids: word ids ``(time,)``, any integer type; each line ended by
                :data:`~nextword.text.vocabulary.END_ID`.
            vocabulary_size: words that may be predicted, in the text or not.
            order: words of the longest n-grams.
            progress: called with each length of n-grams when it is done.

        Raises:
            ValueError: an order below one, or ids outside the vocabulary.
        """
        if order < 1:
            raise ValueError("order must be at least 1")
        if vocabulary_size < len(SPECIAL_WORDS):
            raise ValueError(f"a vocabulary has at least {len(SPECIAL_WORDS)} words")
        if len(ids) and (ids.min() < 0 or ids.max() >= vocabulary_size):
            raise ValueError("a word id is outside the vocabulary")
        return cls(fit_tree(ids, vocabulary_size, order, progress))

    def ngram_counts(self) -> list[int]:
        """N-grams of each length; of length 1 all words of the vocabulary."""
        return list(self.tree.sizes)

    def parameter_count(self) -> int:
        """Stored probabilities and back-off weights."""
        return len(self.tree.unigrams) + len(self.tree.shares) + len(self.tree.backoffs)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole model, for safetensors."""
        return self.tree.arrays()

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        vocabulary_size: int,
        order: int,
        verify: bool = True,
    ) -> NgramModel:
        """The inverse of :meth:`arrays`; they may be read-only and memory-mapped.

        Args:
            arrays: the model, not copied.
            vocabulary_size: words that it must predict.
            order: words of its longest n-grams.
            verify: whether to check all numbers, see :meth:`.Tree.from_arrays`.

        Raises:
            ValueError: the arrays are not a model of this vocabulary and order.
        """
        return cls(Tree.from_arrays(arrays, vocabulary_size, order, verify))

    def initial_context(self) -> NDArray[np.int64]:
        """The context of a text's first word: ends of lines, ``(order - 1,)``."""
        return np.full(self.order - 1, END_ID, dtype=np.int64)

    def contexts(self, ids: NDArray[np.integer], before: NDArray[np.int64]) -> NDArray[np.int64]:
        """The contexts after each of ``ids``.

        Args:
            ids: words just read, ``(positions,)``.
            before: the words before them, ``(order - 1,)``: :meth:`initial_context`, or the last
                row of this method's previous result.

        Returns:
            ``(positions, order - 1)``, the oldest word first: row ``i`` ends in ``ids[i]``.
        """
        words = np.concatenate([before, ids], dtype=np.int64)
        ends = np.arange(1, 1 + len(ids))
        contexts: NDArray[np.int64] = words[ends[:, None] + np.arange(self.order - 1)]
        return contexts

    def match(self, contexts: NDArray[np.integer]) -> Matches:
        """Find contexts ``(positions, order - 1)``; no match spans an end of line."""
        # newest word first: a context of k + 1 words begins at column k
        backwards = contexts[:, ::-1]
        lengths = backwards.shape[1]
        nodes = backwards.astype(np.int64, order="C")
        # only the first word of a context may be an end
        crossed = np.logical_or.accumulate(backwards == END_ID, axis=1)
        nodes[:, 1:][crossed[:, :-1]] = MISSING
        for step in range(1, lengths):
            nodes[:, step:] = self.tree.children(nodes[:, step:], backwards[:, : lengths - step])
        starts, sizes = self.tree.successors(nodes)
        nodes[sizes == 0] = MISSING
        return Matches(nodes, starts, sizes)

    def probabilities(self, contexts: NDArray[np.integer]) -> NDArray[np.float32]:
        """Probabilities of the next word, ``(positions, vocabulary)``.

        About a hundred positions at a time are fastest, since their rows stay in the processor's
        cache.

        Args:
            contexts: ``(positions, order - 1)``, the oldest word first.
        """
        return self._probabilities(self.match(contexts))

    def gate_features(self, contexts: NDArray[np.integer]) -> NDArray[np.float32]:
        """How well the model knows contexts: ``(positions, order + 1)``.

        The length of the longest context seen in training, one-hot; then log(1 + the number of
        words counted after it).
        """
        return self._gate_features(self.match(contexts))

    def predict(
        self, contexts: NDArray[np.integer]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """:meth:`probabilities` and :meth:`gate_features`, with one look-up for both."""
        matches = self.match(contexts)
        return self._probabilities(matches), self._gate_features(matches)

    def _probabilities(self, matches: Matches) -> NDArray[np.float32]:
        weights = self._weights(matches.nodes)
        rows = np.multiply.outer(weights[:, 0], self.tree.unigrams)
        # the successors of every context, the shortest contexts of all positions first
        sizes = matches.sizes.T.ravel()
        shifts = matches.starts.T.ravel() - (sizes.cumsum() - sizes)
        successors = np.repeat(shifts, sizes)
        successors += np.arange(len(successors))
        added = np.repeat(weights[:, 1:].T.ravel(), sizes)
        added *= self.tree.shares[successors]
        begins = np.arange(0, rows.size, self.vocabulary_size)
        cells = np.repeat(np.tile(begins, self.order - 1), sizes)
        cells += self.tree.words[successors]
        # no cell is twice among those of one length, so that += adds to each
        flat = rows.reshape(-1)
        bounds = [0, *matches.sizes.sum(0).cumsum().tolist()]
        for begin, end in pairwise(bounds):
            flat[cells[begin:end]] += added[begin:end]
        return rows

    def _gate_features(self, matches: Matches) -> NDArray[np.float32]:
        # column 0 is the empty context, whose total is the first
        positions = np.arange(len(matches.nodes))
        nodes = np.full((len(positions), self.order), MISSING)
        nodes[:, 1:] = matches.nodes
        lengths = ((nodes != MISSING) * np.arange(self.order)).max(1)
        features = np.zeros((len(positions), self.order + 1), dtype=np.float32)
        features[positions, lengths] = 1
        features[:, -1] = np.log1p(self.tree.totals[nodes[positions, lengths] + 1])
        return features

    def _weights(self, nodes: NDArray[np.int64]) -> NDArray[np.float32]:
        """The weight of each context length: the product of the back-offs of all longer contexts.

        Args:
            nodes: nodes of a match, ``(positions, order - 1)``.

        Returns:
            ``(positions, order)``; column ``k`` is for contexts of ``k`` words.
        """
        weights = np.ones((len(nodes), self.order), dtype=np.float32)
        seen = nodes != MISSING
        weights[:, :-1][seen] = self.tree.backoffs[nodes[seen]]
        return weights[:, ::-1].cumprod(1)[:, ::-1]
