from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID, UNKNOWN_ID

Gram = tuple[int, ...]
BEGIN = -1
"""The begin of a line, which the slow model keeps apart from its end."""
SIZE = 6
"""Words: unknown, end, three that texts may have, and one that they never have."""

texts = st.lists(
    st.sampled_from([UNKNOWN_ID, END_ID, END_ID, 2, 2, 2, 3, 3, 4]), min_size=1, max_size=120
)


def slow_counts(ids: list[int], order: int) -> list[dict[Gram, int]]:
    """Adjusted counts of the n-grams of each length."""
    raw: list[Counter[Gram]] = [Counter() for _ in range(order)]
    line = [BEGIN]
    for word in ids:
        line.append(word)
        for length in range(1, min(order, len(line)) + 1):
            raw[length - 1][tuple(line[-length:])] += 1
        if word == END_ID:
            line = [BEGIN]
    for grams in raw:
        grams.pop((BEGIN,), None)
    adjusted: list[dict[Gram, int]] = []
    for length, grams in enumerate(raw, start=1):
        if length == order:
            adjusted.append(dict(grams))
            continue
        before = defaultdict(set)
        for gram in raw[length]:
            before[gram[1:]].add(gram[0])
        adjusted.append(
            {gram: n if gram[0] == BEGIN else len(before[gram]) for gram, n in grams.items()}
        )
    return adjusted


def slow_discounts(grams: dict[Gram, int]) -> list[float]:
    n = [sum(count == times for count in grams.values()) for times in range(5)]
    if 0 in n[1:4]:
        return [0, 0.5, 1, 1.5]
    y = n[1] / (n[1] + 2 * n[2])
    found = [0.0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))]
    return found if all(0 < found[k] <= k for k in (1, 2, 3)) else [0, 0.5, 1, 1.5]


def slow_model(ids: list[int], order: int) -> Callable[[Gram, int], float]:
    """The formulas as they stand in the article; contexts begin with ``BEGIN`` or a word."""
    counts = slow_counts(ids, order)
    lost = [slow_discounts(grams) for grams in counts]

    def probability(context: Gram, word: int) -> float:
        after = {gram: n for gram, n in counts[len(context)].items() if gram[:-1] == context}
        lower = probability(context[1:], word) if context else 1 / SIZE
        if not after:
            return lower
        discount = lost[len(context)]
        total = sum(after.values())
        own = after.get((*context, word), 0)
        taken = sum(discount[min(n, 3)] for n in after.values())
        return (own - discount[min(own, 3)]) / total + taken / total * lower

    return probability


def truncated(context: list[int]) -> Gram:
    """From the last end of a line on, which is the next one's begin."""
    ends = [place for place, word in enumerate(context) if word == END_ID]
    return (BEGIN, *context[ends[-1] + 1 :]) if ends else tuple(context)


