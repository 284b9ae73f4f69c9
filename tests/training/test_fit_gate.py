"""Weights of a gate are found where they are known, and follow what is seen."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.inference.gating import GatingWeights, mixed_likelihood
from nextword.training.fit_gate import fit_gate

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
    found: Numbers = np.exp(weights.log_shares(gate_features))
    return found


@pytest.mark.parametrize("shares", [[0.7, 0.3], [0.2, 0.5, 0.3], [0.95, 0.05]])
@pytest.mark.parametrize("constant", [True, False])
def test_known_shares_are_found(shares: list[float], constant: bool) -> None:
    likelihoods = drawn(np.tile(shares, (8_000, 1)))
    gate_features = np.random.default_rng(2).normal(5, 3, size=(8_000, 2))
    found = shares_at(fit_gate(likelihoods, gate_features, constant), gate_features)
    np.testing.assert_allclose(found.mean(0), shares, atol=0.03)
    assert found.std(0).max() < (1e-9 if constant else 0.05)


def test_shares_that_follow_the_evidence_are_found() -> None:
    gate_features = np.random.default_rng(3).uniform(100, 104, size=(12_000, 1))
    first = 1 / (1 + np.exp(-2 * (gate_features - 102)))
    likelihoods = drawn(np.concatenate([first, 1 - first], 1))
    followed, constant = (fit_gate(likelihoods, gate_features, flag) for flag in (False, True))
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
    weights = fit_gate(likelihoods, gate_features, constant)
    mixed = mixed_likelihood(likelihoods, gate_features, weights)
    assert mixed >= likelihoods.mean(0).max() - 1e-4
    if not constant:
        constant_weights = fit_gate(likelihoods, gate_features, True)
        assert mixed >= mixed_likelihood(likelihoods, gate_features, constant_weights)


def test_a_part_that_rules_words_out_is_survived() -> None:
    likelihoods = drawn(np.tile([0.5, 0.5], (400, 1)))
    likelihoods[::3, 1] = -math.inf
    gate_features = np.zeros((400, 1))
    gate_features[::3] = 1
    weights = fit_gate(likelihoods, gate_features)
    assert math.isfinite(mixed_likelihood(likelihoods, gate_features, weights))
    # it counts only where it is of use
    away, there = shares_at(weights, np.array([[1.0], [0.0]]))[:, 1]
    assert away < 0.1 < there
    likelihoods[:, 1] = -math.inf
    for constant in (True, False):
        weights = fit_gate(likelihoods, gate_features, constant)
        assert shares_at(weights, gate_features)[:, 1].max() < 0.05
        assert all(math.isfinite(x) for x in weights.biases.tolist())


def test_a_sign_that_never_changes_has_no_say() -> None:
    likelihoods = drawn(np.tile([0.6, 0.4], (500, 1)))
    weights = fit_gate(likelihoods, np.full((500, 1), 0.1))
    shares = shares_at(weights, np.array([[0.1], [0.0], [7.0]]))
    np.testing.assert_allclose(shares, np.tile(shares[:1], (3, 1)), atol=1e-3)
