"""Several forecasts as one, weighed by what is cheap to see.

The weights are a softmax over the parts of a linear function of their evidence (how sure the
network is, how often the n-gram model saw the words before), found on held-out text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.inference.decoder import Distributions

DECAY = 1e-3
"""Pull of the weights towards zero, against fitting a small held-out part by heart."""
STEPS = 50
"""Steps of the search, at most."""


@dataclass(frozen=True)
class GatingWeights:
    """How the forecasts of some parts are weighed.

    ``slopes`` ``(parts, signs)`` and ``biases`` ``(parts,)`` act on the evidence of all parts,
    side by side, less ``mean`` ``(signs,)`` and over ``scale`` ``(signs,)``.
    """

    mean: Tensor
    scale: Tensor
    slopes: Tensor
    biases: Tensor

    def log_shares(self, gate_features: Tensor) -> Tensor:
        """The logarithm of each part's share: ``(places, signs)`` to ``(places, parts)``."""
        standard = (gate_features - self.mean.to(gate_features)) / self.scale.to(gate_features)
        linear = standard @ self.slopes.to(gate_features).t() + self.biases.to(gate_features)
        return linear.log_softmax(1)

    def as_dict(self) -> dict[str, Any]:
        """As numbers, ready for JSON."""
        return {name: getattr(self, name).tolist() for name in _FIELDS}

    @classmethod
    def constant(cls, shares: list[float], num_features: int) -> GatingWeights:
        """Shares that no evidence changes."""
        return cls(
            mean=torch.zeros(num_features),
            scale=torch.ones(num_features),
            slopes=torch.zeros(len(shares), num_features),
            biases=torch.tensor(shares).log(),
        )

    @classmethod
    def from_dict(
        cls, described: Mapping[str, Any], parts: int, num_features: int
    ) -> GatingWeights:
        """What :meth:`as_dict` gave.

        Raises:
            ValueError: they are not finite numbers of float32, as many as parts and signs ask for.
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
                found = np.asarray(described[name])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{name} are no numbers") from error
            # text is no number, even where it could be read as one
            if found.shape != shape or found.dtype.kind not in "iuf":
                raise ValueError(f"{name} are not {shape} numbers")
            tensors[name] = torch.from_numpy(found.astype(np.float64))
            if not tensors[name].float().isfinite().all():
                raise ValueError(f"{name} are not finite")
        if not (tensors["scale"].float() > 0).all():
            raise ValueError("scale is not positive")
        return cls(**tensors)


_FIELDS = ("mean", "scale", "slopes", "biases")


def mix(forecasts: list[Distributions], weights: GatingWeights) -> Distributions:
    """One forecast of several, again a distribution."""
    gate_features = torch.cat([forecast.gate_features for forecast in forecasts], 1)
    shares = weights.log_shares(gate_features)
    mixed = torch.stack(
        [f.log_probabilities + shares[:, [i]] for i, f in enumerate(forecasts)]
    ).logsumexp(0)
    return Distributions(mixed, gate_features)


def fit(
    likelihoods: NDArray[np.floating], gate_features: NDArray[np.floating], constant: bool = False
) -> GatingWeights:
    """The weights under which the words that came were likeliest.

    Args:
        likelihoods: log-probability that each part gave to each word, ``(places, parts)``.
        evidence: what was seen before each word, ``(places, signs)``.
        constant: leave the evidence aside: a share for each part that never changes.
    """
    targets = torch.from_numpy(np.asarray(likelihoods, dtype=np.float64))
    num_features = torch.from_numpy(np.asarray(gate_features, dtype=np.float64))
    mean, scale = num_features.mean(0), num_features.std(0, correction=0).clamp_min(1e-6)
    standard = (num_features - mean) / scale
    parts = targets.shape[1]
    slopes = torch.zeros(
        parts, num_features.shape[1], dtype=torch.float64, requires_grad=not constant
    )
    biases = torch.zeros(parts, dtype=torch.float64, requires_grad=True)
    wanted = [biases] if constant else [slopes, biases]
    search = torch.optim.LBFGS(wanted, max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        shares = (standard @ slopes.t() + biases).log_softmax(1)
        value: Tensor = -(shares + targets).logsumexp(1).mean() + DECAY * slopes.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        search.step(loss)  # type: ignore[no-untyped-call]
    return GatingWeights(mean, scale, slopes.detach(), biases.detach())


def mixed_likelihood(
    likelihoods: NDArray[np.floating], gate_features: NDArray[np.floating], weights: GatingWeights
) -> float:
    """Mean log-probability, in nats, that a mixture gives to the words that came."""
    targets = torch.from_numpy(np.asarray(likelihoods, dtype=np.float64))
    num_features = torch.from_numpy(np.asarray(gate_features, dtype=np.float64))
    return float((weights.log_shares(num_features) + targets).logsumexp(1).mean())
