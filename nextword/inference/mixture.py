"""A network with the parts beside it: an n-gram model and a cache of the recent text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nextword.inference.adaptation import Adapt
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import Decoder, Distributions
from nextword.inference.dynamic import DynamicDecoder
from nextword.inference.gating import GatingWeights, mix
from nextword.inference.network import NetworkDecoder
from nextword.inference.ngram import NgramDecoder
from nextword.models.base import LanguageModel
from nextword.ngram.model import NgramModel

CACHE_SHARE = 0.1
"""What a cache weighs beside a model for which nothing better was found on held-out text."""


@dataclass(frozen=True)
class Mixture:
    """What is mixed with a network, and how the parts are weighed."""

    ngram: NgramModel | None = None
    cache: CacheSettings = field(default_factory=CacheSettings)
    weights: dict[str, GatingWeights] = field(default_factory=dict)
    """By the parts' names joined by ``+``, such as ``network+ngram``."""


def combination(ngram: bool, cache: bool) -> str:
    """The name of a set of parts."""
    return "+".join(["network", *["ngram"] * ngram, *["cache"] * cache])


def combinations(ngram: bool) -> list[str]:
    """The names of the sets that a mixture has weights for."""
    flags = [(False, True), (True, False), (True, True)]
    return [combination(*flag) for flag in flags if ngram or not flag[0]]


def num_gate_features(names: str, order: int) -> int:
    """How many signs the parts of a combination give as evidence.

    Args:
        names: such as ``network+ngram``.
        order: of the n-gram model.
    """
    num_features = {
        "network": NetworkDecoder.num_features,
        "ngram": order + 1,
        "cache": Cache.num_features,
    }
    return sum(num_features[name] for name in names.split("+"))


class Parts:
    """A network and what is mixed with it, reading the same text side by side.

    Args:
        network: reads for itself and for the cache.
        others: in the order of the weights.
    """

    def __init__(self, network: NetworkDecoder, others: Iterable[NgramDecoder | Cache]) -> None:
        self.network = network
        self.others = tuple(others)

    def read(self, ids: Tensor) -> list[Distributions]:
        """What each part says after each of some words, the network first."""
        first = self.network.read(ids)
        rest = [
            other.read(ids, self.network.features, first.log_probabilities)
            if isinstance(other, Cache)
            else other.read(ids)
            for other in self.others
        ]
        return [first, *rest]


class MixtureDecoder(Decoder):
    """Parts that read the same text, each weighed at each place.

    Args:
        parts: what is mixed.
        weights: how the first of them are weighed; each one after those gets
            :data:`CACHE_SHARE`.
    """

    def __init__(self, parts: Parts, weights: GatingWeights) -> None:
        self.parts = parts
        self.weights = weights
        self.forecasts: list[Distributions] = []
        """What each part said in the last call, the network first."""

    @torch.no_grad()
    def read(self, ids: Tensor) -> Distributions:
        self.forecasts = self.parts.read(ids)
        weighed = len(self.weights.biases)
        mixed = mix(self.forecasts[:weighed], self.weights)
        for other in self.forecasts[weighed:]:
            num_features = mixed.gate_features.shape[1] + other.gate_features.shape[1]
            mixed = mix(
                [mixed, other], GatingWeights.constant([1 - CACHE_SHARE, CACHE_SHARE], num_features)
            )
        return mixed


def open_network(
    model: LanguageModel, mixture: Mixture, vocabulary_size: int, adapt: Adapt = "none"
) -> Decoder:
    """A network's place at the beginning of a text, with what is mixed with it.

    Args:
        model: the network, on any device.
        mixture: the parts beside it.
        vocabulary_size: words that may come.
        adapt: how to adapt to what is read.
    """
    network = DynamicDecoder(model) if adapt in ("dynamic", "both") else NetworkDecoder(model)
    cached = adapt in ("cache", "both")
    others: list[NgramDecoder | Cache] = []
    if mixture.ngram is not None:
        others.append(NgramDecoder(mixture.ngram, model.output.weight.device))
    if cached:
        others.append(Cache(mixture.cache, vocabulary_size))
    if not others:
        return network
    weights = GatingWeights.constant([1.0], network.num_features)
    # those of all parts, else of those that the held-out text was asked about
    for names in (combination(mixture.ngram is not None, flag) for flag in (False, cached)):
        weights = mixture.weights.get(names, weights)
    return MixtureDecoder(Parts(network, others), weights)
