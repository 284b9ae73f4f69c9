"""Back-off models as trees: the file's probabilities wherever a tree can hold them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nextword.importing.arpa_file import ArpaFile, NgramTable
from nextword.importing.interpolation import interpolate
from nextword.ngram.model import NgramModel

Gram = tuple[int, ...]
SIZE = 5
WORDS = ["<unk>", "<eos>", "a", "b", "c"]


def model_of(file: ArpaFile) -> NgramModel:
    tree = interpolate(file).tree
    return NgramModel.from_arrays(tree.arrays(), len(file.words), len(tree.sizes), verify=True)


class BackoffModel:
    """The definition of the format, word by word.

    Args:
        probabilities: of the last word of each n-gram.
        backoffs: of contexts; 1 where there is none.
    """

    def __init__(self, probabilities: dict[Gram, float], backoffs: dict[Gram, float]) -> None:
        self.probabilities = probabilities
        self.backoffs = backoffs
        self.order = max(map(len, probabilities))

    def probability(self, context: Gram, word: int) -> float:
        gram = (*context, word)
        if gram in self.probabilities:
            return self.probabilities[gram]
        if not context:
            return 0.0
        return self.backoffs.get(context, 1.0) * self.probability(context[1:], word)

    def row(self, context: Gram) -> NDArray[np.float64]:
        return np.array([self.probability(context, word) for word in range(SIZE)])

    def file(self) -> ArpaFile:
        """The model as it is read from a file, its n-grams in no order."""
        with np.errstate(divide="ignore"):
            logs = np.log10([self.probabilities.get((word,), 0.0) for word in range(SIZE)])
            weights = np.log10([self.backoffs.get((word,), 1.0) for word in range(SIZE)])
            tables = [self._table(length) for length in range(2, self.order + 1)]
        return ArpaFile(WORDS, logs, weights, tables, [])

    def _table(self, length: int) -> NgramTable:
        grams = [gram for gram in self.probabilities if len(gram) == length][::-1]
        logs = np.log10([self.probabilities[gram] for gram in grams])
        weights = np.log10([self.backoffs.get(gram, 1.0) for gram in grams])
        return NgramTable(np.array(grams), logs, weights, np.arange(len(grams)))


def normalized(probabilities: dict[Gram, float], order: int) -> BackoffModel:
    """The model in which the back-offs are what the listed probabilities leave."""
    model = BackoffModel(probabilities, {})
    for length in range(1, order):
        for context in [gram for gram in probabilities if len(gram) == length]:
            listed = [word for word in range(SIZE) if (*context, word) in probabilities]
            if listed:
                left = 1 - sum(probabilities[context + (word,)] for word in listed)
                shorter = model.row(context[1:])
                model.backoffs[context] = left / (1 - shorter[listed].sum())
    return model


KATZ = normalized(
    {
        **{(word,): p for word, p in enumerate([0.1, 0.2, 0.4, 0.2, 0.1])},
        (2, 2): 0.02,  # backing off would give it more
        (2, 3): 0.5,
        (3, 2): 0.6,
        (3, 4): 0.2,
    },
    order=2,
)


def test_an_interpolated_model_is_the_files_exactly() -> None:
    rows = {2: 0.7, 3: 0.2}
    model = normalized(
        {
            **{(word,): p for word, p in enumerate([0.1, 0.2, 0.4, 0.2, 0.1])},
            **{(2, word): p for word, p in rows.items()},
            **{(2, 2, word): p for word, p in {2: 0.8, 4: 0.1}.items()},
        },
        order=3,
    )
    interpolated = interpolate(model.file())
    assert interpolated.changed == 0
    back = model_of(model.file())
    for context in product(range(2, SIZE), repeat=2):
        found = back.probabilities(np.array([context]))[0]
        np.testing.assert_allclose(found, model.row(context), rtol=1e-5)


def test_a_word_rarer_than_backed_off_joins_the_others_that_keep_their_ratios() -> None:
    assert KATZ.probability((2,), 2) < KATZ.backoffs[(2,)] * KATZ.probability((), 2)
    interpolated = interpolate(KATZ.file())
    assert interpolated.changed == 1
    rows = model_of(KATZ.file()).probabilities(np.array([[2], [3]]))
    # after another word nothing changes; here the frequent word keeps its probability
    np.testing.assert_allclose(rows[1], KATZ.row((3,)), rtol=1e-5)
    assert rows[0, 3] == pytest.approx(0.5)
    rest = [0, 1, 2, 4]
    shorter = KATZ.row(())[rest]
    np.testing.assert_allclose(rows[0, rest], 0.5 * shorter / shorter.sum(), rtol=1e-5)


def test_a_suffix_that_the_file_lacks_is_backed_off_from() -> None:
    probabilities: dict[Gram, float] = {(word,): 0.2 for word in range(SIZE)}
    probabilities |= {(2, 3): 0.5, (3, 4): 0.5, (2, 3, 2): 0.6}  # without (3, 2)
    model = normalized(probabilities, order=3)
    row = model_of(model.file()).probabilities(np.array([[2, 3]]))[0]
    np.testing.assert_allclose(row, model.row((2, 3)), rtol=1e-5)


def test_contexts_and_words_that_do_not_sum_to_one_are_made_to() -> None:
    model = BackoffModel(
        {**{(word,): 0.3 for word in range(SIZE)}, (2, 3): 0.5, (3, 2): 0.9, (3, 3): 0.6},
        {(2,): 0.9, (3,): 0.1},
    )
    interpolated = interpolate(model.file())
    assert interpolated.word_total == pytest.approx(1.5)
    assert interpolated.changed == 2
    rows = model_of(model.file()).probabilities(np.array([[2], [3], [4]]))
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)
    assert rows[0, 3] == pytest.approx(0.5)
    np.testing.assert_allclose(rows[1], [0, 0, 0.6, 0.4, 0], atol=1e-6)
    np.testing.assert_allclose(rows[2], 0.2, rtol=1e-5)


probabilities = st.floats(1e-6, 1)


@settings(max_examples=150)
@given(
    st.lists(probabilities, min_size=SIZE, max_size=SIZE),
    st.dictionaries(st.tuples(*[st.integers(1, SIZE - 1)] * 2), probabilities, min_size=1),
    st.dictionaries(st.tuples(*[st.integers(2, SIZE - 1)] * 3), probabilities),
    st.lists(st.floats(1e-4, 100), min_size=SIZE, max_size=SIZE),
)
def test_whatever_a_file_says_every_context_has_a_distribution(
    words: list[float],
    pairs: dict[Gram, float],
    triples: dict[Gram, float],
    weights: list[float],
) -> None:
    grams: dict[Gram, float] = {(word,): p for word, p in enumerate(words)}
    grams |= pairs | {gram: p for gram, p in triples.items() if gram[:2] in pairs}
    file = BackoffModel(grams, {(word,): b for word, b in enumerate(weights)}).file()
    model = model_of(file)
    contexts = np.array(list(product(range(SIZE), repeat=model.order - 1)))
    rows = model.probabilities(contexts)
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
