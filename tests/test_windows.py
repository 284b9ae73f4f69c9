"""Windows and batches: each target once, one word after its input, in order or shuffled by seed."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from nextword.config.load import load_config
from nextword.windows import (
    IGNORED,
    BatchSource,
    ShuffledBatches,
    SlidingWindows,
    StreamBatches,
    Window,
    build_batches,
)


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


IDS = np.arange(2, 103, dtype=np.uint16)


def targets(batches: BatchSource, epoch: int) -> list[int]:
    windows = [batches.batch(epoch, index) for index in range(len(batches))]
    words = torch.cat([window.targets.flatten() for window in windows])
    return words[words != IGNORED].tolist()


def same(left: Window, right: Window) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def test_continuous_batches_are_the_streams_in_every_epoch() -> None:
    batches = StreamBatches(IDS, batch_size=4, length=6)
    assert batches.continuous and batches.batch_size == 4
    assert sorted(targets(batches, 0)) == IDS[1:].tolist()
    assert same(batches.batch(0, 2), batches.batch(5, 2))
    for index in range(len(batches) - 1):
        here, after = batches.batch(0, index), batches.batch(0, index + 1)
        assert here.targets[:, -1].tolist() == after.inputs[:, 0].tolist()


def test_shuffled_batches_show_every_target_once_in_each_epoch() -> None:
    batches = ShuffledBatches(IDS, batch_size=4, length=6, stride=6, seed=1)
    assert not batches.continuous and len(batches) == 5
    first, second = targets(batches, 0), targets(batches, 1)
    assert sorted(first) == sorted(second) == IDS[1:].tolist()
    assert first != second and first != IDS[1:].tolist()


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    one, other = (ShuffledBatches(IDS, 4, 6, 6, seed=1) for _ in range(2))
    assert targets(one, 3) == targets(other, 3)
    # a resume asks for a batch in the middle without those before it
    assert same(one.batch(7, 2), ShuffledBatches(IDS, 4, 6, 6, seed=1).batch(7, 2))
    assert targets(one, 3) != targets(ShuffledBatches(IDS, 4, 6, 6, seed=2), 3)


def test_overlapping_windows_repeat_words() -> None:
    seen = Counter(targets(ShuffledBatches(IDS, 4, 6, 3, seed=1), 0))
    assert set(seen) == set(IDS[1:].tolist())
    assert seen[50] == 2


def test_a_short_text_gets_fewer_rows() -> None:
    for batches in (
        StreamBatches(IDS[:5], batch_size=32, length=3),
        ShuffledBatches(IDS[:5], 32, 3, 3, seed=1),
    ):
        window = batches.batch(0, 0)
        assert len(window.inputs) == batches.batch_size <= 4
        assert sorted(targets(batches, 0)) == IDS[1:5].tolist()


def test_the_configuration_decides_which_batches_there_are() -> None:
    def built(**windows: object) -> BatchSource:
        overrides = {f"windows.{key}": value for key, value in windows.items()}
        return build_batches(IDS, load_config(overrides={**overrides, "training.batch_size": 4}))

    assert built(length=6).continuous
    assert built(length=6).batch(0, 0).inputs.shape == (4, 6)
    assert not built(length=6, carry_state=False).continuous
    assert not built(length=6, stride=2).continuous
    assert len(built(length=6, stride=2)) > len(built(length=6, stride=6))
