"""A network with the parts beside it: an n-gram model and a cache of the recent text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nextword.models.base import LanguageModel
from nextword.ngram.model import NgramModel
from nextword.reading.adaptation import Adapt
from nextword.reading.base import Forecast, Reading
from nextword.reading.cache import Cache, CacheSettings
from nextword.reading.dynamic import DynamicReading
from nextword.reading.mixture import Weights, mix
from nextword.reading.network import NetworkReading
from nextword.reading.ngram import NgramReading

CACHE_SHARE = 0.1
"""What a cache weighs beside a model for which nothing better was found on held-out text."""


@dataclass(frozen=True)
class Mixture:
    """What is mixed with a network, and how the parts are weighed."""

    ngram: NgramModel | None = None
    cache: CacheSettings = field(default_factory=CacheSettings)
    weights: dict[str, Weights] = field(default_factory=dict)
    """By the parts' names joined by ``+``, such as ``network+ngram``."""


def combination(ngram: bool, cache: bool) -> str:
    """The name of a set of parts."""
    return "+".join(["network", *["ngram"] * ngram, *["cache"] * cache])


def combinations(ngram: bool) -> list[str]:
    """The names of the sets that a mixture has weights for."""
    flags = [(False, True), (True, False), (True, True)]
    return [combination(*flag) for flag in flags if ngram or not flag[0]]


def signs_of(names: str, order: int) -> int:
    """How many signs the parts of a combination give as evidence.

    Args:
        names: such as ``network+ngram``.
        order: of the n-gram model.
    """
    signs = {"network": NetworkReading.signs, "ngram": order + 1, "cache": Cache.signs}
    return sum(signs[name] for name in names.split("+"))


class Parts:
    """A network and what is mixed with it, reading the same text side by side.

    Args:
        network: reads for itself and for the cache.
        others: in the order of the weights.
    """

    def __init__(self, network: NetworkReading, others: Iterable[NgramReading | Cache]) -> None:
        self.network = network
        self.others = tuple(others)

    def read(self, ids: Tensor) -> list[Forecast]:
        """What each part says after each of some words, the network first."""
        first = self.network.read(ids)
        rest = [
            other.read(ids, self.network.features, first.log_probabilities)
            if isinstance(other, Cache)
            else other.read(ids)
            for other in self.others
        ]
        return [first, *rest]


class MixedReading(Reading):
    """Parts that read the same text, each weighed at each place.

    Args:
        parts: what is mixed.
        weights: how the first of them are weighed; each one after those gets
            :data:`CACHE_SHARE`.
    """

    def __init__(self, parts: Parts, weights: Weights) -> None:
        self.parts = parts
        self.weights = weights
        self.forecasts: list[Forecast] = []
        """What each part said in the last call, the network first."""

    @torch.no_grad()
    def read(self, ids: Tensor) -> Forecast:
        self.forecasts = self.parts.read(ids)
        weighed = len(self.weights.biases)
        mixed = mix(self.forecasts[:weighed], self.weights)
        for other in self.forecasts[weighed:]:
            signs = mixed.evidence.shape[1] + other.evidence.shape[1]
            mixed = mix([mixed, other], Weights.constant([1 - CACHE_SHARE, CACHE_SHARE], signs))
        return mixed


def open_network(
    model: LanguageModel, mixture: Mixture, vocabulary_size: int, adapt: Adapt = "none"
) -> Reading:
    """A network's place at the beginning of a text, with what is mixed with it.

    Args:
        model: the network, on any device.
        mixture: the parts beside it.
        vocabulary_size: words that may come.
        adapt: how to adapt to what is read.
    """
    network = DynamicReading(model) if adapt in ("dynamic", "both") else NetworkReading(model)
    cached = adapt in ("cache", "both")
    others: list[NgramReading | Cache] = []
    if mixture.ngram is not None:
        others.append(NgramReading(mixture.ngram, model.output.weight.device))
    if cached:
        others.append(Cache(mixture.cache, vocabulary_size))
    if not others:
        return network
    weights = Weights.constant([1.0], network.signs)
    # those of all parts, else of those that the held-out text was asked about
    for names in (combination(mixture.ngram is not None, flag) for flag in (False, cached)):
        weights = mixture.weights.get(names, weights)
    return MixedReading(Parts(network, others), weights)
