"""Mix predictive distributions by a gate, from cheap features of each position.

The gate is a softmax over the parts. Its input is a linear function of their features (how sure the
network is, how often the n-gram model saw the context), fitted on held-out text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.inference.decoder import Distributions


@dataclass(frozen=True, eq=False)
class GatingWeights:
    """The gate over some parts.

    ``slopes`` ``(parts, features)`` and ``biases`` ``(parts,)`` act on the gate features of all
    parts, side by side, standardized by ``mean`` and ``scale``, both ``(features,)``. All are
    float64.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    slopes: NDArray[np.float64]
    biases: NDArray[np.float64]

    def log_shares(self, gate_features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logarithm of each part's share: ``(positions, features)`` to ``(positions, parts)``."""
        linear = (gate_features - self.mean) / self.scale @ self.slopes.T + self.biases
        linear -= linear.max(1, keepdims=True)
        log_shares: NDArray[np.float64] = linear - np.log(np.exp(linear).sum(1, keepdims=True))
        return log_shares

    @property
    def finite(self) -> bool:
        """Whether every number is finite in float32."""
        with np.errstate(over="ignore"):
            arrays = [getattr(self, field.name).astype(np.float32) for field in fields(self)]
        return all(np.isfinite(array).all() for array in arrays)

    def as_dict(self) -> dict[str, Any]:
        """As lists of numbers, ready for JSON."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    @classmethod
    def constant(cls, shares: Sequence[float], num_features: int) -> GatingWeights:
        """Shares that do not depend on the features."""
        return cls(
            mean=np.zeros(num_features),
            scale=np.ones(num_features),
            slopes=np.zeros((len(shares), num_features)),
            biases=np.log(np.asarray(shares, dtype=np.float64)),
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
        arrays = {}
        for name, shape in shapes.items():
            try:
                array = np.asarray(stored[name])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{name} are no numbers") from error
            # text is no number, even where it could be read as one
            if array.shape != shape or array.dtype.kind not in "iuf":
                raise ValueError(f"{name} are not {shape} numbers")
            arrays[name] = array.astype(np.float64)
            if (np.abs(arrays[name]) > np.finfo(np.float32).max).any() or np.isnan(array).any():
                raise ValueError(f"{name} are not finite")
        if not (arrays["scale"] >= np.finfo(np.float32).smallest_subnormal).all():
            raise ValueError("scale is not positive")
        return cls(**arrays)


def mix(parts: Sequence[Distributions], weights: GatingWeights) -> Distributions:
    """The mixture of the parts' distributions, again a distribution at each position."""
    if len(parts) == 1:  # keeps its log-probabilities, which may be more exact
        return parts[0]
    gate_features = np.concatenate([part.gate_features for part in parts], 1)
    shares = part_shares(gate_features, weights)
    mixed = parts[0].probabilities * shares[:, :1]
    for part, share in zip(parts[1:], shares.T[1:], strict=True):
        mixed += part.probabilities * share[:, None]
    return Distributions(mixed, gate_features, unmixed=parts[0].unmixed)


def part_shares(gate_features: NDArray[np.floating], weights: GatingWeights) -> NDArray[np.float32]:
    """Each part's share: ``(positions, features)`` to ``(positions, parts)``; rows sum to one."""
    shares: NDArray[np.float32] = np.exp(weights.log_shares(gate_features)).astype(np.float32)
    return shares


def mixed_likelihood(
    likelihoods: NDArray[np.floating], gate_features: NDArray[np.floating], weights: GatingWeights
) -> float:
    """Mean log-probability of the targets under the mixture, in nats.

    Args:
        likelihoods: log-probability of each target under each part, ``(positions, parts)``.
        gate_features: at each position, ``(positions, features)``.
        weights: of the parts.
    """
    mixed = weights.log_shares(np.asarray(gate_features, dtype=np.float64)) + likelihoods
    best = mixed.max(1)
    return float((best + np.log(np.exp(mixed - best[:, None]).sum(1))).mean())
