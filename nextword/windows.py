"""Windows of words: what a model is shown at once, and which words it is to predict from them.

Two ways to cut a stream of word ids, both of which show each target exactly once unless asked
otherwise:

* :class:`SlidingWindows`, a map-style dataset for any ``DataLoader``; each window stands alone.
* :class:`StreamBatches`, batches in the order that lets a recurrent state run on: row ``b`` of
  batch ``i + 1`` continues row ``b`` of batch ``i``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

IGNORED = -100
"""Target of a place that holds no word; losses and measures skip it."""


class Window(NamedTuple):
    """Inputs and targets, both ``(..., time)`` of int64; ``targets[t]`` follows ``inputs[t]``."""

    inputs: Tensor
    targets: Tensor


class SlidingWindows(Dataset[Window]):
    """Windows of ``length`` words, ``stride`` apart, over one stream of word ids.

    Item ``i`` predicts ``ids[i * stride + 1 ...]``. With ``stride == length`` each word but the
    first is a target once; a smaller stride repeats words, a larger one skips some. What the last
    window lacks is filled with :data:`IGNORED` targets, or left out with ``drop_last``.

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
        # a start is useful while it still has a target of its own that no earlier window held
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
        # the last word of the stream may be a target but predicts nothing: any id will do there
        inputs = torch.cat([words[:-1], words.new_zeros(missing)])
        return Window(inputs, torch.cat([words[1:], words.new_full((missing,), IGNORED)]))


class StreamBatches:
    """Batches that cut the text into ``batch_size`` streams and walk along all of them at once.

    A batch's rows continue the rows of the batch before, so a recurrent state may be carried.
    Every word but the first is a target exactly once an epoch; where the streams are of unequal
    length, the places past an end have :data:`IGNORED` targets.

    Args:
        ids: word ids ``(words,)``, any integer type; may be memory-mapped.
        batch_size: streams, the rows of a batch.
        length: words in a window.
    """

    def __init__(self, ids: NDArray[np.integer], batch_size: int, length: int) -> None:
        if batch_size < 1 or length < 1:
            raise ValueError("batch_size and length must be at least 1")
        self.ids = ids
        self.length = length
        targets = max(len(ids) - 1, 0)
        # a text of fewer words than rows gets fewer rows, not empty ones
        self.batch_size = max(1, min(batch_size, targets))
        self.stream_length = -(-targets // self.batch_size)
        bounds = np.minimum(np.arange(self.batch_size + 1) * self.stream_length, targets)
        self.starts, self.ends = bounds[:-1], bounds[1:]

    def __len__(self) -> int:
        return -(-self.stream_length // self.length)

    def batch(self, index: int) -> Window:
        """Batch ``index``: a window of ``(batch, time)``; the last may be shorter in time."""
        offset = index * self.length
        time = min(self.length, self.stream_length - offset)
        if index < 0 or time < 1:
            raise IndexError(f"batch {index} of {len(self)}")
        places = self.starts[:, None] + offset + np.arange(time + 1)[None, :]
        words = self.ids[np.minimum(places, len(self.ids) - 1)].astype(np.int64)
        inputs, targets = words[:, :-1], words[:, 1:].copy()
        targets[places[:, :-1] >= self.ends[:, None]] = IGNORED
        return Window(torch.from_numpy(inputs), torch.from_numpy(targets))

    def __iter__(self) -> Iterator[Window]:
        return (self.batch(index) for index in range(len(self)))
