"""The n-gram model: a distribution of the next word given the last few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.ngram.smoothing import fit_tree
from nextword.ngram.tree import MISSING, Tree
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS

_MIN_PROBABILITY = torch.finfo(torch.float32).tiny
"""Lower bound of probabilities, so that logarithms are finite."""


class Matches(NamedTuple):
    """Contexts found in the tree, all ``(positions, order - 1)`` of int64.

    Column ``k`` is for the last ``k + 1`` words of the context.
    """

    nodes: Tensor
    """Nodes of these words; -1 if nothing was ever seen after them."""
    starts: Tensor
    """Index of their first successor."""
    sizes: Tensor
    """Number of successors; 0 if the node is -1."""


class NgramModel:
    """An interpolated modified Kneser-Ney n-gram (Chen and Goodman, 1998).

    Word ids must be those of the vocabulary that the model was fitted with; every word of it has
    a probability, seen or not. All on the CPU.
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

    def tensors(self) -> dict[str, Tensor]:
        """The whole model, for safetensors."""
        return self.tree.tensors()

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], vocabulary_size: int, order: int
    ) -> NgramModel:
        """The inverse of :meth:`tensors`.

        Raises:
            ValueError: the tensors are not a model of this vocabulary and order.
        """
        return cls(Tree.from_tensors(tensors, vocabulary_size, order))

    def initial_context(self) -> Tensor:
        """The context of a text's first word: ends of lines, ``(order - 1,)``."""
        return torch.full((self.order - 1,), END_ID)

    def contexts(self, ids: Tensor, before: Tensor) -> Tensor:
        """The contexts after each of ``ids``.

        Args:
            ids: words just read, ``(positions,)``.
            before: the words before them, ``(order - 1,)``: :meth:`initial_context`, or the last
                row of this method's previous result.

        Returns:
            ``(positions, order - 1)``, the oldest word first: row ``i`` ends in ``ids[i]``.
        """
        if self.order == 1:
            return ids.new_empty(len(ids), 0)
        return torch.cat([before, ids]).unfold(0, self.order - 1, 1)[1:]

    def match(self, contexts: Tensor) -> Matches:
        """Find contexts ``(positions, order - 1)``; no match spans an end of line."""
        # newest word first: a context of k + 1 words begins at column k
        backwards = contexts.long().flip(1)
        lengths = backwards.shape[1]
        nodes = backwards.clone()
        for step in range(1, lengths):
            nodes[:, step:] = self.tree.children(nodes[:, step:], backwards[:, : lengths - step])
        # only the first word of a context may be an end
        crossed = (backwards == END_ID).cumsum(1)[:, :-1] > 0
        nodes[:, 1:].masked_fill_(crossed, MISSING)
        # index -1 would be the last node; any valid one will do, since sizes are masked below
        valid_nodes = nodes.clamp_min(0)
        starts = self.tree.offsets[valid_nodes].long()
        sizes = self.tree.offsets[valid_nodes + 1] - starts
        sizes.masked_fill_(nodes == MISSING, 0)
        return Matches(nodes.masked_fill_(sizes == 0, MISSING), starts, sizes)

    def log_probabilities(self, contexts: Tensor) -> Tensor:
        """Log-probabilities of the next word, ``(positions, vocabulary)`` of float32.

        A few hundred positions at a time are fastest, since their rows stay in the cache.

        Args:
            contexts: ``(positions, order - 1)``, the oldest word first.
        """
        matches = self.match(contexts)
        weights = self._weights(matches.nodes)
        rows = self.tree.unigrams * weights[:, :1]
        # concatenated segments of successors, one for each position and length of context
        sizes = matches.sizes.flatten()
        segment = torch.repeat_interleave(sizes)
        shifts = matches.starts.flatten() - (sizes.cumsum(0) - sizes)
        successors = torch.arange(len(segment)).add_(shifts[segment])
        begins = torch.arange(len(rows)).mul_(self.vocabulary_size)
        cells = begins.repeat_interleave(self.order - 1)[segment].add_(self.tree.words[successors])
        added = self.tree.shares[successors].mul_(weights[:, 1:].flatten()[segment])
        rows.view(-1).index_add_(0, cells, added)
        return rows.clamp_min_(_MIN_PROBABILITY).log_()

    def gate_features(self, contexts: Tensor) -> Tensor:
        """How well the model knows contexts: ``(positions, order + 1)`` of float32.

        The length of the longest context seen in training, one-hot; then log(1 + the number of
        words counted after it).
        """
        nodes = self.match(contexts).nodes
        # prepend the empty context, which has no node
        nodes = torch.cat([nodes.new_full((len(nodes), 1), MISSING), nodes], 1)
        lengths = ((nodes != MISSING) * torch.arange(self.order)).amax(1)
        longest = nodes.gather(1, lengths[:, None])
        # the first total is that of the empty context
        totals = self.tree.totals[longest + 1]
        one_hot = torch.nn.functional.one_hot(lengths, self.order)
        return torch.cat([one_hot.to(totals.dtype), totals.log1p()], 1)

    def _weights(self, nodes: Tensor) -> Tensor:
        """The weight of each context length: the product of the back-offs of all longer contexts.

        Args:
            nodes: nodes of a match, ``(positions, order - 1)``.

        Returns:
            ``(positions, order)``; column ``k`` is for contexts of ``k`` words.
        """
        backoffs = self.tree.backoffs[nodes.clamp_min(0)].masked_fill_(nodes == MISSING, 1)
        longest = backoffs.new_ones(len(nodes), 1)
        return torch.cat([longest, backoffs.flip(1)], 1).cumprod(1).flip(1)
