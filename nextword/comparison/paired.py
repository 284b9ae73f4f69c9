"""How surely two models differ that foretold the same text.

Where one finds a text hard the other mostly does too, so the spread of their difference is much
smaller than that of either: it is taken place by place, or letter by letter where the two split
the text differently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.perplexity import MOST_NATS
from nextword.evaluation.statistics import standard_error
from nextword.inference.scoring import TokenScores


@dataclass(frozen=True)
class Change:
    """How much greater a figure is than another model's.

    It is kept as a logarithm, in which more and less look alike: of two models either may be
    named first, and what is sure of one is sure of the other.
    """

    log: float
    """The natural logarithm of the one figure over the other."""
    log_error: float | None
    """Its standard error; None where the text is too short."""

    @property
    def share(self) -> float:
        """How much greater, as a share of the other: -0.1 is 10 % less."""
        return self._ratio - 1

    @property
    def standard_error(self) -> float | None:
        """Of :attr:`share`, by the delta method."""
        return None if self.log_error is None else self._ratio * self.log_error

    @property
    def sign(self) -> int:
        """-1 or 1 where the figure is surely less or more, by two standard errors; else 0."""
        if self.log_error is None or abs(self.log) <= 2 * self.log_error:
            return 0
        return 1 if self.log > 0 else -1

    @property
    def _ratio(self) -> float:
        return math.exp(max(-MOST_NATS, min(self.log, MOST_NATS)))


def perplexity_change(surprisals: NDArray[np.floating], others: NDArray[np.floating]) -> Change:
    """How much greater one perplexity is than the other.

    Args:
        surprisals: of each word in nats, ``(places,)``.
        others: of the same words by the other model, ``(places,)``.
    """
    nats = np.asarray(surprisals, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    return Change(float(nats.mean()), standard_error(nats))


def bits_change(places: TokenScores, others: TokenScores) -> Change:
    """How many more bits one model needs for a text than another, unknown words spelled out.

    Args:
        places: of one.
        others: of the other, whose words may be others; the letters are the same.
    """
    mine, theirs = bits_by_letter(places), bits_by_letter(others)
    if mine.sum() <= 0 or theirs.sum() <= 0:
        return Change(0.0, None)  # nothing to be a share of
    ratio = float(mine.sum()) / float(theirs.sum())
    # a letter more or less, as small writing may bring, moves nothing far
    letters = min(len(mine), len(theirs))
    words = min(len(places.ids), len(others.ids))
    error = standard_error(mine[:letters], theirs[:letters], words)
    return Change(math.log(ratio), None if error is None else error / ratio)


def bits_by_letter(places: TokenScores) -> NDArray[np.float64]:
    """The bits of each word spread evenly over its letters, ``(letters,)``.

    An end, which has none, counts with the letter before it.
    """
    bits = (places.surprisals.astype(np.float64) + places.spellings) / math.log(2)
    letters = places.lengths
    spread = np.repeat(bits / np.maximum(letters, 1), letters)
    if len(spread):
        ends = letters == 0
        last = np.maximum(np.cumsum(letters)[ends] - 1, 0)
        np.add.at(spread, last, bits[ends])
    return spread
