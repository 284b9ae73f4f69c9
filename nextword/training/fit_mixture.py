"""Fit what is mixed with a trained network, n-grams and cache, on the validation part."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nextword.config.schema import Config
from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import Distributions, Ids, NgramDecoder
from nextword.inference.gating import GatingWeights, mixed_likelihood
from nextword.inference.loaded_model import LoadedNetwork
from nextword.inference.mixture import Mixture, Parts, combination, combinations
from nextword.inference.scoring import score_stream
from nextword.ngram.model import NgramModel
from nextword.statistics import safe_exp
from nextword.text.dataset import EncodedText
from nextword.training.clock import spread
from nextword.training.fit_gate import fit_gate

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
        return fit_gate(self.likelihoods[words], self.gate_features[words], constant)

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


@dataclass(frozen=True)
class Components:
    """What may be mixed with a network."""

    ngram: NgramModel | None = None
    caches: Sequence[CacheSettings] = ()
    """The settings of a cache to choose from."""


def count_components(
    text: EncodedText,
    config: Config,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], object] = lambda label, done, total: None,
) -> Components:
    """Count the n-grams that the configuration allows; none where no weights can be fitted.

    Args:
        text: the text that the network is trained on.
        config: its ``mixture`` section says what to mix.
        say: receives a line for the screen if the text is too short.
        progress: receives what is being done, how much is done, and of how much (0: unknown).
    """
    wanted = config.mixture
    valid = text.parts.get("valid")
    if valid is None or len(valid.ids) < MIN_WORDS:
        if wanted.ngram:
            say("no n-grams are mixed in: the validation part is too small to weigh them")
        return Components()
    ngram = None
    if wanted.ngram is not False:
        progress("counting n-grams", 0, 0)
        train = text.parts["train"].ids
        ngram = NgramModel.fit(train, len(text.tokenizer), config.model.order)
    cache = CacheSettings(size=wanted.cache_size)
    caches = [replace(cache, sharpness=value) for value in SHARPNESS] if wanted.cache else []
    return Components(ngram, caches)


def fit_mixture(
    loaded: LoadedNetwork,
    components: Components,
    text: EncodedText,
    config: Config,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], object] = lambda label, done, total: None,
    most_words: int = MAX_WORDS,
) -> Mixture:
    """Fit the weights of every combination of components.

    Args:
        loaded: the trained network, without any mixture.
        components: what may be mixed with it.
        text: the text it was trained on.
        config: its ``mixture`` section says whether n-grams are mixed in that do not help.
        say: receives a line for the screen on whether n-grams help.
        progress: receives what is being done, how much is done, and of how much (0: unknown).
        most_words: words of the validation part that the weights are fitted to, at most.
    """
    wanted = config.mixture
    cache = CacheSettings(size=wanted.cache_size)
    ngram, caches = components.ngram, components.caches
    if ngram is None and not caches:
        return Mixture(cache=cache)
    ids = spread(text.parts["valid"].ids, min(most_words, MAX_WORDS))
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
        best = int(np.argmax([mixed.cross_validated(constant=True) for mixed in with_cache]))
        cache = caches[best]
        candidates[combination(ngram=False, cache=True)] = with_cache[best]
        if ngram is not None and ngram_scores is not None:
            all_three = _Candidate(network, ngram_scores, cache_scores[best])
            candidates[combination(ngram=True, cache=True)] = all_three
    order = combinations(ngram is not None)
    weights = {names: candidates[names].best() for names in order if names in candidates}
    if not all(gate.finite for gate in weights.values()):
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
    loaded: LoadedNetwork,
    ngram: NgramModel | None,
    caches: Sequence[CacheSettings],
    ids: NDArray[np.integer],
    progress: Callable[[int, int], object],
) -> tuple[_Scores, _Scores | None, list[_Scores]]:
    """Score a text in one pass with every possible component: network, n-grams, caches."""
    parts = Parts(
        loaded.network_decoder(),
        None if ngram is None else NgramDecoder(ngram),
        [Cache(settings) for settings in caches],
    )
    blocks: list[list[_Scores]] = []
    done = 0
    for block in score_stream(parts.read, ids, len(loaded.tokenizer), _block_scores):
        blocks.append(block)
        done += len(block[0].likelihoods)
        progress(done, len(ids))
    network, *others = [
        _Scores(
            np.concatenate([scores.likelihoods for scores in component]),
            np.concatenate([scores.gate_features for scores in component]),
        )
        for component in zip(*blocks, strict=True)
    ]
    return (network, None, others) if ngram is None else (network, others[0], others[1:])


def _block_scores(distributions: list[Distributions], targets: Ids, here: slice) -> list[_Scores]:
    """How each component scores a block of positions."""
    return [
        _Scores(
            component.log_probabilities_of(targets).astype(np.float64),
            component.gate_features.astype(np.float64),
        )
        for component in distributions
    ]
