"""Penalties on the features, added to the loss as regularisation."""

from __future__ import annotations

from torch import Tensor


def activation_penalty(features: Tensor, size: float, change: float) -> Tensor:
    """Activation and temporal activation regularisation (Merity and others, 2017).

    Args:
        features: ``(batch, time, size)``.
        size: weight of the mean square of the features.
        change: weight of the mean square of their change from one position to the next.
    """
    features = features.float()
    penalty = size * features.square().mean()
    if change and features.shape[1] > 1:
        penalty = penalty + change * features.diff(dim=1).square().mean()
    return penalty