def every_context(order: int) -> NDArray[np.int64]:
    every = list(product(range(SIZE), repeat=order - 1))
    return np.array(every, dtype=np.int64).reshape(len(every), order - 1)


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(1, 5))
def test_it_is_the_slow_obvious_model(ids: list[int], order: int) -> None:
    fitted = NgramModel.fit(np.array(ids), SIZE, order)
    some = every_context(order)
    some = some[:: max(len(some) // 20, 1)]
    contexts = np.concatenate([some, fitted.contexts(np.array(ids), fitted.initial_context())])
    slow = slow_model(ids, order)
    expected = np.array(
        [[slow(truncated(context), word) for word in range(SIZE)] for context in contexts.tolist()]
    )
    found = fitted.probabilities(contexts)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    assert fitted.ngram_counts()[1:] == [len(grams) for grams in slow_counts(ids, order)[1:]]


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(1, 5))
def test_any_context_has_a_distribution(ids: list[int], order: int) -> None:
    fitted = NgramModel.fit(np.array(ids, dtype=np.uint16), SIZE, order)
    contexts = every_context(order)
    rows = fitted.probabilities(contexts)
    assert rows.shape == (SIZE ** (order - 1), SIZE)
    assert rows.dtype == np.float32
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("ids", [[], [2], [END_ID], [2] * 50, [END_ID] * 9, [2, END_ID] * 9])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_hardly_any_text_is_enough(ids: list[int], order: int) -> None:
    fitted = NgramModel.fit(np.array(ids, dtype=np.int64), SIZE, order)
    rows = fitted.probabilities(every_context(order))
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    assert np.isfinite(fitted.gate_features(every_context(order))).all()
    again = NgramModel.from_arrays(fitted.arrays(), SIZE, order)
    assert again.ngram_counts() == fitted.ngram_counts()


def test_no_places_are_no_trouble() -> None:
    for order in (1, 3):
        fitted = NgramModel.fit(np.array([2, 3, 2, END_ID]), SIZE, order)
        contexts = fitted.contexts(np.empty(0, dtype=np.int64), fitted.initial_context())
        assert contexts.shape == (0, order - 1)
        assert fitted.probabilities(contexts).shape == (0, SIZE)
        assert fitted.gate_features(contexts).shape == (0, order + 1)
        assert [len(result) for result in fitted.predict(contexts)] == [0, 0]


def test_contexts_run_on_over_windows() -> None:
    fitted = NgramModel.fit(np.array([2, 3, 2, END_ID]), SIZE, 4)
    ids = np.array([2, 3, 4, 2, 3], dtype=np.uint16)
    whole = fitted.contexts(ids, fitted.initial_context())
    assert whole.tolist() == [
        [END_ID, END_ID, 2],
        [END_ID, 2, 3],
        [2, 3, 4],
        [3, 4, 2],
        [4, 2, 3],
    ]
    first = fitted.contexts(ids[:2], fitted.initial_context())
    rest = fitted.contexts(ids[2:], first[-1])
    assert np.array_equal(np.concatenate([first, rest]), whole)


def test_a_match_is_as_long_as_what_was_seen() -> None:
    fitted = NgramModel.fit(np.array([2, 3, 2, 4, END_ID, 3, 3, END_ID]), SIZE, 4)
    contexts = np.array(
        [
            [2, 3, 2],  # seen
            [4, 3, 2],  # its last two words were seen
            [3, 2, 4],  # seen before an end of line
            [2, 4, END_ID],  # a new line knows nothing of the last
            [4, END_ID, 3],
            [3, 3, 5],  # never seen
            [2, 3, UNKNOWN_ID],
            [END_ID, END_ID, END_ID],
        ]
    )
    matches = fitted.match(contexts)
    assert (matches.nodes >= 0).sum(1).tolist() == [3, 2, 3, 1, 2, 0, 0, 1]
    # END 3, the shorter of 4 END 3, is followed by one word; so is 2 3 2
    assert matches.sizes.tolist()[0] == [2, 1, 1]
    assert matches.sizes.tolist()[4] == [3, 1, 0]
    assert np.array_equal(matches.nodes < 0, matches.sizes == 0)


def test_evidence_is_the_longest_match_and_its_count() -> None:
    fitted = NgramModel.fit(np.array([2, 3, 2, 3, 4, END_ID, 2, 3, END_ID]), SIZE, 3)
    found = fitted.gate_features(np.array([[2, 3], [5, 3], [3, 5], [4, END_ID]]))
    assert found.dtype == np.float32
    assert found[:, :3].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 0]]
    # 2 3 stands before 2, 4 and END; different words before 3 2, 3 4 and 3 END: one each;
    # different words before 2, 3, 4 and END: 2, 1, 1 and 2; both lines begin with 2
    assert np.exp(found[:, 3]).tolist() == pytest.approx([1 + 3, 1 + 3, 1 + 6, 1 + 2])


@settings(max_examples=50, deadline=None)
@given(texts, st.integers(1, 5))
def test_both_results_of_a_prediction_are_those_of_one_position_alone(
    ids: list[int], order: int
) -> None:
    fitted = NgramModel.fit(np.array(ids), SIZE, order)
    contexts = every_context(order)[:300]
    before = contexts.copy()
    rows, features = fitted.predict(contexts)
    assert np.array_equal(contexts, before)
    assert np.array_equal(features, fitted.gate_features(contexts))
    for position in range(0, len(contexts), 17):
        alone = fitted.probabilities(contexts[position : position + 1].astype(np.int32))
        assert np.array_equal(alone[0], rows[position])


def test_a_word_never_seen_may_come() -> None:
    fitted = NgramModel.fit(np.array([2, 3, 2, END_ID] * 50), SIZE)
    row = fitted.probabilities(np.array([[END_ID, END_ID, END_ID, 2]]))[0]
    assert row[UNKNOWN_ID] == row[5] > 0
    assert row.argmax() == 3


def test_progress_is_told_after_each_order() -> None:
    result: list[int] = []
    fitted = NgramModel.fit(np.array([2, 3, 2, END_ID]), SIZE, 3, result.append)
    assert result == [1, 2, 3]
    # 2; 3, 2 and END after END, 2, 3 and 2; three of three words
    assert fitted.ngram_counts() == [SIZE, 4, 3]
    assert fitted.parameter_count() == 2 * (SIZE + 4) + 3


@pytest.mark.parametrize(
    ("ids", "size", "order"), [([2, 6], 6, 2), ([-1], 6, 2), ([0], 1, 2), ([2], 6, 0)]
)
def test_what_cannot_be_counted_is_refused(ids: list[int], size: int, order: int) -> None:
    with pytest.raises(ValueError):
        NgramModel.fit(np.array(ids), size, order)
