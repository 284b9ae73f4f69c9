"""Shares by rank, counted by hand."""

import math

import numpy as np
import pytest

from nextword.evaluation.accuracy import accuracy, real_words


def test_by_hand() -> None:
    told = accuracy(np.array([1, 2, 4, 10]))
    assert (told.tokens, told.top_1, told.top_3, told.top_5) == (4, 0.25, 0.5, 0.75)
    assert told.mean_reciprocal_rank == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 10) / 4)
    assert set(told.standard_errors.values()) == {None}


def test_some_places_only() -> None:
    told = accuracy(np.array([1, 2, 4, 10]), np.array([False, True, True, False]))
    assert (told.tokens, told.top_1, told.top_3, told.top_5) == (2, 0, 0.5, 1)
    assert told.mean_reciprocal_rank == pytest.approx(3 / 8)


def test_no_places_have_no_shares() -> None:
    told = accuracy(np.array([1, 2]), np.zeros(2, dtype=np.bool_))
    assert told.tokens == 0 and math.isnan(told.top_1) and math.isnan(told.mean_reciprocal_rank)


def test_standard_errors_are_those_of_the_counted_places() -> None:
    # every block of a hundred words has fifty that count, half of them right: no spread
    ranks = np.tile([1, 2, 1, 1], 500)
    even = accuracy(ranks, np.tile([True, True, False, False], 500))
    assert even.top_1 == 0.5 and even.standard_errors["top_1"] == 0
    # all right in one half of the text, all wrong in the other: 20 blocks each 0.5 away
    halves = accuracy(np.repeat([1, 9], 1000))
    assert halves.standard_errors["top_1"] == pytest.approx(0.5 / math.sqrt(39))
    assert halves.standard_errors["mean_reciprocal_rank"] == pytest.approx(
        (1 - 1 / 9) / 2 / math.sqrt(39)
    )


def test_real_words_hold_a_letter_or_digit() -> None:
    words = ["<unk>", "<eos>", "the", "1812", ",", "--", "d'Artagnan", "語", "☞", "<b>"]
    assert real_words(words).tolist() == [False] * 2 + [True] * 2 + [False] * 2 + [
        True,
        True,
        False,
        True,
    ]
