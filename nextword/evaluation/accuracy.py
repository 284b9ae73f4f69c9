"""How high the words that came stood among those foretold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.statistics import standard_error
from nextword.text.vocabulary import SPECIAL_WORDS

TOP = (1, 3, 5)
"""How many of the likeliest words may hold the one that came."""


@dataclass(frozen=True)
class Accuracy:
    """Shares of some words, by their rank among all that were possible."""

    tokens: int
    """How many words were looked at."""
    top_1: float
    """Share that was the likeliest word; NaN, like the others, where there are no words."""
    top_3: float
    """Share that was among the three likeliest."""
    top_5: float
    """Share that was among the five likeliest."""
    mean_reciprocal_rank: float
    """The mean of one over the rank (Voorhees, 1999)."""
    standard_errors: Mapping[str, float | None]
    """Of the four above, by their names; None where the text is too short."""


def accuracy(ranks: NDArray[np.integer], counted: NDArray[np.bool_] | None = None) -> Accuracy:
    """The shares over all places of a text, or over some.

    Args:
        ranks: one more than the words likelier than the one that came, ``(places,)``.
        counted: the places to look at, ``(places,)``.
    """
    under = np.ones(len(ranks), dtype=np.bool_) if counted is None else counted
    tokens = int(under.sum())
    hits = {f"top_{k}": ranks <= k for k in TOP}
    gains = {**hits, "mean_reciprocal_rank": 1 / ranks}
    means: dict[str, float] = {}
    errors: dict[str, float | None] = {}
    for name, gain in gains.items():
        over = gain * under
        means[name] = float(over.sum(dtype=np.float64)) / tokens if tokens else math.nan
        errors[name] = standard_error(over, under)
    return Accuracy(tokens, **means, standard_errors=errors)


def real_words(words: Sequence[str]) -> NDArray[np.bool_]:
    """Which words of a vocabulary hold a letter or digit and are not special, ``(words,)``."""
    real = np.array([any(map(str.isalnum, word)) for word in words], dtype=np.bool_)
    real[: len(SPECIAL_WORDS)] = False
    return real
