from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.errors import TextError
from nextword.text.split import split_blocks


def test_the_rule_for_twentieths() -> None:
    parts = split_blocks(np.full(400, 2000), 0.05, 0.05)  # every paragraph is a block
    numbers = np.arange(400)
    assert (np.flatnonzero(parts == 1) == numbers[numbers % 20 == 5]).all()
    assert (np.flatnonzero(parts == 2) == numbers[numbers % 20 == 15]).all()


def test_blocks_are_runs_of_paragraphs() -> None:
    parts = split_blocks(np.full(40_000, 100), 0.05, 0.05)  # 20 paragraphs to the block
    changes = np.flatnonzero(np.diff(parts)) + 1
    assert (changes % 20 == 0).all()
    assert (parts == 1).mean() == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("valid", "test"), [(0.1, 0.1), (0.02, 0.3), (0.5, 0.4), (0.45, 0.45), (0.0, 0.2), (0.013, 0)]
)
def test_any_shares(valid: float, test: float) -> None:
    parts = split_blocks(np.full(3000, 2000), valid, test)
    assert (parts == 1).mean() == pytest.approx(valid, abs=0.001)
    assert (parts == 2).mean() == pytest.approx(test, abs=0.001)


@given(
    lengths=st.lists(st.integers(1, 5000), min_size=3, max_size=300),
    valid=st.floats(0.001, 0.45),
    test=st.floats(0.001, 0.45),
)
def test_every_part_gets_something_and_chance_has_no_say(
    lengths: list[int], valid: float, test: float
) -> None:
    parts = split_blocks(np.array(lengths), valid, test)
    assert set(parts.tolist()) == {0, 1, 2}
    assert (parts == split_blocks(np.array(lengths), valid, test)).all()


def test_nothing_held_out() -> None:
    assert split_blocks(np.array([5]), 0, 0).tolist() == [0]


@pytest.mark.parametrize("lengths", [[], [100], [100, 100]])
def test_too_few_paragraphs(lengths: list[int]) -> None:
    with pytest.raises(TextError, match=rf"has {len(lengths)} line.*mend it, or .*text\.holdout"):
        split_blocks(np.array(lengths, dtype=np.int64), 0.05, 0.05, "line", "mend it")
