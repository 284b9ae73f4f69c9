"""Whole numbers as variable-length bytes: seven bits each, the lowest first, 128 added to all but
the last (LEB128)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def encode_varints(numbers: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The bytes of numbers ``(numbers,)`` from 0 to 2^63 - 1."""
    rest = numbers.astype(np.uint64)
    lengths = np.ones(len(rest), dtype=np.int64)
    while (longer := rest >> np.uint64(7)).any():
        lengths += longer > 0
        rest = longer
    starts = lengths.cumsum() - lengths
    result = np.zeros(int(lengths.sum()), dtype=np.uint8)
    rest = numbers.astype(np.uint64)
    for place in range(int(lengths.max(initial=0))):
        present = lengths > place
        more = (lengths > place + 1)[present].astype(np.uint8) << 7
        result[starts[present] + place] = (rest[present] & np.uint64(127)).astype(np.uint8) | more
        rest = rest >> np.uint64(7)
    return result
