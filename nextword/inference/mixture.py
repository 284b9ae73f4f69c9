"""A network mixed with an n-gram model and a cache of the recent text."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nextword.inference.cache import CACHE_FEATURES, Cache, CacheReadout, CacheSettings
from nextword.inference.decoder import (
    NETWORK_FEATURES,
    Decoder,
    Distributions,
    Ids,
    ModelReadout,
    NetworkDecoder,
    NetworkReadout,
    NgramDecoder,
    NgramReadout,
    Part,
    Readout,
)
from nextword.inference.gating import GatingWeights, mix, part_shares
from nextword.ngram.model import NgramModel

CACHE_SHARE = 0.1
"""Share of a cache for which none was fitted on held-out text."""


@dataclass(frozen=True)
class Mixture:
    """What is mixed with a network, and the weights of the parts."""

    ngram: NgramModel | None = None
    cache: CacheSettings = field(default_factory=CacheSettings)
    weights: dict[str, GatingWeights] = field(default_factory=dict)
    """By the parts' names joined by ``+``, such as ``network+ngram``."""


def combination(ngram: bool, cache: bool) -> str:
    """The name of a set of parts."""
    return "+".join(["network", *["ngram"] * ngram, *["cache"] * cache])


def combinations(ngram: bool) -> list[str]:
    """The names of the sets of parts that a mixture has weights for."""
    flags = [(False, True), (True, False), (True, True)]
    return [combination(*flag) for flag in flags if ngram or not flag[0]]


def num_gate_features(names: str, order: int) -> int:
    """Number of gate features of a set of parts.

    Args:
        names: such as ``network+ngram``.
        order: of the n-gram model.
    """
    num_features = {"network": NETWORK_FEATURES, "ngram": order + 1, "cache": CACHE_FEATURES}
    return sum(num_features[name] for name in names.split("+"))


class PartsReadout(Readout[list[Distributions]]):
    """A network and what is mixed with it, after each of some tokens."""

    def __init__(
        self,
        network: NetworkReadout,
        ngram: NgramReadout | None,
        caches: Sequence[CacheReadout],
    ) -> None:
        self.network = network
        self.ngram = ngram
        self.caches = caches

    @property
    def names(self) -> list[str]:
        """The name of each part."""
        ngram = [] if self.ngram is None else [self.ngram.name]
        return [self.network.name, *ngram, *(cache.name for cache in self.caches)]

    def distributions(self, rows: slice = slice(None)) -> list[Distributions]:
        """The distributions of each part: the network, the n-grams, the caches."""
        network = self.network.distributions(rows)
        ngram = [] if self.ngram is None else [self.ngram.distributions(rows)]
        return [network, *ngram, *(cache.distributions(rows, network) for cache in self.caches)]


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

    def read(self, ids: Ids) -> PartsReadout:
        """Read on; see :class:`~nextword.inference.decoder.Decoder`."""
        network = self.network.read(ids)
        ngram = None if self.ngram is None else self.ngram.read(ids)
        return PartsReadout(
            network, ngram, [cache.read(ids, network.features) for cache in self.caches]
        )

    def fork(self) -> Parts:
        """The same parts at the same position, which read on by themselves."""
        ngram = None if self.ngram is None else self.ngram.fork()
        return Parts(self.network.fork(), ngram, [cache.fork() for cache in self.caches])

    @property
    def nbytes(self) -> int:
        """Bytes of the states of all parts."""
        ngram = 0 if self.ngram is None else self.ngram.nbytes
        return self.network.nbytes + ngram + sum(cache.nbytes for cache in self.caches)


class MixtureReadout(ModelReadout):
    """A mixture after each of some tokens.

    Args:
        mixed: what is mixed.
        weights: of the first parts; each part after those gets :data:`CACHE_SHARE`.
    """

    def __init__(self, mixed: PartsReadout, weights: GatingWeights) -> None:
        self.mixed = mixed
        self.weights = weights

    def distributions(self, rows: slice = slice(None)) -> Distributions:
        return self._mix(self.mixed.distributions(rows))

    def with_parts(self, token: int) -> tuple[Distributions, list[Part]]:
        by_part = self.mixed.distributions(slice(token, token + 1))
        weighted = len(self.weights.biases)
        features = [part.gate_features for part in by_part[:weighted]]
        shares = part_shares(np.concatenate(features, 1), self.weights)[0].tolist()
        for _ in by_part[weighted:]:
            shares = [share * (1 - CACHE_SHARE) for share in shares] + [CACHE_SHARE]
        parts = [
            Part(name, share, part.probabilities[0])
            for name, share, part in zip(self.mixed.names, shares, by_part, strict=True)
        ]
        return self._mix(by_part), parts

    def _mix(self, by_part: list[Distributions]) -> Distributions:
        weighted = len(self.weights.biases)
        mixed = mix(by_part[:weighted], self.weights)
        for part in by_part[weighted:]:
            num_features = mixed.gate_features.shape[1] + part.gate_features.shape[1]
            shares = GatingWeights.constant([1 - CACHE_SHARE, CACHE_SHARE], num_features)
            mixed = mix([mixed, part], shares)
        return mixed


class MixtureDecoder(Decoder):
    """A mixture: parts that read the same text, weighted at each position.

    Args:
        parts: what is mixed.
        weights: of the first parts; each part after those gets :data:`CACHE_SHARE`.
    """

    def __init__(self, parts: Parts, weights: GatingWeights) -> None:
        self.parts = parts
        self.weights = weights

    def read(self, ids: Ids) -> MixtureReadout:
        return MixtureReadout(self.parts.read(ids), self.weights)

    def fork(self) -> MixtureDecoder:
        other = copy.copy(self)
        other.parts = self.parts.fork()
        return other

    @property
    def nbytes(self) -> int:
        return self.parts.nbytes


def mixture_decoder(network: NetworkDecoder, mixture: Mixture, cached: bool) -> MixtureDecoder:
    """A network at the beginning of a text, with what is mixed with it.

    Args:
        network: at the beginning of the text.
        mixture: the other parts.
        cached: whether a cache is one of them.
    """
    parts = Parts(
        network,
        None if mixture.ngram is None else NgramDecoder(mixture.ngram),
        [Cache(mixture.cache)] if cached else [],
    )
    weights = GatingWeights.constant([1.0], NETWORK_FEATURES)
    # the weights of all parts, else those without a cache, else the network alone
    for names in (combination(mixture.ngram is not None, flag) for flag in (False, cached)):
        weights = mixture.weights.get(names, weights)
    return MixtureDecoder(parts, weights)
