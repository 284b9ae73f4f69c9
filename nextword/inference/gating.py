"""Mix several predictive distributions by a gate that looks at cheap features of each position.

The gate is a softmax over the parts of a linear function of their features (how sure the network
is, how often the n-gram model saw the context), fitted on held-out text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.inference.decoder import Distributions

L2_PENALTY = 1e-3
"""On the slopes, against overfitting a small held-out part."""
MAX_ITERATIONS = 50
"""Of the fit."""


@dataclass(frozen=True)
class GatingWeights:
    """The gate over some parts.

    ``slopes`` ``(parts, features)`` and ``biases`` ``(parts,)`` act on the gate features of all
    parts, side by side, minus ``mean`` ``(features,)`` and over ``scale`` ``(features,)``.
    """

    mean: Tensor
    scale: Tensor
    slopes: Tensor
    biases: Tensor

    def log_shares(self, gate_features: Tensor) -> Tensor:
        """Logarithm of each part's share: ``(positions, features)`` to ``(positions, parts)``."""
        standard = (gate_features - self.mean.to(gate_features)) / self.scale.to(gate_features)
        linear = standard @ self.slopes.to(gate_features).t() + self.biases.to(gate_features)
        return linear.log_softmax(1)

    @property
    def finite(self) -> bool:
        """Whether every number is, in float32."""
        return all(getattr(self, part.name).float().isfinite().all() for part in fields(self))

    def as_dict(self) -> dict[str, Any]:
        """As lists of numbers, ready for JSON."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    @classmethod
    def constant(cls, shares: list[float], num_features: int) -> GatingWeights:
        """Shares that do not depend on the features."""
        return cls(
            mean=torch.zeros(num_features),
            scale=torch.ones(num_features),
            slopes=torch.zeros(len(shares), num_features),
            biases=torch.tensor(shares).log(),
        )

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], parts: int, num_features: int) -> GatingWeights:
        """The weights that :meth:`as_dict` gave.

        Raises:
            ValueError: they are not finite float32 numbers in the right shapes.
        """
        shapes = {
            "mean": (num_features,),
            "scale": (num_features,),
            "slopes": (parts, num_features),
            "biases": (parts,),
        }
        tensors = {}
        for name, shape in shapes.items():
            try:
                array = np.asarray(stored[name])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{name} are no numbers") from error
            # text is no number, even where it could be read as one
            if array.shape != shape or array.dtype.kind not in "iuf":
                raise ValueError(f"{name} are not {shape} numbers")
            tensors[name] = torch.from_numpy(array.astype(np.float64))
            if not tensors[name].float().isfinite().all():
                raise ValueError(f"{name} are not finite")
        if not (tensors["scale"].float() > 0).all():
            raise ValueError("scale is not positive")
        return cls(**tensors)


def mix(parts: list[Distributions], weights: GatingWeights) -> Distributions:
    """The mixture of the parts' distributions, again a distribution at each position."""
    gate_features = torch.cat([part.gate_features for part in parts], 1)
    log_shares = weights.log_shares(gate_features)
    mixed = torch.stack(
        [part.log_probabilities + log_shares[:, [i]] for i, part in enumerate(parts)]
    ).logsumexp(0)
    return Distributions(mixed, gate_features)


def fit(
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
    return GatingWeights(mean, scale, slopes.detach(), biases.detach())


def mixed_likelihood(
    likelihoods: NDArray[np.floating], gate_features: NDArray[np.floating], weights: GatingWeights
) -> float:
    """Mean log-probability of the targets under the mixture, in nats.

    Args:
        likelihoods: log-probability of each target under each part, ``(positions, parts)``.
        gate_features: at each position, ``(positions, features)``.
        weights: of the parts.
    """
    targets = torch.from_numpy(np.asarray(likelihoods, dtype=np.float64))
    inputs = torch.from_numpy(np.asarray(gate_features, dtype=np.float64))
    return float((weights.log_shares(inputs) + targets).logsumexp(1).mean())
