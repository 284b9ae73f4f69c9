"""Perplexity, standard errors, and paired differences of figures taken over a text.

Neighbouring words are similarly hard, so their errors are not independent, and a spread over single
words would be too small. Blocks of consecutive words are nearly independent: the method of batch
means (Schmeiser, 1982), here for ratios of sums (Cochran, 1977, section 6.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_NATS = 700.0
"""Exponents above this are cut off: e^700 is close to the largest float64."""
MAX_BLOCKS = 50
MIN_BLOCKS = 15
"""With fewer blocks the standard error itself is too uncertain to report."""
MIN_BLOCK_WORDS = 50
"""A text too short for :data:`MIN_BLOCKS` such blocks has no standard errors."""


def safe_exp(nats: float) -> float:
    """The exponential, at most e^:data:`MAX_NATS`, so that a perplexity is always finite."""
    return math.exp(min(nats, MAX_NATS))


def block_count(words: int) -> int:
    """The number of blocks that a text of so many words is cut into; 0 if it is too short."""
    blocks = min(MAX_BLOCKS, words // MIN_BLOCK_WORDS)
    return blocks if blocks >= MIN_BLOCKS else 0


def standard_error(
    numerators: NDArray[np.generic],
    denominators: NDArray[np.generic] | None = None,
    words: int | None = None,
) -> float | None:
    """The standard error of ``numerators.sum() / denominators.sum()``.

    Args:
        numerators: a number for each position of a text, in its order, ``(positions,)``.
        denominators: ``(positions,)``; ones by default.
        words: the text's words; as many as positions by default.

    Returns:
        None if the text is too short, or if too few blocks have a denominator.
    """
    blocks = block_count(len(numerators) if words is None else words)
    if blocks == 0:
        return None
    starts = np.arange(blocks) * len(numerators) // blocks
    sums = np.add.reduceat(np.asarray(numerators, dtype=np.float64), starts)
    if denominators is None:
        denominators = np.ones(len(numerators))
    sizes = np.add.reduceat(np.asarray(denominators, dtype=np.float64), starts)
    if np.count_nonzero(sizes) < MIN_BLOCKS:
        return None
    residuals = sums - sums.sum() / sizes.sum() * sizes
    variance = blocks / (blocks - 1) * float(np.square(residuals).sum())
    return math.sqrt(variance) / float(sizes.sum())


def perplexity(
    surprisals: NDArray[np.floating], counted: NDArray[np.bool_] | None = None
) -> tuple[float, float | None]:
    """The exponential of the mean surprisal, and its standard error by the delta method.

    Args:
        surprisals: of each word of a text in nats, ``(positions,)``.
        counted: the positions to count, ``(positions,)``; all by default.

    Returns:
        The perplexity, NaN if no position counts; its standard error, None if the text is too
        short for one.
    """
    counted = np.ones(len(surprisals), dtype=np.bool_) if counted is None else counted
    if not counted.any():
        return math.nan, None
    nats = np.where(counted, surprisals, 0).astype(np.float64)
    value = safe_exp(float(nats.sum()) / int(counted.sum()))
    error = standard_error(nats, counted)
    return value, None if error is None else value * error


@dataclass(frozen=True)
class Change:
    """The difference between a figure of one model and the same figure of another.

    It is kept as a logarithm, which is symmetric: whether a difference is significant does not
    depend on which of the two models is named first.
    """

    log: float
    """The natural logarithm of the first figure over the second."""
    log_error: float | None
    """Its standard error; None if the text is too short."""

    @property
    def share(self) -> float:
        """The difference as a share of the second figure: -0.1 is 10 % less."""
        return safe_exp(self.log) - 1

    @property
    def standard_error(self) -> float | None:
        """The standard error of :attr:`share`, by the delta method."""
        return None if self.log_error is None else safe_exp(self.log) * self.log_error

    @property
    def sign(self) -> int:
        """-1 or 1 if the first figure is less or more by over two standard errors, else 0."""
        if self.log_error is None or abs(self.log) <= 2 * self.log_error:
            return 0
        return 1 if self.log > 0 else -1


def perplexity_change(surprisals: NDArray[np.floating], others: NDArray[np.floating]) -> Change:
    """The difference between two perplexities of the same words.

    It is taken word by word: what is hard for one model is mostly hard for the other, so the
    difference varies much less than either surprisal.

    Args:
        surprisals: of each word in nats by the first model, ``(positions,)``.
        others: by the second model, ``(positions,)``.
    """
    nats = np.asarray(surprisals, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    return Change(float(nats.mean()), standard_error(nats))
