"""A pruned tree is a model again, and keeps what matters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nextword.export.prune import prune
from nextword.export.suffixes import context_nodes, suffix_nodes
from nextword.ngram.model import NgramModel
from nextword.ngram.tree import MISSING, Tree

SIZE = 9

texts = st.tuples(st.integers(0, 400), st.integers(0, 99)).map(
    lambda drawn: np.random.default_rng(drawn[1]).integers(0, SIZE, drawn[0])
)


def words_of(tree: Tree) -> list[tuple[int, ...]]:
    """The words of each n-gram, by nodes."""
    words = np.concatenate([np.arange(tree.vocabulary_size), tree.words])
    ngrams: list[tuple[int, ...]] = []
    for context, word in zip(context_nodes(tree), words.tolist(), strict=True):
        ngrams.append((*(() if context == MISSING else ngrams[context]), word))
    return ngrams


def counts_of(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(ids, minlength=SIZE)


@given(texts, st.integers(1, 5))
def test_the_suffix_of_an_ngram_lacks_its_first_word(ids: NDArray[np.int64], order: int) -> None:
    tree = NgramModel.fit(ids, SIZE, order).tree
    ngrams = words_of(tree)
    for ngram, suffix in zip(ngrams, suffix_nodes(tree), strict=True):
        assert len(ngram) == 1 or ngrams[suffix] == ngram[1:]


@given(texts, st.integers(1, 5), st.integers(0, 900))
def test_it_is_a_normalised_tree_of_so_many_ngrams(
    ids: NDArray[np.int64], order: int, num_ngrams: int
) -> None:
    tree = NgramModel.fit(ids, SIZE, order).tree
    pruned = prune(tree, counts_of(ids), num_ngrams)
    assert len(pruned.words) <= num_ngrams
    # verifies that all shares and back-offs sum to one
    model = NgramModel.from_arrays(pruned.arrays(), SIZE, order)
    contexts = np.random.default_rng(1).integers(0, SIZE, (40, order - 1))
    np.testing.assert_allclose(model.probabilities(contexts).sum(1), 1, atol=1e-5)
    assert (suffix_nodes(pruned)[SIZE:] != MISSING).all()
    if num_ngrams >= len(tree.words):
        before = NgramModel(tree).probabilities(contexts)
        np.testing.assert_array_equal(model.probabilities(contexts), before)


@given(texts, st.integers(2, 5), st.integers(0, 900))
def test_a_removed_share_goes_to_the_shorter_context(
    ids: NDArray[np.int64], order: int, num_ngrams: int
) -> None:
    tree = NgramModel.fit(ids, SIZE, order).tree
    pruned = prune(tree, counts_of(ids), num_ngrams)
    shares = dict(zip(words_of(tree)[SIZE:], tree.shares.tolist(), strict=True))
    kept = dict(zip(words_of(pruned)[SIZE:], pruned.shares.tolist(), strict=True))
    assert kept.items() <= shares.items()
    backoffs = dict(zip(words_of(tree), tree.backoffs.tolist(), strict=False))
    for context, backoff in zip(words_of(pruned), pruned.backoffs.tolist(), strict=False):
        removed = sum(
            share for ngram, share in shares.items() if ngram[:-1] == context and ngram not in kept
        )
        assert backoff == pytest.approx(backoffs[context] + removed, abs=1e-6)


def test_what_often_occurs_and_surprises_stays() -> None:
    draw = np.random.default_rng(2)
    phrase, size = [20, 21, 22, 23], 24
    text = np.concatenate(
        [[*draw.integers(2, 20, 9), *(phrase if number % 4 == 0 else [])] for number in range(400)]
    )
    counts = np.bincount(text, minlength=size)
    tree = NgramModel.fit(text, size, 4).tree
    pruned = prune(tree, counts, len(tree.words) // 50)
    assert {(20, 21), (21, 22), (22, 23)} <= set(words_of(pruned))
    context = np.array([phrase[:3]])
    before, after = (NgramModel(t).probabilities(context)[0, 23] for t in (tree, pruned))
    assert before > 0.9 and after == pytest.approx(before, rel=0.05)


def test_it_costs_less_than_removing_ngrams_at_random() -> None:
    draw = np.random.default_rng(3)
    # a Markov chain of sharply different transitions
    transitions = draw.dirichlet(np.full(SIZE, 0.2), SIZE)
    ids = [2]
    for _ in range(3000):
        ids.append(int(draw.choice(SIZE, p=transitions[ids[-1]])))
    text = np.array(ids)
    model = NgramModel.fit(text, SIZE, 3)
    contexts = model.contexts(text[:-1], model.initial_context())

    def surprisal(tree: Tree) -> float:
        rows = NgramModel(tree).probabilities(contexts)
        return float(-np.log(rows[np.arange(len(rows)), text[1:]]).mean())

    number = len(model.tree.words) // 3
    # counts that say nothing of the text make the choice worse
    informed = surprisal(prune(model.tree, counts_of(text), number))
    misled = surprisal(prune(model.tree, counts_of(text)[::-1].copy(), number))
    assert surprisal(model.tree) < informed < misled


def test_an_ngram_without_its_suffix_goes_and_its_successors_too() -> None:
    tree = NgramModel.fit(np.array([2, 3, 4, 5, 2, 3, 4, 5]), SIZE, 4).tree
    # no longer the suffix of (2, 3, 4)
    node = words_of(tree).index((3, 4))
    words = tree.words.copy()
    words[node - SIZE] = 7
    broken = Tree(**{**vars(tree), "words": words})
    remaining = set(words_of(prune(broken, np.ones(SIZE, dtype=np.int64), 10**6)))
    assert (2, 3) in remaining and (3, 7) in remaining
    assert not {(2, 3, 4), (2, 3, 4, 5), (3, 7, 5)} & remaining
