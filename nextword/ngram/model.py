"""The n-gram model: what a few words just read say of the next one."""

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

_LEAST = torch.finfo(torch.float32).tiny
"""The least probability told; its logarithm is finite."""


class Matches(NamedTuple):
    """What a model knows of contexts, all ``(places, order - 1)`` of int64.

    Column ``k`` is about the last ``k + 1`` words of the context.
    """

    nodes: Tensor
    """Where these words are in the tree; -1 where nothing was ever seen after them."""
    starts: Tensor
    """The first of their successors in the tree."""
    sizes: Tensor
    """How many successors they have; 0 where the node is -1."""


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
            vocabulary_size: words that may be predicted, also those that the text lacks.
            order: words of the longest n-grams.
            progress: told each length of n-grams once it is done.

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
        """All that the model is, for safetensors."""
        return self.tree.tensors()

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], vocabulary_size: int, order: int
    ) -> NgramModel:
        """The model that :meth:`tensors` described.

        Raises:
            ValueError: they describe no model of this vocabulary and order; the message says why.
        """
        return cls(Tree.from_tensors(tensors, vocabulary_size, order))

    def initial_context(self) -> Tensor:
        """What stands before a text's first word: ends of lines, ``(order - 1,)``."""
        return torch.full((self.order - 1,), END_ID)

    def contexts(self, ids: Tensor, before: Tensor) -> Tensor:
        """The contexts in which the words after ``ids`` stand.

        Args:
            ids: words just read ``(places,)``.
            before: the words before them ``(order - 1,)``: :meth:`initial_context`, or the last
                row that this method gave.

        Returns:
            ``(places, order - 1)``, the oldest word first: row ``i`` ends in ``ids[i]``.
        """
        if self.order == 1:
            return ids.new_empty(len(ids), 0)
        return torch.cat([before, ids]).unfold(0, self.order - 1, 1)[1:]

    def match(self, contexts: Tensor) -> Matches:
        """Find contexts ``(places, order - 1)``; none is followed back across an end of line."""
        # the newest word first: column k is where a context of k + 1 words begins
        backwards = contexts.long().flip(1)
        lengths = backwards.shape[1]
        nodes = backwards.clone()
        for step in range(1, lengths):
            nodes[:, step:] = self.tree.children(nodes[:, step:], backwards[:, : lengths - step])
        # only the first word of a context may be an end
        crossed = (backwards == END_ID).cumsum(1)[:, :-1] > 0
        nodes[:, 1:].masked_fill_(crossed, MISSING)
        # as an index, -1 would be the last: any valid one will do in its place
        somewhere = nodes.clamp_min(0)
        starts = self.tree.offsets[somewhere].long()
        sizes = self.tree.offsets[somewhere + 1] - starts
        sizes.masked_fill_(nodes == MISSING, 0)
        return Matches(nodes.masked_fill_(sizes == 0, MISSING), starts, sizes)

    def log_probabilities(self, contexts: Tensor) -> Tensor:
        """The distribution of the next word: ``(places, vocabulary)`` of float32.

        A few hundred places at a time are fastest: their rows stay near the processor.

        Args:
            contexts: ``(places, order - 1)``, the oldest word first.
        """
        matches = self.match(contexts)
        weights = self._weights(matches.nodes)
        rows = self.tree.unigrams * weights[:, :1]
        # one segment of successors for each place and length of context, all in one row
        sizes = matches.sizes.flatten()
        segment = torch.repeat_interleave(sizes)
        ahead = matches.starts.flatten() - (sizes.cumsum(0) - sizes)
        which = torch.arange(len(segment)).add_(ahead[segment])
        begins = torch.arange(len(rows)).mul_(self.vocabulary_size)
        cells = begins.repeat_interleave(self.order - 1)[segment].add_(self.tree.words[which])
        added = self.tree.shares[which].mul_(weights[:, 1:].flatten()[segment])
        rows.view(-1).index_add_(0, cells, added)
        return rows.clamp_min_(_LEAST).log_()

    def gate_features(self, contexts: Tensor) -> Tensor:
        """How much the model has seen of contexts: ``(places, order + 1)`` of float32.

        One-hot, how many of the last words were ever seen before a word; then log(1 + how many
        words were counted after them).
        """
        nodes = self.match(contexts).nodes
        # before them the context of no word, which has no node
        nodes = torch.cat([nodes.new_full((len(nodes), 1), MISSING), nodes], 1)
        lengths = ((nodes != MISSING) * torch.arange(self.order)).amax(1)
        longest = nodes.gather(1, lengths[:, None])
        # the count without context stands first
        totals = self.tree.totals[longest + 1]
        one_hot = torch.nn.functional.one_hot(lengths, self.order)
        return torch.cat([one_hot.to(totals.dtype), totals.log1p()], 1)

    def _weights(self, nodes: Tensor) -> Tensor:
        """What counts of each length weigh: the back-offs of all longer contexts.

        Args:
            nodes: of a match, ``(places, order - 1)``.

        Returns:
            ``(places, order)``; column ``k`` is about contexts of ``k`` words.
        """
        backoffs = self.tree.backoffs[nodes.clamp_min(0)].masked_fill_(nodes == MISSING, 1)
        longest = backoffs.new_ones(len(nodes), 1)
        return torch.cat([longest, backoffs.flip(1)], 1).cumprod(1).flip(1)
