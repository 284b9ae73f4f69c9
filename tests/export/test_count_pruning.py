"""Counts are recovered from a fitted tree exactly, or not at all."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nextword.errors import ConfigError, ModelError
from nextword.export.count_pruning import occurrences, prune_counts
from nextword.export.prune import prune
from nextword.export.suffixes import context_nodes
from nextword.ngram.model import NgramModel
from nextword.ngram.smoothing import fit_tree
from nextword.ngram.tree import Tree
from nextword.text.vocabulary import END_ID

Ids = NDArray[np.int64]
Gram = tuple[int, ...]
SIZE = 9


def text(length: int, seed: int = 3) -> Ids:
    return np.random.default_rng(seed).zipf(1.4, length) % SIZE


def grams(tree: Tree) -> list[Gram]:
    """The words of each node."""
    contexts, found = context_nodes(tree), [(word,) for word in range(SIZE)]
    words: list[Gram] = list(found)
    for node in range(SIZE, sum(tree.sizes)):
        words.append((*words[contexts[node]], int(tree.words[node - SIZE])))
    return words


def slow_occurrences(ids: Ids, order: int) -> Counter[Gram]:
    """How often each n-gram occurs; none spans an end."""
    stream = [END_ID, *ids.tolist()]
    return Counter(
        gram
        for length in range(2, order + 1)
        for gram in zip(*(stream[i:] for i in range(length)), strict=False)
        if END_ID not in gram[1:-1]
    )


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("length", [60, 1000, 20_000])
def test_occurrences_are_those_of_the_text(order: int, length: int) -> None:
    ids = text(length)
    tree = fit_tree(ids, SIZE, order)
    found = dict(zip(grams(tree), occurrences(tree).tolist(), strict=True))
    assert {gram: n for gram, n in found.items() if len(gram) > 1} == slow_occurrences(ids, order)


@settings(max_examples=100)
@given(st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=60), st.integers(2, 4))
def test_small_texts_give_exact_counts_or_none(ids: list[int], order: int) -> None:
    tree = fit_tree(np.array(ids), SIZE, order)
    try:
        found = dict(zip(grams(tree), occurrences(tree).tolist(), strict=True))
    except ModelError:
        return
    expected = slow_occurrences(np.array(ids), order)
    assert {gram: n for gram, n in found.items() if len(gram) > 1} == expected


def test_pruning_leaves_what_is_above_the_thresholds_and_sums_of_one() -> None:
    ids = text(5000)
    pruned = prune_counts(fit_tree(ids, SIZE, 4), [0, 1, 2])
    kept = {gram for gram in grams(pruned) if len(gram) > 1}
    least = {2: 2, 3: 3, 4: 3}
    expected = slow_occurrences(ids, 4)
    assert kept == {gram for gram, n in expected.items() if n >= least[len(gram)]}
    model = NgramModel.from_arrays(pruned.arrays(), SIZE, 4, verify=True)
    contexts = np.random.default_rng(1).integers(0, SIZE, (200, 3))
    np.testing.assert_allclose(model.probabilities(contexts).sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("thresholds", [[1], [0, 2, 1], [1, 1], [0, -1]])
def test_thresholds_that_make_no_sense_are_refused(thresholds: list[int]) -> None:
    with pytest.raises(ConfigError, match="such as 0,1,2"):
        prune_counts(fit_tree(text(100), SIZE, 3), thresholds)


def test_a_pruned_tree_is_not_pruned_by_counts_that_it_has_lost() -> None:
    tree = fit_tree(text(5000), SIZE, 3)
    smaller = prune(tree, np.bincount(text(5000), minlength=SIZE), 100)
    with pytest.raises(ModelError, match="which are not known"):
        prune_counts(smaller, [0, 1])
