"""A mixture is the weighted sum of its parts, and its weights come back from a file."""

import json
import math
from typing import Any

import numpy as np
import pytest

from nextword.inference.decoder import Distributions
from nextword.inference.gating import GatingWeights, mix, mixed_likelihood


def some_forecasts() -> list[Distributions]:
    draw = np.random.default_rng(1)
    return [
        Distributions(
            draw.dirichlet(np.ones(9), 6).astype(np.float32),
            draw.normal(size=(6, features)).astype(np.float32),
        )
        for features in (2, 4)
    ]


def some_weights(num_features: int = 6, parts: int = 2) -> GatingWeights:
    draw = np.random.default_rng(9)
    return GatingWeights(
        mean=draw.normal(size=num_features),
        scale=draw.gamma(2, size=num_features),
        slopes=draw.normal(size=(parts, num_features)),
        biases=draw.normal(size=parts),
    )


def test_a_mixture_is_the_weighed_sum_of_its_parts() -> None:
    forecasts, weights = some_forecasts(), some_weights()
    mixed = mix(forecasts, weights)
    np.testing.assert_array_equal(
        mixed.gate_features, np.concatenate([each.gate_features for each in forecasts], 1)
    )
    assert mixed.unmixed is forecasts[0]
    for place in range(6):
        gate_features = mixed.gate_features[place].astype(np.float64)
        scores = weights.slopes @ ((gate_features - weights.mean) / weights.scale) + weights.biases
        shares = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(
            np.exp(weights.log_shares(mixed.gate_features[[place]])[0]), shares
        )
        wanted = sum(shares[i] * forecasts[i].probabilities[place] for i in range(2))
        np.testing.assert_allclose(mixed.probabilities[place], wanted, atol=1e-6, rtol=1e-5)
    targets = np.array([3, 1, 4, 1, 5, 0])
    mean = mixed_likelihood(
        np.stack([each.log_probabilities_of(targets) for each in forecasts], 1),
        mixed.gate_features,
        weights,
    )
    assert mean == pytest.approx(float(mixed.log_probabilities_of(targets).mean()), abs=1e-6)


def test_a_word_that_one_part_rules_out_keeps_what_the_other_gives() -> None:
    first, second = some_forecasts()
    sure = np.zeros((6, 9), dtype=np.float32)
    sure[:, 2] = 1.0
    mixed = mix(
        [first, Distributions(sure, second.gate_features)], GatingWeights.constant([0.75, 0.25], 6)
    )
    wanted = first.probabilities * np.float32(0.75)
    wanted[:, 2] += np.float32(0.25)
    np.testing.assert_allclose(mixed.probabilities, wanted, rtol=1.3e-6)


@pytest.mark.parametrize("gate", [some_weights(2, 1), GatingWeights.constant([1.0], 2)])
def test_a_part_alone_is_itself(gate: GatingWeights) -> None:
    probabilities, gate_features = np.eye(3, dtype=np.float32), np.ones((3, 2), dtype=np.float32)
    exact = np.where(probabilities > 0, np.float32(0), np.float32(-200))
    alone = Distributions(probabilities, gate_features, exact)
    mixed = mix([alone], gate)
    np.testing.assert_array_equal(mixed.probabilities, probabilities)
    np.testing.assert_array_equal(mixed.gate_features, gate_features)
    # known more exactly than as the logarithm of a probability
    np.testing.assert_array_equal(mixed.log_probabilities, exact)


def test_weights_come_back_from_json_as_they_went() -> None:
    weights = some_weights()
    back = GatingWeights.from_dict(
        json.loads(json.dumps(weights.as_dict())), parts=2, num_features=6
    )
    gate_features = np.random.default_rng(2).normal(size=(5, 6))
    np.testing.assert_array_equal(back.log_shares(gate_features), weights.log_shares(gate_features))
    constant = GatingWeights.constant([0.9, 0.1], 3)
    back = GatingWeights.from_dict(
        json.loads(json.dumps(constant.as_dict())), parts=2, num_features=3
    )
    shares = np.exp(back.log_shares(gate_features[:, :3]))
    np.testing.assert_allclose(shares[0], [0.9, 0.1])


GARBAGE: dict[str, dict[str, Any]] = {
    "no mean": {"mean": None},
    "a number": {"mean": 1.5},
    "too few": {"mean": [0.0] * 5},
    "too many": {"biases": [0.0] * 3},
    "the wrong way round": {"slopes": [[0.0] * 2] * 6},
    "ragged": {"slopes": [[0.0] * 6, [0.0] * 5]},
    "too deep": {"biases": [[0.0], [0.0]]},
    "not a number": {"biases": [0.0, math.nan]},
    "infinite": {"slopes": [[math.inf] * 6, [0.0] * 6]},
    "too large for float32": {"mean": [1e300] * 6},
    "too large for any": {"mean": [10**400] * 6},
    "words": {"mean": ["a"] * 6},
    "numbers in quotes": {"mean": ["1.0"] * 6},
    "true and false": {"biases": [True, False]},
    "an object": {"biases": {"0": 0.0}},
    "scale 0": {"scale": [1.0] * 5 + [0.0]},
    "scale all but 0": {"scale": [1.0] * 5 + [1e-60]},
    "scale below 0": {"scale": [-1.0] * 6},
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_are_no_weights_is_refused(garbage: str) -> None:
    described = {**some_weights().as_dict(), **GARBAGE[garbage]}
    (name,) = GARBAGE[garbage]
    with pytest.raises(ValueError, match=f"^{name} "):
        GatingWeights.from_dict(described, parts=2, num_features=6)


@pytest.mark.parametrize("described", [{}, [], "mean", None, {"mean": [0.0] * 6}])
def test_what_lacks_a_field_is_refused(described: Any) -> None:
    with pytest.raises(ValueError, match="are no numbers"):
        GatingWeights.from_dict(described, parts=2, num_features=6)
