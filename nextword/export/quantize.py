"""Weights as whole numbers of eight bits, with a scale for each row.

The largest weight of a row becomes the number of levels on either side of zero. Eight bits hold 127
of them. Rows of rare words, which decide little, get fewer, and compress better. Rows that decide
much get several times as many: a second number of eight bits then divides the step of the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.inference.networks import Array

LEVELS = 127
"""Levels on either side of zero in eight bits."""
FEWEST_LEVELS = 31
MOST_STEPS = 15
"""Parts of a step that a second number tells apart, at most."""
FULL_FREQUENCY = 12e-5
"""Frequency of the words whose rows have :data:`LEVELS`. An error of a row costs as often as its
word occurs, and its square falls with that of the levels: they grow with the root of the
frequency."""


class QuantizedMatrix(NamedTuple):
    """A matrix ``(rows, columns)`` as ``scales * (coarse + fine / steps)``."""

    coarse: NDArray[np.int8]
    """``(rows, columns)``."""
    scales: Array
    """``(rows,)``."""
    fine: NDArray[np.int8]
    """``(fine rows, columns)``: for the first rows, from ``-(steps - 1) / 2`` on; zero for all
    others."""
    steps: NDArray[np.uint8]
    """``(fine rows,)``: odd numbers; 1 where ``fine`` is zero."""

    def dequantized(self) -> Array:
        """``(rows, columns)``."""
        values = self.coarse.astype(np.float64)
        values[: len(self.fine)] += self.fine / self.steps[:, None].astype(np.float64)
        matrix: Array = (values * self.scales[:, None]).astype(np.float32)
        return matrix


def quantize(matrix: NDArray[np.floating], levels: NDArray[np.floating]) -> QuantizedMatrix:
    """The nearest matrix with some levels on either side of zero in each row.

    Args:
        matrix: ``(rows, columns)``, finite.
        levels: ``(rows,)``: up to :data:`LEVELS` are kept, more are rounded up to an odd multiple
            of them, :data:`MOST_STEPS` times as many at most.
    """
    steps = np.clip(2 * np.ceil((levels / LEVELS - 1) / 2) + 1, 1, MOST_STEPS).astype(np.uint8)
    greatest = np.abs(matrix).max(1, initial=0)
    scales = (greatest / np.clip(np.rint(levels), 1, LEVELS)).astype(np.float32)
    # a row of zeros; in float32 the quotient of a tiny number may be zero, too
    scales[scales == 0] = 1
    quotients = matrix / scales[:, None].astype(np.float64)
    coarse = np.clip(np.rint(quotients), -LEVELS, LEVELS)
    (finer,) = np.nonzero(steps > 1)
    fine_rows = int(finer[-1]) + 1 if len(finer) else 0
    rest = (quotients - coarse)[:fine_rows] * steps[:fine_rows, None]
    half = (steps[:fine_rows, None] - 1) / 2
    fine = np.clip(np.rint(rest), -half, half)
    return QuantizedMatrix(coarse.astype(np.int8), scales, fine.astype(np.int8), steps[:fine_rows])


def word_levels(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Levels for the rows of words, by their occurrences in a text, ``(words,)``."""
    frequencies = counts / max(int(counts.sum()), 1)
    levels: NDArray[np.float64] = np.maximum(
        LEVELS * np.sqrt(frequencies / FULL_FREQUENCY), FEWEST_LEVELS
    )
    return levels
