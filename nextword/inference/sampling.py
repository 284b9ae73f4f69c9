"""Sampling the next word: temperature, top-k and top-p, then one draw."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

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


def filtered(log_probabilities: Tensor, allowed: Tensor, sampling: Sampling) -> Tensor:
    """The distribution to draw from; it sums to one and is zero for excluded words.

    First the words that are not allowed lose their share, then the temperature acts, then top-k,
    then the nucleus of Holtzman and others (2020): the fewest words, the likeliest first, that
    reach top-p. What is left is scaled up to one. Equal words count in order of their ids.

    Args:
        log_probabilities: ``(vocabulary,)``.
        allowed: bool ``(vocabulary,)``.
        sampling: what to apply.

    Returns:
        Probabilities ``(vocabulary,)`` of float64.

    Raises:
        ModelError: no allowed word has a probability.
    """
    scores = log_probabilities.double().masked_fill(~allowed, -math.inf)
    best = scores.max()
    if not best.isfinite():
        raise ModelError("the model gives no word a probability; its weights may be damaged")
    if sampling.temperature == 0:
        chosen = torch.zeros_like(scores)
        chosen[scores.argmax()] = 1  # the first of equal ones
        return chosen
    # the best is at 0, so that no temperature, however low, makes all of them minus infinity
    shares = ((scores - best) / sampling.temperature).softmax(0)
    ordered, ids = torch.sort(shares, descending=True, stable=True)
    kept = ordered > 0
    if sampling.top_k is not None:
        kept[sampling.top_k :] = False
    ordered = torch.where(kept, ordered, 0)
    ordered = ordered / ordered.sum()
    if sampling.top_p < 1:
        # a word stays if those before it do not reach top-p yet
        before = ordered.cumsum(0) - ordered
        ordered = torch.where(before < sampling.top_p, ordered, 0)
        ordered = ordered / ordered.sum()
    return torch.zeros_like(shares).index_copy_(0, ids, ordered)


def draw(distribution: Tensor, chance: random.Random) -> int:
    """A word's id, drawn from a distribution ``(vocabulary,)``.

    Python's own generator gives the same numbers in every version of it and of torch.
    """
    reached = distribution.double().cumsum(0)
    place = torch.searchsorted(reached, chance.random() * float(reached[-1]), right=True)
    # rounding may lead behind the last word that has a share
    return min(int(place), int(distribution.nonzero()[-1]))


def top_words(probabilities: Tensor, allowed: Tensor, k: int) -> list[tuple[int, float]]:
    """The ``k`` likeliest allowed words, the likeliest first; equal ones in order of their ids.

    Args:
        probabilities: ``(vocabulary,)``.
        allowed: bool ``(vocabulary,)``; the candidates.
        k: how many; fewer are given where fewer are allowed.
    """
    ids = allowed.nonzero().squeeze(1)
    order = torch.sort(probabilities[ids], descending=True, stable=True)
    best = order.indices[: max(k, 0)]
    return [(int(ids[i]), float(probabilities[ids[i]])) for i in best]
