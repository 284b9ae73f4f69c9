"""Fit what is mixed with a trained network, n-grams and cache, on the validation part."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.config.schema import Config
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import NetworkDecoder, NgramDecoder, chunks_of, gather_targets
from nextword.inference.gating import GatingWeights, fit, mixed_likelihood
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.mixture import Mixture, Parts, combination, combinations
from nextword.ngram.model import NgramModel
from nextword.statistics import safe_exp
from nextword.text.dataset import EncodedText

MAX_WORDS = 20_000
"""Words of the validation part that the weights are fitted to, at most."""
MIN_WORDS = 200
"""With fewer words no weights are fitted."""
SHARPNESS = (0.1, 0.2, 0.4, 0.8)
"""Values tried for the cache."""
MIN_GAIN = 0.005
"""Nats per word that n-grams must save to be kept, unless the configuration decides."""


@dataclass(frozen=True)
class _Scores:
    """How one component, such as the network, scores a text."""

    likelihoods: NDArray[np.float64]
    """Log-probability of each target word, ``(words,)``."""
    gate_features: NDArray[np.float64]
    """``(words, features)``."""


class _Candidate:
    """A mixture of some components, whose weights can be fitted to their scores."""

    def __init__(self, *components: _Scores) -> None:
        self.likelihoods = np.stack([scores.likelihoods for scores in components], 1)
        self.gate_features = np.concatenate([scores.gate_features for scores in components], 1)
        self._cross_validated: dict[bool, float] = {}

    def fit(self, constant: bool, words: slice = slice(None)) -> GatingWeights:
        """The weights; ``constant`` ones ignore the gate features."""
        return fit(self.likelihoods[words], self.gate_features[words], constant)

    def mean(self, weights: GatingWeights, words: slice = slice(None)) -> float:
        """Mean log-probability of the mixture."""
        return mixed_likelihood(self.likelihoods[words], self.gate_features[words], weights)

    def cross_validated(self, constant: bool) -> float:
        """Mean log-probability of each half under the weights fitted to the other; cached."""
        if constant not in self._cross_validated:
            middle = len(self.likelihoods) // 2
            first, second = slice(0, middle), slice(middle, None)
            self._cross_validated[constant] = sum(
                self.mean(self.fit(constant, fitted), measured) / 2
                for fitted, measured in ((first, second), (second, first))
            )
        return self._cross_validated[constant]

    def expected(self) -> float:
        """Mean log-probability to expect of :meth:`best` on another text."""
        return max(self.cross_validated(constant=True), self.cross_validated(constant=False))

    def best(self) -> GatingWeights:
        """Constant weights, or gated ones where cross-validation prefers them."""
        constant = self.cross_validated(constant=True) >= self.cross_validated(constant=False)
        return self.fit(constant)


def fit_mixture(
    loaded: LoadedModel,
    text: EncodedText,
    config: Config,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], object] = lambda label, done, total: None,
) -> Mixture:
    """Count n-grams and fit the weights of every combination of components.

    Args:
        loaded: the trained network, on any device.
        text: the text it was trained on.
        config: its ``mixture`` section says what to mix.
        say: receives a line for the screen on whether n-grams help.
        progress: receives what is being done, how much is done, and of how much (0: unknown).
    """
    wanted = config.mixture
    cache = CacheSettings(size=wanted.cache_size)
    valid = text.parts.get("valid")
    if valid is None or len(valid.ids) < MIN_WORDS:
        if wanted.ngram:
            say("no n-grams are mixed in: the validation part is too small to weigh them")
        return Mixture(cache=cache)
    if wanted.ngram is False and not wanted.cache:
        return Mixture(cache=cache)
    ngram = None
    if wanted.ngram is not False:
        train = text.parts["train"].ids
        progress("counting n-grams", 0, 0)
        ngram = NgramModel.fit(train, len(text.tokenizer), config.model.order)
    caches = [replace(cache, sharpness=value) for value in SHARPNESS] if wanted.cache else []
    ids = valid.ids[:MAX_WORDS]
    network, ngram_scores, cache_scores = _score(
        loaded, ngram, caches, np.asarray(ids), partial(progress, "scoring the validation part")
    )
    if not (np.isfinite(network.likelihoods).all() and np.isfinite(network.gate_features).all()):
        return Mixture(cache=cache)  # a word has no probability; no weights can be fitted
    progress("fitting the mixture", 0, 0)
    candidates: dict[str, _Candidate] = {}
    if ngram_scores is not None:
        candidate = _Candidate(network, ngram_scores)
        gain = candidate.expected() - float(network.likelihoods.mean())
        kept = gain >= MIN_GAIN or (bool(wanted.ngram) and np.isfinite(gain))
        say(_describe_gain(gain, kept))
        if kept:
            candidates[combination(ngram=True, cache=False)] = candidate
        else:
            ngram = None
    if cache_scores:
        with_cache = [_Candidate(network, scores) for scores in cache_scores]
        best = int(np.argmax([each.cross_validated(constant=True) for each in with_cache]))
        cache = caches[best]
        candidates[combination(ngram=False, cache=True)] = with_cache[best]
        if ngram is not None and ngram_scores is not None:
            all_three = _Candidate(network, ngram_scores, cache_scores[best])
            candidates[combination(ngram=True, cache=True)] = all_three
    order = combinations(ngram is not None)
    weights = {names: candidates[names].best() for names in order if names in candidates}
    if not all(each.finite for each in weights.values()):
        return Mixture(cache=cache)
    return Mixture(ngram, cache, weights)


def _describe_gain(gain: float, kept: bool) -> str:
    """How n-grams change the cross-validated perplexity, given what they save in nats per word."""
    change = 100 * (safe_exp(-gain) - 1)
    if not kept and abs(change) < 0.05:
        return "n-grams are left out: mixing them in makes no difference"
    effect = f"{'lowers' if change < 0 else 'raises'} perplexity by {abs(change):.1f} %"
    if not math.isfinite(gain):
        return "n-grams are left out: no weights can be fitted"
    if not kept:
        return f"n-grams are left out: mixing them in {effect}"
    verdict = "help" if change < 0 else "do not help, but are configured"
    return f"n-grams {verdict}: mixing them in {effect}"


def _score(
    loaded: LoadedModel,
    ngram: NgramModel | None,
    caches: list[CacheSettings],
    ids: NDArray[np.integer],
    progress: Callable[[int, int], object],
) -> tuple[_Scores, _Scores | None, list[_Scores]]:
    """Score a text in one pass with every possible component: network, n-grams, caches."""
    size, device = len(loaded.tokenizer), loaded.device
    decoder = Parts(
        NetworkDecoder(loaded.network),
        None if ngram is None else NgramDecoder(ngram, device),
        [Cache(settings, size) for settings in caches],
    )
    likelihoods: list[NDArray[np.float64]] = []  # (words, components) of each chunk
    gate_features: list[list[NDArray[np.float64]]] = []
    done = 0
    for words, following in chunks_of(ids, size):
        distributions, targets = decoder.read(words), following.to(device)
        own = [gather_targets(each.log_probabilities, targets) for each in distributions]
        likelihoods.append(torch.stack(own, 1).double().cpu().numpy())
        gate_features.append([each.gate_features.double().cpu().numpy() for each in distributions])
        done += len(words)
        progress(done, len(ids))
    joined = np.concatenate(likelihoods)
    scores = [
        _Scores(joined[:, component], np.concatenate(chunks))
        for component, chunks in enumerate(zip(*gate_features, strict=True))
    ]
    if ngram is None:
        return scores[0], None, scores[1:]
    return scores[0], scores[1], scores[2:]
