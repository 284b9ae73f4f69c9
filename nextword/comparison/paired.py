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

from nextword.evaluation.blocks import standard_error
from nextword.evaluation.perplexity import MOST_NATS
from nextword.evaluation.places import Places


@dataclass(frozen=True)
class Change:
    """How much greater a figure is than another model's, as a share of that: -0.1 is 10 % less."""

    share: float
    standard_error: float | None
    """None where the text is too short."""

    @property
    def sign(self) -> int:
        """-1 or 1 where the figure is surely less or more, by two standard errors; else 0."""
        if self.standard_error is None or abs(self.share) <= 2 * self.standard_error:
            return 0
        return 1 if self.share > 0 else -1


def perplexity_change(surprisals: NDArray[np.floating], others: NDArray[np.floating]) -> Change:
    """How much greater one perplexity is than the other.

    Args:
        surprisals: of each word in nats, ``(places,)``.
        others: of the same words by the other model, ``(places,)``.
    """
    nats = np.asarray(surprisals, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    ratio = math.exp(max(-MOST_NATS, min(float(nats.mean()), MOST_NATS)))
    error = standard_error(nats)
    return Change(ratio - 1, None if error is None else ratio * error)


def bits_change(places: Places, others: Places) -> Change:
    """How many more bits one model needs for a text than another, unknown words spelled out.

    Args:
        places: of one.
        others: of the other, whose words may be others; the letters are the same.
    """
    mine, theirs = bits_by_letter(places), bits_by_letter(others)
    whole = float(theirs.sum())
    if whole <= 0:
        return Change(0.0, None)  # nothing to be a share of
    share = float(mine.sum()) / whole - 1
    # a letter more or less, as small writing may bring, moves nothing far
    letters = min(len(mine), len(theirs))
    return Change(share, standard_error(mine[:letters] - theirs[:letters], theirs[:letters]))


def bits_by_letter(places: Places) -> NDArray[np.float64]:
    """The bits of each word spread evenly over its letters, ``(letters,)``.

    An end, which has none, counts with the letter before it.
    """
    bits = (places.surprisals.astype(np.float64) + places.spellings) / math.log(2)
    letters = places.letters
    spread = np.repeat(bits / np.maximum(letters, 1), letters)
    if len(spread):
        ends = letters == 0
        last = np.maximum(np.cumsum(letters)[ends] - 1, 0)
        np.add.at(spread, last, bits[ends])
    return spread
