"""The penalties on the features against their definition."""

import torch

from nextword.losses.penalties import activation_penalty

FEATURES = torch.tensor([[[1.0, 2.0], [3.0, 2.0]]])
"""One row of two places: mean square 4.5; one place changes by (2, 0), mean square 2."""


def test_it_is_the_weighted_sum_of_both_mean_squares() -> None:
    assert activation_penalty(FEATURES, 1.0, 0.0).item() == 4.5
    assert activation_penalty(FEATURES, 0.0, 1.0).item() == 2.0
    assert activation_penalty(FEATURES, 2.0, 0.5).item() == 10.0


def test_a_single_place_does_not_change() -> None:
    assert activation_penalty(FEATURES[:, :1], 1.0, 5.0).item() == 2.5


def test_low_precision_is_summed_in_full() -> None:
    features = torch.full((1, 1, 10_000), 0.5, dtype=torch.bfloat16)
    assert activation_penalty(features, 1.0, 0.0).item() == 0.25
