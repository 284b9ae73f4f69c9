"""Perplexity: over all words as many as are equally likely."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.statistics import standard_error

MOST_NATS = 700.0
"""A worse mean surprisal is told as this, so that its exponential stays a number."""


def perplexity(
    surprisals: NDArray[np.floating], counted: NDArray[np.bool_] | None = None
) -> tuple[float, float | None]:
    """The exponential of the mean surprisal, and its standard error by the delta method.

    Args:
        surprisals: of each word of a text in nats, ``(places,)``.
        counted: the places to look at, ``(places,)``.

    Returns:
        The perplexity, NaN where no place is looked at; its standard error, None where the text
        is too short for one.
    """
    under = np.ones(len(surprisals), dtype=np.bool_) if counted is None else counted
    if not under.any():
        return math.nan, None
    over = np.where(under, surprisals, 0).astype(np.float64)
    value = math.exp(min(float(over.sum()) / int(under.sum()), MOST_NATS))
    error = standard_error(over, under)
    return value, None if error is None else value * error
