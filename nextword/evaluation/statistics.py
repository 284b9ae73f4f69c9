"""How far a measure may be off: the text cut into blocks, the measure's spread over them.

Words that stand near each other are alike hard, so their errors are not independent and a spread
over single words would promise too much. Blocks of consecutive words are nearly independent: the
method of batch means (Schmeiser, 1982), here for ratios of sums (Cochran, 1977, section 6.3).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MOST_BLOCKS = 50
FEWEST_BLOCKS = 15
"""With fewer, a standard error is itself too uncertain to be told."""
LEAST_WORDS = 50
"""Words in a block, at least; a text too short for so many of them has no standard errors."""


def block_count(words: int) -> int:
    """Blocks that a text is cut into; 0 where it is too short."""
    blocks = min(MOST_BLOCKS, words // LEAST_WORDS)
    return blocks if blocks >= FEWEST_BLOCKS else 0


def standard_error(
    over: NDArray[np.generic],
    under: NDArray[np.generic] | None = None,
    words: int | None = None,
) -> float | None:
    """The standard error of ``over.sum() / under.sum()``.

    Args:
        over: a number for each place of a text, in its order, ``(places,)``.
        under: what it is divided by, ``(places,)``; one at each place unless given.
        words: in the text; as many as places unless given.

    Returns:
        None where the text is too short, or where too few blocks hold anything of ``under``.
    """
    blocks = block_count(len(over) if words is None else words)
    if blocks == 0:
        return None
    starts = np.arange(blocks) * len(over) // blocks
    sums = np.add.reduceat(np.asarray(over, dtype=np.float64), starts)
    wholes = np.ones(len(over)) if under is None else np.asarray(under, dtype=np.float64)
    sizes = np.add.reduceat(wholes, starts)
    if np.count_nonzero(sizes) < FEWEST_BLOCKS:
        return None
    residues = sums - sums.sum() / sizes.sum() * sizes
    variance = blocks / (blocks - 1) * float(np.square(residues).sum())
    return math.sqrt(variance) / float(sizes.sum())
