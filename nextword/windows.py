"""Windows and batches of word ids: what a network reads at once, and the words it must predict.

Two ways to cut a stream of word ids into training examples:

* :class:`StreamBatches`: rows in reading order, so that a recurrent state may be carried. Row
  ``b`` of batch ``i + 1`` continues row ``b`` of batch ``i``.
* :class:`SlidingWindows`, a map-style dataset for any ``DataLoader``: each window stands alone.
  :class:`ShuffledBatches` draws batches of them in random order.

Each batch is reached by its number, so a resumed training continues at the batch where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from nextword.config.schema import Config

IGNORED = -100
"""Target at a padded position; losses and metrics skip it."""


class Window(NamedTuple):
    """Inputs and targets, both ``(..., time)`` of int64; ``targets[t]`` follows ``inputs[t]``."""

    inputs: Tensor
    targets: Tensor


class BatchSource(Protocol):
    """The batches of an epoch in order."""

    batch_size: int
    """Rows in a full batch."""
    continuous: bool
    """Whether each row continues the same row of the previous batch."""

    def __len__(self) -> int:
        """Batches in an epoch."""
        ...

    def batch(self, epoch: int, index: int) -> Window:
        """Batch ``index`` of an epoch, ``(batch, time)``; the same at every call."""
        ...


class SlidingWindows(Dataset[Window]):
    """Windows of ``length`` words, ``stride`` apart, over one stream of word ids.

    Item ``i`` predicts ``ids[i * stride + 1 ...]``. With ``stride == length`` each word but the
    first is a target once; a smaller stride repeats words, a larger one skips some. The last
    window is padded with :data:`IGNORED` targets, or left out with ``drop_last``.

    Args:
        ids: word ids ``(words,)``, any integer type; may be memory-mapped.
        length: words in a window.
        stride: words between the starts of neighbouring windows; ``length`` by default.
        drop_last: leave out a last window that is not full.

    Raises:
        ValueError: a length or stride below one.
    """

    def __init__(
        self,
        ids: NDArray[np.integer],
        length: int,
        stride: int | None = None,
        drop_last: bool = False,
    ) -> None:
        self.ids = ids
        self.length = length
        self.stride = length if stride is None else stride
        if self.length < 1 or self.stride < 1:
            raise ValueError("length and stride must be at least 1")
        targets = max(len(ids) - 1, 0)
        # a window is worth having while it holds a target that no earlier window held
        spare = targets - min(self.length, targets)
        self.count = 0 if targets == 0 else 1 + -(-spare // self.stride)
        if self.stride > self.length and targets:
            self.count = -(-targets // self.stride)
        if drop_last and self.count and (self.count - 1) * self.stride + self.length > targets:
            self.count -= 1

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Window:
        if not -self.count <= index < self.count:
            raise IndexError(f"window {index} of {self.count}")
        start = (index % self.count) * self.stride
        words = torch.from_numpy(self.ids[start : start + self.length + 1].astype(np.int64))
        missing = self.length + 1 - len(words)
        if missing == 0:
            return Window(words[:-1], words[1:])
        # padded inputs predict only ignored targets, so any id will do
        inputs = torch.cat([words[:-1], words.new_zeros(missing)])
        return Window(inputs, torch.cat([words[1:], words.new_full((missing,), IGNORED)]))


class StreamBatches:
    """Batches that cut the text into ``batch_size`` streams and read all of them in parallel.

    A batch's rows continue the rows of the previous batch, so a recurrent state may be carried.
    Every word but the first is a target exactly once an epoch, in the same order in every epoch.
    Streams of unequal length are padded with :data:`IGNORED` targets.

    Args:
        ids: word ids ``(words,)``, any integer type; may be memory-mapped.
        batch_size: streams, the rows of a batch; fewer where the text has fewer words.
        length: words in a window.

    Raises:
        ValueError: a batch size or length below one.
    """

    continuous = True

    def __init__(self, ids: NDArray[np.integer], batch_size: int, length: int) -> None:
        if batch_size < 1 or length < 1:
            raise ValueError("batch_size and length must be at least 1")
        self.ids = ids
        self.length = length
        targets = max(len(ids) - 1, 0)
        self.batch_size = max(1, min(batch_size, targets))  # no empty rows
        self.stream_length = -(-targets // self.batch_size)
        bounds = np.minimum(np.arange(self.batch_size + 1) * self.stream_length, targets)
        self.starts, self.ends = bounds[:-1], bounds[1:]

    def __len__(self) -> int:
        return -(-self.stream_length // self.length)

    def batch(self, epoch: int, index: int) -> Window:
        """Batch ``index``, ``(batch, time)``; the last may be shorter in time."""
        offset = index * self.length
        time = min(self.length, self.stream_length - offset)
        if index < 0 or time < 1:
            raise IndexError(f"batch {index} of {len(self)}")
        positions = self.starts[:, None] + offset + np.arange(time + 1)[None, :]
        words = self.ids[np.minimum(positions, len(self.ids) - 1)].astype(np.int64)
        inputs, targets = words[:, :-1], words[:, 1:].copy()
        targets[positions[:, :-1] >= self.ends[:, None]] = IGNORED
        return Window(torch.from_numpy(inputs), torch.from_numpy(targets))

    def __iter__(self) -> Iterator[Window]:
        return (self.batch(0, index) for index in range(len(self)))


class ShuffledBatches:
    """Sliding windows in random order; seed and epoch alone decide the order.

    Args:
        ids: word ids ``(words,)``, any integer type; may be memory-mapped.
        batch_size: windows in a batch.
        length: words in a window.
        stride: words between the starts of neighbouring windows.
        seed: of the order.
    """

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
        """Batch ``index`` of an epoch, ``(batch, time)``; the last may have fewer rows."""
        if epoch != self._epoch:
            generator = np.random.default_rng([self.seed, epoch])
            self._epoch, self._order = epoch, generator.permutation(len(self.windows))
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        windows = [self.windows[int(i)] for i in chosen]
        return Window(
            torch.stack([window.inputs for window in windows]),
            torch.stack([window.targets for window in windows]),
        )


def build_batches(ids: NDArray[np.integer], config: Config) -> BatchSource:
    """The batches that the ``windows`` and ``training`` sections describe."""
    windows, training = config.windows, config.training
    if windows.continuous:
        return StreamBatches(ids, training.batch_size, windows.length)
    return ShuffledBatches(ids, training.batch_size, windows.length, windows.step, training.seed)
