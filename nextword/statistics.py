"""Statistics that several rooms share."""

from __future__ import annotations

import math

MAX_NATS = 700.0
"""Largest exponent that :func:`safe_exp` takes: exp(709.8) is the end of float64."""


def safe_exp(nats: float) -> float:
    """The exponential of a mean surprisal in nats, which is a perplexity; finite for any finite
    surprisal."""
    return math.exp(min(nats, MAX_NATS))
