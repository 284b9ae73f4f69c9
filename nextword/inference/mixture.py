"""A network mixed with an n-gram model and a cache of the recent text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nextword.inference import Adapt
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import Decoder, Distributions, NetworkDecoder, NgramDecoder
from nextword.inference.dynamic import DynamicDecoder
from nextword.inference.gating import GatingWeights, mix
from nextword.models.base import LanguageModel
from nextword.ngram.model import NgramModel

CACHE_SHARE = 0.1
"""Share of a cache beside a model for which no better one was found on held-out text."""


@dataclass(frozen=True)
class Mixture:
    """What is mixed with a network, and how the parts are weighted."""

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
    """Number of gate features of a set of parts.

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
        network: reads for itself and for the caches.
        ngram: an n-gram model.
        caches: caches of the recent text; several only to compare their settings.
    """

    def __init__(
        self,
        network: NetworkDecoder,
        ngram: NgramDecoder | None = None,
        caches: Sequence[Cache] = (),
    ) -> None:
        self.network = network
        self.ngram = ngram
        self.caches = caches

    def read(self, ids: Tensor) -> list[Distributions]:
        """The distributions of each part: the network, the n-grams, the caches."""
        network = self.network.read(ids)
        ngram = [] if self.ngram is None else [self.ngram.read(ids)]
        caches = [
            cache.read(ids, self.network.features, network.log_probabilities)
            for cache in self.caches
        ]
        return [network, *ngram, *caches]


class MixtureDecoder(Decoder):
    """Parts that read the same text, weighted at each position.

    Args:
        parts: what is mixed.
        weights: of the first parts; each part after those gets :data:`CACHE_SHARE`.
    """

    def __init__(self, parts: Parts, weights: GatingWeights) -> None:
        self.parts = parts
        self.weights = weights
        self.by_part: list[Distributions] = []
        """The distributions of each part in the last call, the network's first."""

    @torch.no_grad()
    def read(self, ids: Tensor) -> Distributions:
        self.by_part = self.parts.read(ids)
        weighted = len(self.weights.biases)
        mixed = mix(self.by_part[:weighted], self.weights)
        for part in self.by_part[weighted:]:
            num_features = mixed.gate_features.shape[1] + part.gate_features.shape[1]
            shares = GatingWeights.constant([1 - CACHE_SHARE, CACHE_SHARE], num_features)
            mixed = mix([mixed, part], shares)
        return mixed

    def unmixed(self, log_probabilities: Tensor) -> Tensor:
        return self.by_part[0].log_probabilities


def open_decoder(
    model: LanguageModel, mixture: Mixture, vocabulary_size: int, adapt: Adapt = "none"
) -> Decoder:
    """A network at the beginning of a text, with what is mixed with it.

    Args:
        model: the network, on any device.
        mixture: the other parts.
        vocabulary_size: size of the distributions.
        adapt: how to adapt to the text.
    """
    network = DynamicDecoder(model) if adapt in ("dynamic", "both") else NetworkDecoder(model)
    cached = adapt in ("cache", "both")
    if mixture.ngram is None and not cached:
        return network
    parts = Parts(
        network,
        None if mixture.ngram is None else NgramDecoder(mixture.ngram, model.output.weight.device),
        [Cache(mixture.cache, vocabulary_size)] if cached else [],
    )
    weights = GatingWeights.constant([1.0], network.num_features)
    # those of all parts, else of those that were weighted on held-out text
    for names in (combination(mixture.ngram is not None, flag) for flag in (False, cached)):
        weights = mixture.weights.get(names, weights)
    return MixtureDecoder(parts, weights)
