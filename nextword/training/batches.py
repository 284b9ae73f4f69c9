"""The batches of an epoch, each reachable by its number so that a resume finds its place."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.config.schema import Config
from nextword.windows import SlidingWindows, StreamBatches, Window


class BatchSource(Protocol):
    """Batches in the order of an epoch."""

    batch_size: int
    """Rows of a batch."""
    continuous: bool
    """Whether each row goes on where the same row of the batch before ended."""

    def __len__(self) -> int:
        """Batches in an epoch."""
        ...

    def batch(self, epoch: int, index: int) -> Window:
        """One batch, ``(batch, time)``, the same at every call."""
        ...


class ContinuousBatches:
    """Streams in reading order: the recurrent state runs on from batch to batch."""

    continuous = True

    def __init__(self, ids: NDArray[np.integer], batch_size: int, length: int) -> None:
        self.streams = StreamBatches(ids, batch_size, length)
        self.batch_size = self.streams.batch_size

    def __len__(self) -> int:
        return len(self.streams)

    def batch(self, epoch: int, index: int) -> Window:
        return self.streams.batch(index)


class ShuffledBatches:
    """Sliding windows, each on its own, in an order drawn anew for every epoch."""

    continuous = False

    def __init__(
        self, ids: NDArray[np.integer], batch_size: int, length: int, stride: int, seed: int
    ) -> None:
        self.windows = SlidingWindows(ids, length, stride)
        self.batch_size = max(1, min(batch_size, len(self.windows)))
        self.seed = seed
        self._epoch = -1
        self._order: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return -(-len(self.windows) // self.batch_size)

    def batch(self, epoch: int, index: int) -> Window:
        if epoch != self._epoch:
            drawn = np.random.default_rng([self.seed, epoch])
            self._epoch, self._order = epoch, drawn.permutation(len(self.windows))
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        windows = [self.windows[int(i)] for i in chosen]
        return Window(
            torch.stack([window.inputs for window in windows]),
            torch.stack([window.targets for window in windows]),
        )


def build_batches(ids: NDArray[np.integer], config: Config) -> BatchSource:
    """The batches that the ``windows`` and ``training`` sections ask for."""
    windows, training = config.windows, config.training
    if windows.continuous:
        return ContinuousBatches(ids, training.batch_size, windows.length)
    return ShuffledBatches(ids, training.batch_size, windows.length, windows.step, training.seed)
