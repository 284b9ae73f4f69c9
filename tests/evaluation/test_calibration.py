"""Calibration, counted by hand."""

import math

import numpy as np
import pytest

from nextword.evaluation.calibration import calibration


def test_by_hand() -> None:
    sure = np.array([0.1, 0.2, 0.25, 0.6, 0.75, 1.0], dtype=np.float32)
    hits = np.array([False, False, True, True, False, True])
    told = calibration(sure, hits, bins=4)
    # bounds belong to the bin below them
    assert [part.tokens for part in told.bins] == [3, 0, 2, 1]
    assert [(part.above, part.up_to) for part in told.bins] == [
        (0, 0.25),
        (0.25, 0.5),
        (0.5, 0.75),
        (0.75, 1),
    ]
    assert told.bins[0].confidence == pytest.approx(0.55 / 3)
    assert told.bins[0].accuracy == pytest.approx(1 / 3)
    assert math.isnan(told.bins[1].confidence) and math.isnan(told.bins[1].accuracy)
    assert told.confidence == pytest.approx(2.9 / 6)
    # 3 words 0.15 off, 2 words 0.175 off, one that is right
    assert told.error == pytest.approx((3 * 0.15 + 2 * 0.175) / 6)


def test_a_model_that_says_what_it_knows_has_hardly_an_error() -> None:
    draw = np.random.default_rng(1)
    sure = draw.uniform(size=200_000)
    hits = draw.uniform(size=200_000) < sure
    assert calibration(sure, hits).error < 0.005
    assert calibration(np.sqrt(sure), hits).error == pytest.approx(1 / 6, abs=0.01)
    assert len(calibration(sure, hits).bins) == 15


def test_nothing_falls_out_at_the_ends() -> None:
    told = calibration(np.array([0.0, 1.0, 1.0000001]), np.ones(3, dtype=np.bool_))
    assert [told.bins[i].tokens for i in (0, 14)] == [1, 2]
