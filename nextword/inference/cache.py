"""The neural cache of Grave, Joulin and Usunier (2017): words that came in places like this one.

What the network made of each place is kept with the word that came there. A place's forecast is
spread over those words, by how alike the places are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nextword.inference.decoder import Distributions


@dataclass(frozen=True)
class CacheSettings:
    """How much a cache keeps, and how it looks."""

    size: int = 2000
    """Places kept."""
    sharpness: float = 0.3
    """Theta: how much more an alike place counts than another."""


class Cache:
    """The last places of a text and the words that came there.

    Args:
        settings: how much to keep, and how to look.
        vocabulary_size: words that may come.
    """

    num_features = 2
    """Evidence: the log-probability of the likeliest word, and log(1 + places kept)."""

    def __init__(self, settings: CacheSettings, vocabulary_size: int) -> None:
        self.size, self.sharpness = settings.size, settings.sharpness
        self.vocabulary_size = vocabulary_size
        self._keys = torch.empty(0)
        self._words = torch.empty(0, dtype=torch.int64)
        self._last: Tensor | None = None

    @torch.no_grad()
    def read(self, ids: Tensor, features: Tensor, without: Tensor) -> Distributions:
        """Remember some words and forecast after each.

        Args:
            ids: the words ``(words,)``.
            features: what the network made of the text up to each of them, ``(words, size)``.
            without: the forecast ``(words, vocabulary)`` to give where nothing is kept yet, or
                where the features are too large to compare.
        """
        ids = ids.to(features.device)
        self._remember(ids, features)
        kept, places = len(self._words), len(ids)
        # the word of entry i was read before place i + new - kept of this call
        new = torch.arange(kept, device=ids.device) - (kept - places)
        place = torch.arange(places, device=ids.device).unsqueeze(1)
        seen = (new <= place) & (new > place - self.size)
        alike = self.sharpness * (features @ self._keys.t())
        alike = alike.masked_fill(~seen, -math.inf)
        shares = alike.softmax(1).nan_to_num()
        # only words that are kept have a share: the rest of the vocabulary is filled in last
        words, which = self._words.unique(return_inverse=True)  # type: ignore[no-untyped-call]
        spread = features.new_zeros(len(words), places)
        own = spread.index_add_(0, which, shares.t().contiguous()).log().t()
        count = seen.sum(1)
        forecast = features.new_full((places, self.vocabulary_size), -math.inf)
        forecast[:, words] = own
        untold = ~(shares.sum(1) > 0)
        forecast[untold] = without[untold]
        num_features = [forecast.amax(1), count.log1p()]
        self._keys, self._words = self._keys[-self.size :], self._words[-self.size :]
        return Distributions(forecast, torch.stack(num_features, 1))

    def _remember(self, ids: Tensor, features: Tensor) -> None:
        """Each word belongs to the place before it; the very first has none."""
        if self._last is None:
            before, words = features[:-1], ids[1:]
        else:
            before, words = torch.cat([self._last, features[:-1]]), ids
        self._last = features[-1:]
        self._keys = torch.cat([self._keys.to(before), before]) if len(self._keys) else before
        self._words = torch.cat([self._words.to(words), words])
