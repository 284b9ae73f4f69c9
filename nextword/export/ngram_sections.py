"""A tree of n-grams as small sections of bytes.

Each length of two words or more has six sections:

- ``successors``: how many n-grams follow each context, as varints.
- ``words``: the n-grams. The smoothing backs off from a context to its suffix, and whatever follows
  the one also follows the other. So a word is its place among the successors of the suffix, which
  are few; for n-grams of two words it is the word's id. In a context the first place is stored,
  then the number of places left out before each further one, as varints.
- ``shares`` and ``totals``: codes of the counted numbers, each less its discount, and of their
  totals after each context that is followed by any, as pairs of bytes: first all low bytes, then
  all high ones, which are mostly zero. ``share_values`` and ``total_values`` are what they mean.

A share is its value divided by the total. Back-offs are what the shares leave of one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nextword.export.suffixes import context_nodes, levels, suffix_nodes
from nextword.export.varints import encode_varints
from nextword.ngram.tree import Tree

Sections = dict[str, NDArray[np.uint8] | NDArray[np.float32]]

FINEST_STEP = 1e-5
"""Relative difference up to which two values count as one."""
MOST_VALUES = 1 << 16
"""Values of a section, at most; with more, larger differences count as none."""


def ngram_sections(tree: Tree) -> Sections:
    """The sections by name.

    Args:
        tree: holds the suffix of each of its n-grams, as a pruned one does.
    """
    sections: Sections = {"ngram.unigrams": tree.unigrams, "ngram.total": tree.totals[:1]}
    contexts, suffixes = context_nodes(tree), suffix_nodes(tree)
    totals = np.maximum(tree.totals[1:].astype(np.float64), 1)
    size = tree.vocabulary_size
    for length, (shorter, level) in enumerate(
        zip(levels(tree), levels(tree)[1:], strict=False), start=2
    ):
        successors = np.diff(tree.offsets[shorter.start : shorter.stop + 1])
        context, suffix = contexts[level], suffixes[level]
        # of the suffix of the context; the empty context is followed by every word
        first = 0 if length == 2 else tree.offsets[suffixes[context]] + size
        kept = totals[shorter][successors > 0].astype(np.float32)
        total_codes, total_values = codebook(kept)
        rounded = np.ones(shorter.stop - shorter.start)
        rounded[successors > 0] = total_values[total_codes]
        shares = tree.shares[level.start - size : level.stop - size].astype(np.float64)
        codes, values = codebook((shares * rounded[context - shorter.start]).astype(np.float32))
        sections |= {
            f"ngram.{length}.successors": encode_varints(successors),
            f"ngram.{length}.words": encode_varints(_gaps(suffix - first, successors)),
            f"ngram.{length}.shares": _planes(codes),
            f"ngram.{length}.share_values": values,
            f"ngram.{length}.totals": _planes(total_codes),
            f"ngram.{length}.total_values": total_values,
        }
    return sections


def codebook(numbers: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Codes of numbers of zero or more, ``(numbers,)``, and the number that each code means.

    Numbers that differ too little count as the least of them, so that shares do not exceed one.
    """
    step = FINEST_STEP
    tiny = np.finfo(np.float32).tiny
    logarithms = np.log(np.maximum(numbers.astype(np.float64), tiny))
    while True:
        bins = np.floor(logarithms / step).astype(np.int64)
        _, first, codes = np.unique(bins, return_index=True, return_inverse=True)
        if len(first) <= MOST_VALUES:
            break
        step *= 2
    values = np.full(len(first), np.inf, dtype=np.float32)
    np.minimum.at(values, codes, numbers)
    return codes.astype(np.int64), values


def _gaps(places: NDArray[np.int64], successors: NDArray[np.integer]) -> NDArray[np.int64]:
    """Numbers that rise within a context as the differences, less one, from the ones before."""
    gaps = np.diff(places, prepend=-1) - 1
    starts = (successors.cumsum() - successors)[successors > 0]
    gaps[starts] = places[starts]
    return gaps


def _planes(codes: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.concatenate([codes & 255, codes >> 8]).astype(np.uint8)
