"""Which parts read together, by which weights."""

from collections.abc import Callable

import pytest
import torch

from nextword.inference import Adapt
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import NetworkDecoder, NgramDecoder
from nextword.inference.dynamic import DynamicDecoder
from nextword.inference.gating import GatingWeights
from nextword.inference.mixture import (
    CACHE_SHARE,
    Mixture,
    MixtureDecoder,
    Parts,
    combination,
    combinations,
    num_gate_features,
    open_decoder,
)
from nextword.models.base import LanguageModel
from nextword.ngram.model import NgramModel

MakeNetwork = Callable[..., LanguageModel]


def test_parts_are_named_in_one_order() -> None:
    assert combination(ngram=False, cache=False) == "network"
    assert combinations(ngram=False) == ["network+cache"]
    assert combinations(ngram=True) == ["network+cache", "network+ngram", "network+ngram+cache"]


@pytest.mark.parametrize("order", [1, 2, 5])
def test_signs_are_as_many_as_the_parts_give(
    order: int, make_network: MakeNetwork, ids: torch.Tensor, size: int
) -> None:
    counted = NgramDecoder(NgramModel.fit(ids.numpy(), size, order), torch.device("cpu"))
    parts = Parts(NetworkDecoder(make_network()), counted, [Cache(CacheSettings(), size)])
    names = combination(ngram=True, cache=True)
    num_features = [forecast.gate_features.shape[1] for forecast in parts.read(ids)]
    assert num_features == [num_gate_features(name, order) for name in names.split("+")]
    assert sum(num_features) == num_gate_features(names, order)


def test_a_network_alone_is_not_mixed(make_network: MakeNetwork, size: int) -> None:
    network = make_network()
    assert type(open_decoder(network, Mixture(), size)) is NetworkDecoder
    assert type(open_decoder(network, Mixture(), size, "dynamic")) is DynamicDecoder


def apart(network: LanguageModel, mixture: Mixture, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """The probabilities of a network, of n-grams and of a cache, each for itself."""
    decoder = NetworkDecoder(network)
    result = {"network": decoder.read(ids).log_probabilities}
    cache = Cache(mixture.cache, result["network"].shape[1])
    result["cache"] = cache.read(ids, decoder.features, result["network"]).log_probabilities
    if mixture.ngram is not None:
        counted = NgramDecoder(mixture.ngram, torch.device("cpu"))
        result["ngram"] = counted.read(ids).log_probabilities
    return {name: each.exp() for name, each in result.items()}


@pytest.mark.parametrize("adapt", ["none", "cache"])
def test_parts_are_weighed_as_their_combination_says(
    adapt: Adapt, make_network: MakeNetwork, ngram: NgramModel, ids: torch.Tensor, size: int
) -> None:
    shares = {"network+ngram": [0.6, 0.4], "network+ngram+cache": [0.5, 0.2, 0.3]}
    weights = {
        names: GatingWeights.constant(each, num_gate_features(names, ngram.order))
        for names, each in shares.items()
    }
    network, mixture = make_network(), Mixture(ngram, CacheSettings(), weights)
    decoder = open_decoder(network, mixture, size, adapt)
    result = decoder.read(ids).log_probabilities
    each = apart(network, mixture, ids)
    names = combination(ngram=True, cache=adapt == "cache")
    wanted = sum(
        share * each[name] for name, share in zip(names.split("+"), shares[names], strict=True)
    )
    torch.testing.assert_close(result.exp(), wanted)
    assert isinstance(decoder, MixtureDecoder)
    torch.testing.assert_close(decoder.unmixed(result).exp(), each["network"])


@pytest.mark.parametrize("counted", [True, False])
def test_a_cache_that_was_never_weighed_gets_a_small_share(
    counted: bool, make_network: MakeNetwork, ngram: NgramModel, ids: torch.Tensor, size: int
) -> None:
    weights = {
        "network+ngram": GatingWeights.constant([0.6, 0.4], num_gate_features("network+ngram", 3))
    }
    mixture = Mixture(ngram, weights=weights) if counted else Mixture()
    network = make_network()
    result = open_decoder(network, mixture, size, "cache").read(ids).log_probabilities.exp()
    each = apart(network, mixture, ids)
    rest = 0.6 * each["network"] + 0.4 * each["ngram"] if counted else each["network"]
    wanted = (1 - CACHE_SHARE) * rest + CACHE_SHARE * each["cache"]
    torch.testing.assert_close(result, wanted)


def test_a_cache_of_a_learning_network_compares_what_it_learned(
    make_network: MakeNetwork, ids: torch.Tensor, size: int
) -> None:
    network, text = make_network(), ids.repeat(3)
    result = open_decoder(network, Mixture(), size, "both").read(text).log_probabilities.exp()
    learning = DynamicDecoder(network)
    alone = learning.read(text).log_probabilities
    cached = Cache(CacheSettings(), size).read(text, learning.features, alone).log_probabilities
    wanted = (1 - CACHE_SHARE) * alone.exp() + CACHE_SHARE * cached.exp()
    torch.testing.assert_close(result, wanted)
