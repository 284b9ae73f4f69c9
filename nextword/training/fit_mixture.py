"""What is mixed with a trained network, and by which weights: found on the validation part."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.config.schema import Config
from nextword.formatting import change
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import chunks_of, gather_targets
from nextword.inference.decoders import NetworkDecoder, NgramDecoder
from nextword.inference.gating import GatingWeights, fit, mixed_likelihood
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.mixture import Mixture, Parts, combination, combinations
from nextword.ngram.model import NgramModel
from nextword.text.prepare import EncodedText

WORDS = 20_000
"""Words of the validation part that are looked at, at most."""
FEWEST = 200
"""Fewer words say nothing of weights."""
SHARPNESS = (0.1, 0.2, 0.4, 0.8)
"""Of a cache, tried one after the other."""
WORTH = 0.005
"""Nats a word that n-grams must save to be kept, where the configuration leaves it open."""


@dataclass(frozen=True)
class _Look:
    """What one part said of a text, word by word."""

    likelihoods: NDArray[np.float64]
    """Log-probability of the word that came, ``(words,)``."""
    gate_features: NDArray[np.float64]
    """``(words, signs)``."""


class _Looks:
    """What some parts said of the same text, side by side."""

    def __init__(self, *looks: _Look) -> None:
        self.likelihoods = np.stack([look.likelihoods for look in looks], 1)
        self.gate_features = np.concatenate([look.gate_features for look in looks], 1)
        self._crossed: dict[bool, float] = {}

    def fitted(self, constant: bool, words: slice = slice(None)) -> GatingWeights:
        return fit(self.likelihoods[words], self.gate_features[words], constant)

    def mean(self, weights: GatingWeights, words: slice = slice(None)) -> float:
        """Mean log-probability under a mixture."""
        return mixed_likelihood(self.likelihoods[words], self.gate_features[words], weights)

    def crossed(self, constant: bool) -> float:
        """The same, each half weighed by what the other one taught; found once."""
        if constant not in self._crossed:
            self._crossed[constant] = self._cross(constant)
        return self._crossed[constant]

    def _cross(self, constant: bool) -> float:
        middle = len(self.likelihoods) // 2
        halves = slice(0, middle), slice(middle, None)
        there, back = halves, halves[::-1]
        return sum(
            self.mean(self.fitted(constant, learned), asked) / 2 for learned, asked in (there, back)
        )

    def promise(self) -> float:
        """The better of both: what to expect of :meth:`best` on another text."""
        return max(self.crossed(constant=True), self.crossed(constant=False))

    def best(self) -> GatingWeights:
        """Constant shares, or such as follow the evidence where that is worth it."""
        return self.fitted(constant=self.crossed(constant=True) >= self.crossed(constant=False))


def fit_mixture(
    loaded: LoadedModel, text: EncodedText, config: Config, say: Callable[[str], None]
) -> Mixture:
    """Count n-grams and find what weighs how much.

    Args:
        loaded: the trained network, on any device.
        text: what it was trained on and what was held out.
        config: its ``mixture`` section says what to mix.
        say: is told what came of it.
    """
    wanted = config.mixture
    cache = CacheSettings(size=wanted.cache_size)
    held_out = text.parts.get("valid")
    if held_out is None or len(held_out.ids) < FEWEST:
        if wanted.ngram:
            say("too little is held out to weigh n-grams by, so none are mixed in")
        return Mixture(cache=cache)
    ngram = None
    if wanted.ngram is not False:
        train = text.parts["train"].ids
        ngram = NgramModel.fit(train, len(text.tokenizer), config.model.order)
    caches = [replace(cache, sharpness=value) for value in SHARPNESS] if wanted.cache else []
    network, counted, kept = _look(loaded, ngram, caches, np.asarray(held_out.ids[:WORDS]))
    if not (np.isfinite(network.likelihoods).all() and np.isfinite(network.gate_features).all()):
        return Mixture(cache=cache)  # it ran away; no weights can be found beside it
    alone = float(network.likelihoods.mean())
    looks: dict[str, _Looks] = {}
    if counted is not None:
        both = _Looks(network, counted)
        gain = both.promise() - alone
        worth = bool(wanted.ngram) or gain >= WORTH
        say(_described(gain, worth))
        if worth:
            looks[combination(ngram=True, cache=False)] = both
        else:
            ngram = None
    if kept:
        beside = [_Looks(network, look) for look in kept]
        best = int(np.argmax([look.crossed(constant=True) for look in beside]))
        cache = caches[best]
        looks[combination(ngram=False, cache=True)] = beside[best]
        if ngram is not None and counted is not None:
            looks[combination(ngram=True, cache=True)] = _Looks(network, counted, kept[best])
    order = combinations(ngram is not None)
    weights = {names: looks[names].best() for names in order if names in looks}
    return Mixture(ngram, cache, weights)


def _described(gain: float, kept: bool) -> str:
    perplexity = change(math.exp(min(-gain, 700.0)) - 1, None)
    if kept:
        return f"n-grams are mixed in: perplexity {perplexity} (cross-validated)"
    return f"n-grams are left out: with them perplexity {perplexity} (cross-validated)"


def _look(
    loaded: LoadedModel,
    ngram: NgramModel | None,
    caches: list[CacheSettings],
    ids: NDArray[np.integer],
) -> tuple[_Look, _Look | None, list[_Look]]:
    """Read a text with every part that there might be: network, n-grams, caches."""
    size, device = len(loaded.tokenizer), loaded.device
    decoder = Parts(
        NetworkDecoder(loaded.network),
        None if ngram is None else NgramDecoder(ngram, device),
        [Cache(settings, size) for settings in caches],
    )
    own: list[NDArray[np.float64]] = []
    gate_features: list[list[NDArray[np.float64]]] = []
    for words, following in chunks_of(ids, size):
        forecasts, targets = decoder.read(words), following.to(device)
        found = [gather_targets(forecast.log_probabilities, targets) for forecast in forecasts]
        own.append(torch.stack(found, 1).double().cpu().numpy())
        gate_features.append(
            [forecast.gate_features.double().cpu().numpy() for forecast in forecasts]
        )
    likelihoods = np.concatenate(own)
    looks = [
        _Look(likelihoods[:, i], np.concatenate(pieces))
        for i, pieces in enumerate(zip(*gate_features, strict=True))
    ]
    counted = None if ngram is None else looks[1]
    return looks[0], counted, looks[1 + (ngram is not None) :]
