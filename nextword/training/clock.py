"""The time that a user waits for a training, and texts that are cut to fit into it."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

PIECES = 16
"""Pieces of a text that stand for all of it."""


class Clock:
    """Seconds waited for a run so far, over all its resumes.

    Args:
        started: :func:`time.monotonic` when this part of the wait began; now by default.
        before: seconds waited in earlier parts.
    """

    def __init__(self, started: float | None = None, before: float = 0.0) -> None:
        self.started = time.monotonic() if started is None else started
        self.before = before

    def __call__(self) -> float:
        return self.before + time.monotonic() - self.started


def spread(ids: NDArray[np.integer], most: int) -> NDArray[np.integer]:
    """A text, or evenly spread pieces of it where it has more words than can be afforded.

    Args:
        ids: the text ``(words,)``.
        most: words that can be afforded.
    """
    if len(ids) <= most:
        return np.asarray(ids)
    return np.concatenate([piece[: most // PIECES] for piece in np.array_split(ids, PIECES)])
