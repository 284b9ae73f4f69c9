"""The continuous cache of Grave, Joulin and Usunier (2017): recent words in similar contexts.

The network's features at each recent position are kept with the word that followed. The predictive
distribution is spread over those words by the similarity of their features to the current ones.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from nextword.inference.decoder import Distributions, Ids
from nextword.inference.networks import Array

CACHE_FEATURES = 2
"""Gate features of a cache: the log-probability of the likeliest word, and log(1 + words kept)."""


@dataclass(frozen=True)
class CacheSettings:
    """Settings of a cache."""

    size: int = 2000
    """Positions kept."""
    sharpness: float = 0.3
    """Theta, which scales the similarity of features."""


class CacheReadout:
    """A cache after each of some tokens.

    Args:
        settings: how much it keeps, and how sharply it compares.
        features: features of the network after each token, ``(tokens, size)``.
        keys: its features before each kept word, ``(kept, size)``.
        words: the kept words ``(kept,)``, those of the tokens last.
    """

    name = "cache"

    def __init__(self, settings: CacheSettings, features: Array, keys: Array, words: Ids) -> None:
        self.settings = settings
        self.features = features
        self.keys = keys
        self.words = words

    def distributions(self, rows: slice, network: Distributions) -> Distributions:
        """The distributions after some of the tokens.

        Args:
            rows: the tokens to compute distributions for.
            network: the network's distributions there, returned where nothing is kept yet or the
                features are too large to compare.
        """
        positions = np.arange(len(self.features))[rows, None]
        # the word of entry i was read before position i + tokens - kept
        read = np.arange(len(self.words)) - (len(self.words) - len(self.features))
        seen = (read <= positions) & (read > positions - self.settings.size)
        with np.errstate(all="ignore"):  # a row with NaN counts as empty
            similarity = np.float32(self.settings.sharpness) * (self.features[rows] @ self.keys.T)
            similarity[~seen] = -np.inf
            shares = np.exp(similarity - similarity.max(1, keepdims=True, initial=-np.inf))
            shares /= shares.sum(1, keepdims=True)
        empty = ~np.isfinite(shares.sum(1)) | ~seen.any(1)
        shares[empty] = 0
        probabilities = np.zeros_like(network.probabilities)
        # sum the shares by word; only kept words have one
        order = np.argsort(self.words, kind="stable")
        words, begins = np.unique(self.words[order], return_index=True)
        if len(words):
            probabilities[:, words] = np.add.reduceat(shares[:, order], begins, axis=1)
        probabilities[empty] = network.probabilities[empty]
        best = np.log(probabilities.max(1))
        return Distributions(
            probabilities, np.stack([best, np.log1p(seen.sum(1))], 1).astype(np.float32)
        )


class Cache:
    """The last positions of a text and the words that followed."""

    def __init__(self, settings: CacheSettings) -> None:
        self.settings = settings
        self._last: Array | None = None
        self._keys: Array | None = None
        self._words = np.empty(0, dtype=np.int64)

    def read(self, ids: Ids, features: Array) -> CacheReadout:
        """Remember words, each with the features before it, which the very first lacks.

        Args:
            ids: ``(words,)``.
            features: features of the network after each, ``(words, size)``.
        """
        if self._last is None or self._keys is None:
            keys, words = features[:-1], ids[1:]
        else:
            keys = np.concatenate([self._keys, self._last, features[:-1]])
            words = np.concatenate([self._words, ids])
        size = self.settings.size
        self._last, self._keys, self._words = features[-1:], keys[-size:], words[-size:]
        return CacheReadout(self.settings, features, keys, words)

    def fork(self) -> Cache:
        """A cache at the same position that reads on by itself."""
        return copy.copy(self)

    @property
    def nbytes(self) -> int:
        """Bytes of the kept positions and words."""
        return self._words.nbytes + (0 if self._keys is None else self._keys.nbytes)
