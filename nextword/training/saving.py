"""Saving on a clock that slows down where saving is slow, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nextword.storage.run_folder import RunFolder
from nextword.training.checkpoint import Notes, save_state
from nextword.training.trainer import Trainer

MOST_PAUSE = 0.02
"""Saves on the clock take this share of a training at most."""


class Saver:
    """Saves what a resume needs.

    Args:
        folder: the run.
        trainer: what is saved.
        notes: what the run knows besides, at the moment it is asked.
        every: seconds between two saves, at least.
    """

    def __init__(
        self, folder: RunFolder, trainer: Trainer, notes: Callable[[], Notes], every: float
    ) -> None:
        self.folder = folder
        self.trainer = trainer
        self.notes = notes
        self.every = every
        self.wait = every
        self.saved_at = time.monotonic()

    def save(self) -> None:
        """Save now; the state before it stays until the new one is whole."""
        started = time.monotonic()
        with self.pausing():
            save_state(self.folder.state, self.trainer, self.notes())
        self.saved_at = time.monotonic()
        self.wait = max(self.every, (self.saved_at - started) * (1 / MOST_PAUSE - 1))

    def save_if_due(self) -> None:
        """Save if the clock says so."""
        if time.monotonic() - self.saved_at >= self.wait:
            self.save()

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """Count what happens inside as time spent on saving."""
        started = time.perf_counter()
        yield
        took = time.perf_counter() - started
        self.trainer.progress.seconds += took
        self.trainer.progress.saving_seconds += took
