from __future__ import annotations

import numpy as np
import pytest

from nextword.ngram.smoothing import discounts


def counts(*times: int) -> np.ndarray:
    """So many n-grams with a count of 1, 2, 3 and so on, and some with none."""
    return np.repeat(np.arange(len(times) + 1), [7, *times])


def test_discounts_follow_from_how_many_are_rare() -> None:
    common = 100 / (100 + 2 * 40)
    expected = [
        0,
        1 - 2 * common * 40 / 100,
        2 - 3 * common * 20 / 40,
        3 - 4 * common * 12 / 20,
    ]
    assert discounts(counts(100, 40, 20, 12, 9)) == pytest.approx(expected)
    # none with a count of 4 is no hindrance
    assert discounts(counts(100, 40, 20, 0, 9))[3] == 3


@pytest.mark.parametrize(
    "times",
    [
        (),
        (5,),
        (0, 4, 2, 1),  # nothing occurs once
        (9, 4, 0, 1),
        (9, 1, 40, 1),  # the estimate for 2 is below zero
    ],
)
def test_where_they_cannot_be_estimated_there_are_others(times: tuple[int, ...]) -> None:
    assert discounts(counts(*times)).tolist() == [0, 0.5, 1, 1.5]


def test_a_discount_of_nothing_is_none() -> None:
    # 2 - 3 * (6 / (6 + 2 * 3)) * 4 / 3 is 0
    assert discounts(counts(6, 3, 4, 1)).tolist() == [0, 0.5, 1, 1.5]
