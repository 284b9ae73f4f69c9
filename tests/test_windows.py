"""Each target once, in order, and one word after its input."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from nextword.windows import IGNORED, SlidingWindows, StreamBatches, Window


def pairs(window: Window) -> list[tuple[int, int]]:
    """The (input, target) pairs of a window that count."""
    every = zip(window.inputs.flatten().tolist(), window.targets.flatten().tolist(), strict=True)
    return [(given, wanted) for given, wanted in every if wanted != IGNORED]


@given(st.integers(0, 90), st.integers(1, 12), st.integers(1, 12))
def test_stream_batches_show_every_target_once(words: int, batch_size: int, length: int) -> None:
    ids = np.arange(words, dtype=np.uint16)
    seen = [pair for window in StreamBatches(ids, batch_size, length) for pair in pairs(window)]
    assert sorted(seen) == [(i, i + 1) for i in range(words - 1)]


@given(st.integers(2, 90), st.integers(1, 12), st.integers(1, 12))
def test_rows_continue_from_batch_to_batch(words: int, batch_size: int, length: int) -> None:
    batches = list(StreamBatches(np.arange(words), batch_size, length))
    for row in range(len(batches[0].inputs)):
        stream = [i for b in batches for i in pairs(Window(b.inputs[row], b.targets[row]))]
        assert all(right[0] == left[1] for left, right in zip(stream, stream[1:], strict=False))


@given(st.integers(0, 90), st.integers(1, 12))
def test_windows_show_every_target_once_when_stride_is_length(words: int, length: int) -> None:
    dataset = SlidingWindows(np.arange(words), length)
    seen = [pair for i in range(len(dataset)) for pair in pairs(dataset[i])]
    assert seen == [(i, i + 1) for i in range(words - 1)]


@given(st.integers(2, 90), st.integers(1, 12), st.integers(1, 20))
def test_stride_decides_repeats_and_gaps(words: int, length: int, stride: int) -> None:
    dataset = SlidingWindows(np.arange(words), length, stride)
    seen = Counter(pair for i in range(len(dataset)) for pair in pairs(dataset[i]))
    wanted = [i for i in range(words - 1) if stride <= length or i % stride < length]
    assert set(seen) == {(i, i + 1) for i in wanted}
    assert max(seen.values()) <= -(-length // stride)


def test_drop_last_leaves_out_only_the_unfilled_window() -> None:
    assert len(SlidingWindows(np.arange(10), 4, drop_last=True)) == 2
    assert len(SlidingWindows(np.arange(9), 4, drop_last=True)) == 2
    assert len(SlidingWindows(np.arange(3), 4, drop_last=True)) == 0


def test_works_with_a_data_loader() -> None:
    loader = DataLoader(SlidingWindows(np.arange(25, dtype=np.uint16), 4), batch_size=3)
    batches = [Window(*batch) for batch in loader]
    assert batches[0].inputs.shape == (3, 4)
    assert batches[0].inputs.dtype == torch.int64
    assert [pair for batch in batches for pair in pairs(batch)] == [(i, i + 1) for i in range(24)]


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SlidingWindows(np.arange(5), 0)
    with pytest.raises(ValueError, match="at least 1"):
        StreamBatches(np.arange(5), 1, 0)
    with pytest.raises(IndexError):
        SlidingWindows(np.arange(5), 2)[2]
    with pytest.raises(IndexError):
        StreamBatches(np.arange(5), 1, 2).batch(0, 2)
