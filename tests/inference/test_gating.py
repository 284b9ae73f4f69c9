"""Weights are found where they are known, follow what is seen, and come back from a file."""

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nextword.inference.decoder import Distributions
from nextword.inference.gating import GatingWeights, fit, mix, mixed_likelihood

Numbers = NDArray[np.float64]


def drawn(shares: Numbers, seed: int = 1) -> Numbers:
    """Likelihoods ``(places, parts)`` of words drawn by one part each, chosen by its share."""
    draw = np.random.default_rng(seed)
    parts = draw.dirichlet(np.full(20, 0.3), size=shares.shape[1])
    cumulated = shares.cumsum(1)
    chosen = (draw.random((len(shares), 1)) > cumulated[:, :-1]).sum(1)
    words = np.array([draw.choice(20, p=parts[part]) for part in chosen])
    found: Numbers = np.log(parts[:, words].T)
    return found


def shares_at(weights: GatingWeights, gate_features: Numbers) -> Numbers:
    found: Numbers = weights.log_shares(torch.from_numpy(gate_features)).exp().numpy()
    return found


@pytest.mark.parametrize("shares", [[0.7, 0.3], [0.2, 0.5, 0.3], [0.95, 0.05]])
@pytest.mark.parametrize("constant", [True, False])
def test_known_shares_are_found(shares: list[float], constant: bool) -> None:
    likelihoods = drawn(np.tile(shares, (8_000, 1)))
    gate_features = np.random.default_rng(2).normal(5, 3, size=(8_000, 2))
    found = shares_at(fit(likelihoods, gate_features, constant), gate_features)
    np.testing.assert_allclose(found.mean(0), shares, atol=0.03)
    assert found.std(0).max() < (1e-9 if constant else 0.05)


def test_shares_that_follow_the_evidence_are_found() -> None:
    gate_features = np.random.default_rng(3).uniform(100, 104, size=(12_000, 1))
    first = 1 / (1 + np.exp(-2 * (gate_features - 102)))
    likelihoods = drawn(np.concatenate([first, 1 - first], 1))
    followed, constant = (fit(likelihoods, gate_features, flag) for flag in (False, True))
    # the words tell only so much of who drew them
    np.testing.assert_allclose(shares_at(followed, gate_features)[:, [0]], first, atol=0.1)
    assert shares_at(constant, gate_features).std(0).max() < 1e-9
    gain = [mixed_likelihood(likelihoods, gate_features, each) for each in (followed, constant)]
    assert gain[0] > gain[1] + 0.05


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("constant", [True, False])
def test_a_mixture_is_never_worse_than_its_best_part(seed: int, constant: bool) -> None:
    draw = np.random.default_rng(seed)
    likelihoods = -draw.gamma(2, 3, size=(300, 3)) - np.array([0, 0, 10 * seed])
    gate_features = draw.normal(size=(300, 4)) * [1, 1e3, 1e-3, 0]
    weights = fit(likelihoods, gate_features, constant)
    mixed = mixed_likelihood(likelihoods, gate_features, weights)
    assert mixed >= likelihoods.mean(0).max() - 1e-4
    if not constant:
        assert mixed >= mixed_likelihood(
            likelihoods, gate_features, fit(likelihoods, gate_features, True)
        )


def test_a_part_that_rules_words_out_is_survived() -> None:
    likelihoods = drawn(np.tile([0.5, 0.5], (400, 1)))
    likelihoods[::3, 1] = -math.inf
    gate_features = np.zeros((400, 1))
    gate_features[::3] = 1
    weights = fit(likelihoods, gate_features)
    assert math.isfinite(mixed_likelihood(likelihoods, gate_features, weights))
    # it counts only where it is of use
    away, there = shares_at(weights, np.array([[1.0], [0.0]]))[:, 1]
    assert away < 0.1 < there
    likelihoods[:, 1] = -math.inf
    for constant in (True, False):
        weights = fit(likelihoods, gate_features, constant)
        assert shares_at(weights, gate_features)[:, 1].max() < 0.05
        assert all(math.isfinite(x) for x in weights.biases.tolist())


def test_a_sign_that_never_changes_has_no_say() -> None:
    likelihoods = drawn(np.tile([0.6, 0.4], (500, 1)))
    weights = fit(likelihoods, np.full((500, 1), 0.1))
    shares = shares_at(weights, np.array([[0.1], [0.0], [7.0]]))
    np.testing.assert_allclose(shares, np.tile(shares[:1], (3, 1)), atol=1e-3)


def some_forecasts() -> list[Distributions]:
    draw = torch.Generator().manual_seed(1)
    return [
        Distributions(
            torch.randn(6, 9, generator=draw).log_softmax(1), torch.randn(6, n, generator=draw)
        )
        for n in (2, 4)
    ]


def some_weights(num_features: int = 6, parts: int = 2) -> GatingWeights:
    draw = np.random.default_rng(9)
    return fit(-draw.gamma(2, 3, size=(50, parts)), draw.normal(size=(50, num_features)))


def test_a_mixture_is_the_weighed_sum_of_its_parts() -> None:
    forecasts, weights = some_forecasts(), some_weights()
    mixed = mix(forecasts, weights)
    assert torch.equal(mixed.gate_features, torch.cat([f.gate_features for f in forecasts], 1))
    for place in range(6):
        gate_features = mixed.gate_features[place].double()
        scores = weights.slopes @ ((gate_features - weights.mean) / weights.scale) + weights.biases
        shares = scores.exp() / scores.exp().sum()
        wanted = sum(shares[i] * forecasts[i].log_probabilities[place].exp() for i in range(2))
        result = mixed.log_probabilities[place].exp()
        torch.testing.assert_close(result, wanted, atol=1e-6, rtol=1e-5)
    targets = torch.tensor([[3], [1], [4], [1], [5], [0]])
    mean = mixed_likelihood(
        torch.cat([f.log_probabilities.gather(1, targets) for f in forecasts], 1).numpy(),
        mixed.gate_features.numpy(),
        weights,
    )
    assert mean == pytest.approx(float(mixed.log_probabilities.gather(1, targets).mean()), abs=1e-6)


def test_a_word_that_one_part_rules_out_keeps_what_the_other_gives() -> None:
    first, second = some_forecasts()
    sure = torch.full((6, 9), -math.inf)
    sure[:, 2] = 0.0
    mixed = mix(
        [first, Distributions(sure, second.gate_features)], GatingWeights.constant([0.75, 0.25], 6)
    )
    wanted = first.log_probabilities.exp() * 0.75
    wanted[:, 2] += 0.25
    torch.testing.assert_close(mixed.log_probabilities.exp(), wanted)


def test_weights_come_back_from_json_as_they_went() -> None:
    weights = some_weights()
    back = GatingWeights.from_dict(
        json.loads(json.dumps(weights.as_dict())), parts=2, num_features=6
    )
    gate_features = torch.randn(5, 6)
    assert torch.equal(back.log_shares(gate_features), weights.log_shares(gate_features))
    constant = GatingWeights.constant([0.9, 0.1], 3)
    back = GatingWeights.from_dict(
        json.loads(json.dumps(constant.as_dict())), parts=2, num_features=3
    )
    torch.testing.assert_close(
        back.log_shares(gate_features[:, :3]).exp()[0], torch.tensor([0.9, 0.1])
    )


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
