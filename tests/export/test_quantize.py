"""Weights in eight bits are near the weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.export.quantize import (
    FEWEST_LEVELS,
    FULL_FREQUENCY,
    LEVELS,
    MOST_STEPS,
    quantize,
    word_levels,
)


@given(
    st.integers(1, 9),
    st.integers(1, 40),
    st.sampled_from([1, FEWEST_LEVELS, LEVELS, 2 * LEVELS, 3 * LEVELS, 99 * LEVELS]),
    st.sampled_from([1e-30, 1.0, 1e30]),
    st.integers(0, 99),
)
def test_no_weight_is_further_than_half_a_step(
    rows: int, columns: int, levels: int, scale: float, seed: int
) -> None:
    matrix = np.random.default_rng(seed).normal(0, scale, (rows, columns)).astype(np.float32)
    quantized = quantize(matrix, np.full(rows, levels))
    steps = np.abs(matrix).max(1) / min(levels, MOST_STEPS * LEVELS)
    error = np.abs(quantized.dequantized() - matrix).max(1)
    assert (error <= 0.5001 * steps).all()
    assert quantized.coarse.dtype == quantized.fine.dtype == np.int8
    assert len(quantized.fine) == (rows if levels > LEVELS else 0)


def test_rows_of_zeros_stay_zero() -> None:
    quantized = quantize(np.zeros((2, 3)), np.array([LEVELS, 3 * LEVELS]))
    assert not quantized.dequantized().any()


def test_only_the_first_rows_have_a_second_number() -> None:
    matrix = np.random.default_rng(1).normal(size=(6, 8))
    quantized = quantize(matrix, np.array([1, 5, 1, 3, 1, 0.5]) * LEVELS)
    assert quantized.steps.tolist() == [1, 5, 1, 3]
    assert [bool(row.any()) for row in quantized.fine] == [False, True, False, True]


def test_frequent_words_have_more_levels_and_rare_ones_the_fewest() -> None:
    counts = np.array([1_000_000, int(2_000_000 * FULL_FREQUENCY), 1, 0])
    counts[0] = 2_000_000 - counts[1:].sum()
    levels = word_levels(counts)
    assert levels[0] > MOST_STEPS * LEVELS / 2
    assert levels[1] == pytest.approx(LEVELS)
    assert levels[2:].tolist() == [FEWEST_LEVELS, FEWEST_LEVELS]
    assert np.isfinite(word_levels(np.zeros(3, dtype=np.int64))).all()
