"""Sampling the next word: temperature, top-k and top-p, then one draw."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ConfigError, ModelError


@dataclass(frozen=True)
class Sampling:
    """How words are chosen.

    Raises:
        ConfigError: a value is out of range.
    """

    temperature: float = 1.0
    """Below 1 likely words become likelier, above 1 less so; 0 takes the likeliest always."""
    top_k: int | None = None
    """Sample from this many of the likeliest words only."""
    top_p: float = 0.9
    """Sample only from the likeliest words that together reach this probability."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise ConfigError(f"temperature: {self.temperature} is not a number of 0 or more")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"top-k: {self.top_k} leaves no word; at least 1 is needed")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top-p: {self.top_p} is not above 0 and at most 1")


def filtered(
    log_probabilities: NDArray[np.floating], allowed: NDArray[np.bool_], sampling: Sampling
) -> NDArray[np.float64]:
    """The distribution to draw from; it sums to one and is zero for excluded words.

    First the words that are not allowed lose their share, then the temperature acts, then top-k,
    then the nucleus of Holtzman and others (2020): the fewest words, the likeliest first, that
    reach top-p. What is left is scaled up to one. Equal words count in order of their ids.

    Args:
        log_probabilities: ``(vocabulary,)``.
        allowed: ``(vocabulary,)``.
        sampling: what to apply.

    Returns:
        Probabilities ``(vocabulary,)``.

    Raises:
        ModelError: no allowed word has a probability.
    """
    scores: NDArray[np.float64] = np.where(allowed, log_probabilities, -np.inf).astype(np.float64)
    best = scores.max(initial=-np.inf)
    if not np.isfinite(best):
        raise ModelError("the model gives no word a probability; its weights may be damaged")
    if sampling.temperature == 0:
        chosen = np.zeros_like(scores)
        chosen[scores.argmax()] = 1  # the first of equal ones
        return chosen
    # the best is at 0, so that no temperature, however low, makes all of them minus infinity
    with np.errstate(over="ignore"):
        shares = np.exp((scores - best) / sampling.temperature)
    shares /= shares.sum()
    ids = np.argsort(-shares, kind="stable")
    ordered = shares[ids]
    if sampling.top_k is not None:
        ordered[sampling.top_k :] = 0
    ordered /= ordered.sum()
    if sampling.top_p < 1:
        # a word stays if those before it do not reach top-p yet
        before = ordered.cumsum() - ordered
        ordered[before >= sampling.top_p] = 0
        ordered /= ordered.sum()
    distribution: NDArray[np.float64] = np.zeros_like(shares)
    distribution[ids] = ordered
    return distribution


def draw(distribution: NDArray[np.float64], chance: random.Random) -> int:
    """A word's id, drawn from a distribution ``(vocabulary,)``.

    Python's own generator gives the same numbers in every version of it and of NumPy.
    """
    reached = distribution.cumsum()
    place = np.searchsorted(reached, chance.random() * float(reached[-1]), side="right")
    # rounding may lead behind the last word that has a share
    return min(int(place), int(np.flatnonzero(distribution)[-1]))


def top_words(
    probabilities: NDArray[np.floating], ids: NDArray[np.int64], k: int
) -> list[tuple[int, float]]:
    """The ``k`` likeliest of some words, the likeliest first; equal ones in order of their ids.

    Args:
        probabilities: ``(vocabulary,)``.
        ids: the candidates, ascending.
        k: how many; fewer are given where there are fewer.
    """
    values = probabilities[ids]
    if 0 < k < len(ids):
        # the k-th and all that are not less likely; more than k if it has equals
        chosen = np.flatnonzero(values >= np.partition(values, -k)[-k])
        ids, values = ids[chosen], values[chosen]
    order = np.argsort(-values, kind="stable")[: max(k, 0)]
    return [(int(ids[i]), float(values[i])) for i in order]
