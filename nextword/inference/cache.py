"""The continuous cache of Grave, Joulin and Usunier (2017): recent words in similar contexts.

The network's features at each recent position are kept with the word that followed. The predictive
distribution is spread over those words by the similarity of their features to the current ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nextword.inference.decoder import Distributions


@dataclass(frozen=True)
class CacheSettings:
    """Settings of a cache."""

    size: int = 2000
    """Positions kept."""
    sharpness: float = 0.3
    """Theta, which scales the similarity of features."""


class Cache:
    """The last positions of a text and the words that followed.

    Args:
        settings: how much to keep, and how sharply to compare.
        vocabulary_size: size of the distributions.
    """

    num_features = 2
    """Gate features: the log-probability of the most likely word, and log(1 + positions kept)."""

    def __init__(self, settings: CacheSettings, vocabulary_size: int) -> None:
        self.size, self.sharpness = settings.size, settings.sharpness
        self.vocabulary_size = vocabulary_size
        self._keys = torch.empty(0)
        self._words = torch.empty(0, dtype=torch.int64)
        self._last: Tensor | None = None

    @torch.no_grad()
    def read(self, ids: Tensor, features: Tensor, fallback: Tensor) -> Distributions:
        """Remember some words and predict after each.

        Args:
            ids: ``(words,)``.
            features: the network's at each of them, ``(words, size)``.
            fallback: log-probabilities ``(words, vocabulary)`` to give where nothing is kept yet,
                or where the features are too large to compare.
        """
        ids = ids.to(features.device)
        self._remember(ids, features)
        kept, positions = len(self._words), len(ids)
        # the word of entry i was read before position i + new - kept of this call
        new = torch.arange(kept, device=ids.device) - (kept - positions)
        position = torch.arange(positions, device=ids.device).unsqueeze(1)
        seen = (new <= position) & (new > position - self.size)
        similarity = self.sharpness * (features @ self._keys.t())
        similarity = similarity.masked_fill(~seen, -math.inf)
        shares = similarity.softmax(1).nan_to_num()
        # only words that are kept have a share: the rest of the vocabulary is filled in last
        words, which = self._words.unique(return_inverse=True)  # type: ignore[no-untyped-call]
        spread = features.new_zeros(len(words), positions)
        own = spread.index_add_(0, which, shares.t().contiguous()).log().t()
        count = seen.sum(1)
        log_probabilities = features.new_full((positions, self.vocabulary_size), -math.inf)
        log_probabilities[:, words] = own
        empty = ~(shares.sum(1) > 0)
        log_probabilities[empty] = fallback[empty]
        gate_features = [log_probabilities.amax(1), count.log1p()]
        self._keys, self._words = self._keys[-self.size :], self._words[-self.size :]
        return Distributions(log_probabilities, torch.stack(gate_features, 1))

    def _remember(self, ids: Tensor, features: Tensor) -> None:
        """Each word belongs to the position before it; the very first has none."""
        if self._last is None:
            before, words = features[:-1], ids[1:]
        else:
            before, words = torch.cat([self._last, features[:-1]]), ids
        self._last = features[-1:]
        self._keys = torch.cat([self._keys.to(before), before]) if len(self._keys) else before
        self._words = torch.cat([self._words.to(words), words])
