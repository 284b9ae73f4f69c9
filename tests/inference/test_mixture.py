"""Which parts read together, by which weights."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.inference import ADAPTATIONS, Adapt
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import NgramDecoder
from nextword.inference.dynamic import DynamicDecoder
from nextword.inference.gating import GatingWeights
from nextword.inference.mixture import (
    CACHE_SHARE,
    Mixture,
    Parts,
    combination,
    combinations,
    num_gate_features,
)
from nextword.inference.pytorch import TorchNetwork
from nextword.ngram.model import NgramModel

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
MakeNetwork = Callable[..., TorchNetwork]
ROUNDING = 2e-6
"""Relative, of probabilities."""


def test_parts_are_named_in_one_order() -> None:
    assert combination(ngram=False, cache=False) == "network"
    assert combinations(ngram=False) == ["network+cache"]
    assert combinations(ngram=True) == ["network+cache", "network+ngram", "network+ngram+cache"]


@pytest.mark.parametrize("order", [1, 2, 5])
def test_signs_are_as_many_as_the_parts_give(
    order: int, make_network: MakeNetwork, ids: Ids, size: int
) -> None:
    counted = NgramDecoder(NgramModel.fit(ids, size, order))
    parts = Parts(make_network().network_decoder(), counted, [Cache(CacheSettings())])
    names = combination(ngram=True, cache=True)
    forecasts = parts.read(ids).distributions()
    num_features = [forecast.gate_features.shape[1] for forecast in forecasts]
    assert num_features == [num_gate_features(name, order) for name in names.split("+")]
    assert sum(num_features) == num_gate_features(names, order)


@pytest.mark.parametrize("adapt", ["none", "dynamic"])
def test_a_network_alone_is_not_mixed(make_network: MakeNetwork, ids: Ids, adapt: Adapt) -> None:
    loaded = make_network()
    learning = adapt == "dynamic"
    alone = DynamicDecoder(loaded.model) if learning else loaded.network_decoder()
    wanted = alone.read(ids).distributions()
    result = loaded.decoder(adapt).read(ids).distributions()
    np.testing.assert_array_equal(result.probabilities, wanted.probabilities)
    # no less exact than the network's own, whose probabilities may be too small for a float
    np.testing.assert_array_equal(result.log_probabilities, wanted.log_probabilities)
    np.testing.assert_array_equal(result.unmixed.log_probabilities, wanted.log_probabilities)


def apart(loaded: TorchNetwork, mixture: Mixture, ids: Ids) -> dict[str, Array]:
    """The probabilities of a network, of n-grams and of a cache, each for itself."""
    readout = loaded.network_decoder().read(ids)
    network = readout.distributions()
    cache = Cache(mixture.cache).read(ids, readout.features)
    result = {
        "network": network.probabilities,
        "cache": cache.distributions(slice(None), network).probabilities,
    }
    if mixture.ngram is not None:
        counted = NgramDecoder(mixture.ngram)
        result["ngram"] = counted.read(ids).distributions().probabilities
    return result


@pytest.mark.parametrize("adapt", ["none", "cache"])
def test_parts_are_weighed_as_their_combination_says(
    adapt: Adapt, make_network: MakeNetwork, ngram: NgramModel, ids: Ids
) -> None:
    shares = {"network+ngram": [0.6, 0.4], "network+ngram+cache": [0.5, 0.2, 0.3]}
    weights = {
        names: GatingWeights.constant(each, num_gate_features(names, ngram.order))
        for names, each in shares.items()
    }
    loaded, mixture = make_network(), Mixture(ngram, CacheSettings(), weights)
    result = loaded.with_mixture(mixture).decoder(adapt).read(ids).distributions()
    each = apart(loaded, mixture, ids)
    names = combination(ngram=True, cache=adapt == "cache")
    wanted = sum(
        share * each[name] for name, share in zip(names.split("+"), shares[names], strict=True)
    )
    np.testing.assert_allclose(result.probabilities, wanted, rtol=ROUNDING)
    np.testing.assert_allclose(result.unmixed.probabilities, each["network"], rtol=ROUNDING)


@pytest.mark.parametrize("counted", [True, False])
def test_a_cache_that_was_never_weighed_gets_a_small_share(
    counted: bool, make_network: MakeNetwork, ngram: NgramModel, ids: Ids
) -> None:
    weights = {
        "network+ngram": GatingWeights.constant([0.6, 0.4], num_gate_features("network+ngram", 3))
    }
    mixture = Mixture(ngram, weights=weights) if counted else Mixture()
    loaded = make_network()
    result = loaded.with_mixture(mixture).decoder("cache").read(ids).distributions()
    each = apart(loaded, mixture, ids)
    rest = 0.6 * each["network"] + 0.4 * each["ngram"] if counted else each["network"]
    wanted = (1 - CACHE_SHARE) * rest + CACHE_SHARE * each["cache"]
    np.testing.assert_allclose(result.probabilities, wanted, rtol=ROUNDING)
    np.testing.assert_allclose(result.unmixed.probabilities, each["network"], rtol=ROUNDING)


def test_a_cache_of_a_learning_network_compares_what_it_learned(
    make_network: MakeNetwork, ids: Ids
) -> None:
    loaded, text = make_network(), np.tile(ids, 3)
    result = loaded.decoder("both").read(text).distributions().probabilities
    learning = DynamicDecoder(loaded.model).read(text)
    alone = learning.distributions()
    cache = Cache(CacheSettings()).read(text, learning.features)
    cached = cache.distributions(slice(None), alone)
    wanted = (1 - CACHE_SHARE) * alone.probabilities + CACHE_SHARE * cached.probabilities
    np.testing.assert_allclose(result, wanted, rtol=ROUNDING)


@pytest.mark.parametrize("adapt", ADAPTATIONS)
def test_a_mixture_leaves_the_model_as_it_is(
    adapt: Adapt, make_network: MakeNetwork, ngram: NgramModel
) -> None:
    loaded = make_network()
    mixed = loaded.with_mixture(Mixture(ngram))
    mixed.decoder(adapt)
    assert loaded.mixture == Mixture() == mixed.alone().mixture
    assert mixed.mixture.ngram is ngram
