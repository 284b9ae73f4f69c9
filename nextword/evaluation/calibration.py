"""Whether probabilities mean what they say: of the words given 30 %, do 30 % come?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Of equal width from 0 to 1, as in Guo and others (2017)."""


@dataclass(frozen=True)
class Bin:
    """The places where the likeliest word had a probability between two bounds."""

    above: float
    """The lower bound, itself left out, 0 aside."""
    up_to: float
    """The upper bound, included."""
    tokens: int
    """Places in the bin."""
    confidence: float
    """Mean probability of the likeliest word; NaN, like the accuracy, in an empty bin."""
    accuracy: float
    """Share of the places where it came."""


@dataclass(frozen=True)
class Calibration:
    """How the probability of the likeliest word compares with how often it comes."""

    error: float
    """Expected calibration error: the mean over all places of how far their bin's accuracy is
    from its confidence."""
    confidence: float
    """Mean probability of the likeliest word; above the accuracy, the model is too sure."""
    bins: list[Bin]


def calibration(
    confidences: NDArray[np.floating], hits: NDArray[np.bool_], bins: int = BINS
) -> Calibration:
    """Compare the probability of the likeliest word with how often it came.

    Args:
        confidences: its probability at each place, ``(places,)``, at least one.
        hits: whether it came, ``(places,)``.
        bins: how many.
    """
    sure = np.asarray(confidences, dtype=np.float64)
    bounds = np.arange(bins + 1) / bins
    mine = np.clip(np.searchsorted(bounds, sure, side="left") - 1, 0, bins - 1)
    tokens = np.bincount(mine, minlength=bins)
    confidence = np.bincount(mine, sure, minlength=bins)
    right = np.bincount(mine, hits, minlength=bins)
    return Calibration(
        error=float(np.abs(confidence - right).sum()) / len(sure),
        confidence=float(sure.mean()),
        bins=[
            Bin(
                above=float(bounds[i]),
                up_to=float(bounds[i + 1]),
                tokens=int(tokens[i]),
                confidence=float(confidence[i] / tokens[i]) if tokens[i] else math.nan,
                accuracy=float(right[i] / tokens[i]) if tokens[i] else math.nan,
            )
            for i in range(bins)
        ],
    )
