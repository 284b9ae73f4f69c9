"""Smoothed n-grams as one tree in a few flat tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nextword.text.vocabulary import SPECIAL_WORDS

MISSING = -1
"""The node of an n-gram that is not in the tree."""
_TOLERANCE = 1e-4
"""How far probabilities of a stored tree may be from summing to one."""


@dataclass(frozen=True, eq=False)
class Tree:
    """All n-grams, the short ones first; within a length by context, then by last word.

    The node of an n-gram is its index in this order. So the nodes of single words are their ids,
    and the successors of a context are the n-grams ``offsets[node]`` to ``offsets[node + 1]`` of
    those with two words or more. ``contexts`` are all nodes but those of the greatest length.
    """

    sizes: tuple[int, ...]
    """N-grams of each length; the first is the size of the vocabulary."""
    unigrams: Tensor
    """(vocabulary,) of float32: probabilities without any context."""
    words: Tensor
    """(n-grams of two words or more,) of int32: the last word."""
    shares: Tensor
    """As ``words``, of float32: the last word's discounted share of its context's total."""
    offsets: Tensor
    """(contexts + 1,) of int32, or int64 where that is too small."""
    backoffs: Tensor
    """(contexts,) of float32: mass left for the shorter context; 1 without successors."""
    totals: Tensor
    """(1 + contexts,) of float32: words counted after no context, and after each."""

    @property
    def vocabulary_size(self) -> int:
        """Words with a probability."""
        return self.sizes[0]

    @cached_property
    def keys(self) -> Tensor:
        """``context * vocabulary + last word`` of each of ``words``, ascending; int64."""
        parents = torch.repeat_interleave(self.offsets.diff().long())
        return parents.mul_(self.vocabulary_size).add_(self.words)

    def children(self, nodes: Tensor, words: Tensor) -> Tensor:
        """The nodes of n-grams one word longer, :data:`MISSING` where there is none.

        Args:
            nodes: contexts, of any shape; may hold :data:`MISSING`.
            words: the word after each context, of a shape that broadcasts.
        """
        # a missing context's key is below all others
        keys = (nodes * self.vocabulary_size + words).contiguous()
        if not len(self.words):
            return torch.full_like(keys, MISSING)
        indices = torch.searchsorted(self.keys, keys).clamp_max_(len(self.words) - 1)
        exists = self.keys[indices] == keys
        return torch.where(exists, indices + self.vocabulary_size, MISSING)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, for safetensors."""
        return {
            "sizes": torch.tensor(self.sizes, dtype=torch.int64),
            "unigrams": self.unigrams,
            "words": self.words,
            "shares": self.shares,
            "offsets": self.offsets,
            "backoffs": self.backoffs,
            "totals": self.totals,
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], vocabulary_size: int, order: int) -> Tree:
        """The inverse of :meth:`tensors`, checked so that no look-up can leave its bounds.

        Raises:
            ValueError: the tensors are not those of a tree of this vocabulary and order.
        """
        _check_form(tensors, vocabulary_size, order)
        rest = {name: tensor for name, tensor in tensors.items() if name != "sizes"}
        tree = cls(sizes=tuple(tensors["sizes"].tolist()), **rest)
        _check_structure(tree)
        _check_probabilities(tree)
        return tree


def _check_form(tensors: Mapping[str, Tensor], vocabulary_size: int, order: int) -> None:
    """Check names, dtypes and shapes."""
    integers = (torch.int32, torch.int64)
    sizes = tensors.get("sizes")
    if sizes is None or sizes.dtype != torch.int64 or sizes.shape != (order,) or order < 1:
        raise ValueError(f"sizes is not the sizes of {order} orders")
    counts = sizes.tolist()
    # every context may hold the special words
    least = len(SPECIAL_WORDS)
    if counts[0] != vocabulary_size or vocabulary_size < least or min(counts) < 0:
        raise ValueError(f"sizes does not fit a vocabulary of {vocabulary_size} words")
    longer, contexts = sum(counts[1:]), sum(counts[:-1])
    expected: dict[str, tuple[int, tuple[torch.dtype, ...]]] = {
        "unigrams": (vocabulary_size, (torch.float32,)),
        "words": (longer, (torch.int32,)),
        "shares": (longer, (torch.float32,)),
        "offsets": (contexts + 1, integers),
        "backoffs": (contexts, (torch.float32,)),
        "totals": (contexts + 1, (torch.float32,)),
    }
    for name in {"sizes", *expected} ^ tensors.keys():
        raise ValueError(f"{name} is {'not known' if name in tensors else 'missing'}")
    for name, (length, dtypes) in expected.items():
        tensor = tensors[name]
        if tensor.shape != (length,) or tensor.dtype not in dtypes:
            raise ValueError(f"{name} has the wrong shape or kind of numbers")


def _check_structure(tree: Tree) -> None:
    """Check the ranges of successors and their order."""
    offsets = tree.offsets
    if offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any() or offsets[-1] != len(tree.words):
        raise ValueError("offsets does not rise from nothing to the number of n-grams")
    contexts = longer = 0
    for shorter, size in zip(tree.sizes, tree.sizes[1:], strict=False):
        contexts, longer = contexts + shorter, longer + size
        if offsets[contexts] != longer:
            raise ValueError("offsets mixes n-grams of different lengths")
    words = tree.words
    if len(words) and (words.min() < 0 or words.max() >= tree.vocabulary_size):
        raise ValueError("words holds an id outside the vocabulary")
    if (tree.keys[1:] <= tree.keys[:-1]).any():
        raise ValueError("words is not sorted within a context")


def _check_probabilities(tree: Tree) -> None:
    """Check that distributions sum to one, without negative numbers or NaN."""
    for name, tensor in (
        ("unigrams", tree.unigrams),
        ("shares", tree.shares),
        ("backoffs", tree.backoffs),
    ):
        # also refuses NaN
        if not ((tensor >= 0) & (tensor <= 1)).all():
            raise ValueError(f"{name} holds a number that is no probability")
    if not (tree.totals.isfinite() & (tree.totals >= 0)).all():
        raise ValueError("totals holds a number that is no count")
    if abs(float(tree.unigrams.double().sum()) - 1) > _TOLERANCE:
        raise ValueError("unigrams does not sum to one")
    running = torch.cat([torch.zeros(1, dtype=torch.float64), tree.shares.double().cumsum(0)])
    given = running[tree.offsets.long()].diff()
    if ((given + tree.backoffs - 1).abs() > _TOLERANCE).any():
        raise ValueError("shares and backoffs of a context do not sum to one")
