"""Smoothed n-grams as one tree in a few flat arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.text.vocabulary import SPECIAL_WORDS

MISSING = -1
"""The node of an n-gram that is not in the tree."""
_TOLERANCE = 1e-4
"""How far probabilities of a stored tree may be from summing to one."""
_FEW = 16
"""Up to so many n-grams are found faster one by one than together."""
_PROBES = 16
"""Words compared in one step of a search. A step on small arrays takes the same time whatever their
size, so a few steps of many comparisons are faster than a bisection."""


@dataclass(frozen=True, eq=False)
class Tree:
    """All n-grams, the short ones first; within a length by context, then by last word.

    The node of an n-gram is its index in this order. So the nodes of single words are their ids,
    and the successors of a context are the n-grams ``offsets[node]`` to ``offsets[node + 1]`` of
    those with two words or more. ``contexts`` are all nodes but those of the greatest length.

    The arrays may be read-only and memory-mapped: a look-up reads the few pages that it needs.
    """

    sizes: tuple[int, ...]
    """N-grams of each length; the first is the size of the vocabulary."""
    unigrams: NDArray[np.float32]
    """``(vocabulary,)``: probabilities without any context."""
    words: NDArray[np.int32]
    """``(n-grams of two words or more,)``: the last word."""
    shares: NDArray[np.float32]
    """As ``words``: the last word's discounted share of its context's total."""
    offsets: NDArray[np.int32] | NDArray[np.int64]
    """``(contexts + 1,)``; int64 where int32 is too small."""
    backoffs: NDArray[np.float32]
    """``(contexts,)``: mass left for the shorter context; 1 without successors."""
    totals: NDArray[np.float32]
    """``(1 + contexts,)``: words counted after no context, and after each."""

    @property
    def vocabulary_size(self) -> int:
        """Words with a probability."""
        return self.sizes[0]

    def successors(self, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index of each context's first successor, and the number of its successors.

        Args:
            nodes: contexts, of any shape; :data:`MISSING` has no successors.
        """
        # of a missing context both ends are the first offset
        starts = self.offsets[np.maximum(nodes, 0)].astype(np.int64)
        return starts, self.offsets[nodes + 1] - starts

    def children(self, nodes: NDArray[np.int64], words: NDArray[np.integer]) -> NDArray[np.int64]:
        """The nodes of n-grams one word longer, :data:`MISSING` where there is none.

        Args:
            nodes: contexts, of any shape; may hold :data:`MISSING`.
            words: the word after each context, of the same shape.
        """
        if not len(self.words):
            return np.full(nodes.shape, MISSING)
        if nodes.size <= _FEW:
            pairs = zip(nodes.flat, words.flat, strict=True)
            return np.array([self._child(*pair) for pair in pairs]).reshape(nodes.shape)
        starts, sizes = self.successors(nodes)
        indices, last = starts.copy(), starts + (sizes - 1)
        span = int(sizes.max(initial=0))
        while span:
            # the first successor that is not below the word is one of `span` from `indices` on,
            # or there is none: split them in parts, and pass over those that end below the word
            part = -(-span // _PROBES)
            ends = indices[..., None] + np.arange(part - 1, span, part)
            below = self.words[np.minimum(ends, last[..., None])] < words[..., None]
            indices += below.sum(axis=-1) * part
            span = part - 1
        exists = (self.words[np.minimum(indices, last)] == words) & (sizes > 0)
        return np.where(exists, indices + self.vocabulary_size, MISSING)

    def _child(self, node: int, word: int) -> int:
        """One of :meth:`children`, for a few n-grams."""
        if node == MISSING:
            return MISSING
        start, stop = self.offsets[node], self.offsets[node + 1]
        index = int(start + self.words[start:stop].searchsorted(np.int32(word)))
        exists = index < stop and self.words[index] == word
        return index + self.vocabulary_size if exists else MISSING

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by name, for safetensors."""
        return {
            "sizes": np.array(self.sizes, dtype=np.int64),
            "unigrams": self.unigrams,
            "words": self.words,
            "shares": self.shares,
            "offsets": self.offsets,
            "backoffs": self.backoffs,
            "totals": self.totals,
        }

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        vocabulary_size: int,
        order: int,
        verify: bool = True,
    ) -> Tree:
        """The inverse of :meth:`arrays`, checked so that no look-up can leave its bounds.

        Args:
            arrays: the tree, not copied; never written to.
            vocabulary_size: words that it must have.
            order: words of its longest n-grams.
            verify: read all numbers and check them; without it only names, shapes and dtypes are
                checked, which suffices where the same content was verified before.

        Raises:
            ValueError: the arrays are not those of a tree of this vocabulary and order.
        """
        _check_form(arrays, vocabulary_size, order)
        # plain arrays, should these be `memmap`: each operation on one takes several times as long
        plain = {name: np.asarray(array) for name, array in arrays.items()}
        tree = cls(sizes=tuple(plain.pop("sizes").tolist()), **plain)
        if verify:
            _check_structure(tree)
            _check_probabilities(tree)
        return tree


def _check_form(arrays: Mapping[str, NDArray[Any]], vocabulary_size: int, order: int) -> None:
    """Check names, dtypes and shapes."""
    sizes = arrays.get("sizes")
    if sizes is None or sizes.dtype != np.int64 or sizes.shape != (order,) or order < 1:
        raise ValueError(f"sizes is not the sizes of {order} orders")
    counts = sizes.tolist()
    # every context may hold the special words
    least = len(SPECIAL_WORDS)
    if counts[0] != vocabulary_size or vocabulary_size < least or min(counts) < 0:
        raise ValueError(f"sizes does not fit a vocabulary of {vocabulary_size} words")
    longer, contexts = sum(counts[1:]), sum(counts[:-1])
    expected: dict[str, tuple[int, tuple[type, ...]]] = {
        "unigrams": (vocabulary_size, (np.float32,)),
        "words": (longer, (np.int32,)),
        "shares": (longer, (np.float32,)),
        "offsets": (contexts + 1, (np.int32, np.int64)),
        "backoffs": (contexts, (np.float32,)),
        "totals": (contexts + 1, (np.float32,)),
    }
    for name in {"sizes", *expected} ^ arrays.keys():
        raise ValueError(f"{name} is {'not known' if name in arrays else 'missing'}")
    for name, (length, dtypes) in expected.items():
        array = arrays[name]
        if array.shape != (length,) or array.dtype not in dtypes:
            raise ValueError(f"{name} has the wrong shape or kind of numbers")


def _check_structure(tree: Tree) -> None:
    """Check the ranges of successors and their order."""
    offsets, words = tree.offsets, tree.words
    if offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any() or offsets[-1] != len(words):
        raise ValueError("offsets does not rise from nothing to the number of n-grams")
    contexts = longer = 0
    for shorter, size in zip(tree.sizes, tree.sizes[1:], strict=False):
        contexts, longer = contexts + shorter, longer + size
        if offsets[contexts] != longer:
            raise ValueError("offsets mixes n-grams of different lengths")
    if words.min(initial=0) < 0 or words.max(initial=0) >= tree.vocabulary_size:
        raise ValueError("words holds an id outside the vocabulary")
    # element i is for words i - 1 and i; a context's first word may be below the word before it
    rises = np.ones(len(words) + 1, dtype=np.bool_)
    np.greater(words[1:], words[:-1], out=rises[1:-1])
    rises[offsets] = True
    if not rises.all():
        raise ValueError("words is not sorted within a context")


def _check_probabilities(tree: Tree) -> None:
    """Check that distributions sum to one, without negative numbers or NaN."""
    for name, array in (
        ("unigrams", tree.unigrams),
        ("shares", tree.shares),
        ("backoffs", tree.backoffs),
    ):
        # also refuses NaN, which is the least and the greatest
        if not (array.min(initial=0) >= 0 and array.max(initial=1) <= 1):
            raise ValueError(f"{name} holds a number that is no probability")
    if not (tree.totals.min() >= 0 and tree.totals.max() < np.inf):
        raise ValueError("totals holds a number that is no count")
    if abs(tree.unigrams.sum(dtype=np.float64) - 1) > _TOLERANCE:
        raise ValueError("unigrams does not sum to one")
    mass = tree.backoffs.astype(np.float64)
    starts = tree.offsets[:-1]
    followed = starts < tree.offsets[1:]
    if followed.any():
        mass[followed] += np.add.reduceat(tree.shares, starts[followed], dtype=np.float64)
    if (np.abs(mass - 1) > _TOLERANCE).any():
        raise ValueError("shares and backoffs of a context do not sum to one")
