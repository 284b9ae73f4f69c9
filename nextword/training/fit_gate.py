"""Fit the gate of a mixture on held-out text."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.inference.gating import GatingWeights

L2_PENALTY = 1e-3
"""Penalty on the slopes, against overfitting a small held-out part."""
MAX_ITERATIONS = 50
"""Of L-BFGS."""


def fit_gate(
    likelihoods: NDArray[np.floating], gate_features: NDArray[np.floating], constant: bool = False
) -> GatingWeights:
    """The weights that maximise the likelihood of the targets.

    Args:
        likelihoods: log-probability of each target under each part, ``(positions, parts)``.
        gate_features: at each position, ``(positions, features)``.
        constant: ignore the features and fit one share per part.
    """
    targets = torch.from_numpy(np.asarray(likelihoods, dtype=np.float64))
    inputs = torch.from_numpy(np.asarray(gate_features, dtype=np.float64))
    mean, scale = inputs.mean(0), inputs.std(0, correction=0).clamp_min(1e-6)
    standard = (inputs - mean) / scale
    shape = (targets.shape[1], inputs.shape[1])
    slopes = torch.zeros(shape, dtype=torch.float64, requires_grad=not constant)
    biases = torch.zeros(shape[0], dtype=torch.float64, requires_grad=True)
    learned = [biases] if constant else [slopes, biases]
    optimizer = torch.optim.LBFGS(learned, max_iter=MAX_ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        log_shares = (standard @ slopes.t() + biases).log_softmax(1)
        likelihood = (log_shares + targets).logsumexp(1).mean()
        value: Tensor = -likelihood + L2_PENALTY * slopes.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    fitted = (mean, scale, slopes.detach(), biases.detach())
    return GatingWeights(*(tensor.numpy() for tensor in fitted))
