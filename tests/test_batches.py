"""An epoch's batches: every target once, in reading order or shuffled by the seed."""

from collections import Counter

import numpy as np
import torch

from nextword.config import load_config
from nextword.windows import (
    IGNORED,
    BatchSource,
    ShuffledBatches,
    StreamBatches,
    Window,
    build_batches,
)

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
