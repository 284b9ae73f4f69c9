"""The clock that saves, and what it costs."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nextword.config.schema import Config
from nextword.storage.run_folder import RunFolder
from nextword.training import checkpoint
from nextword.training.callbacks import StepReport
from nextword.training.checkpoint import MAX_SAVING_SHARE, RunNotes, Saver
from nextword.training.trainer import Trainer


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for name in ("monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, clock)
    return clock


@pytest.mark.parametrize(("pause", "wait"), [(0.1, 10), (5.0, 245)])
def test_saves_come_on_a_clock_that_slow_ones_stretch(
    tmp_path: Path,
    make_trainer: Callable[..., Trainer],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    pause: float,
    wait: float,
) -> None:
    saved: list[float] = []

    def slow(*given: object) -> None:
        clock.now += pause
        saved.append(clock.now)

    monkeypatch.setattr(checkpoint, "save_state", slow)
    trainer = make_trainer()
    saver = Saver(RunFolder(tmp_path), trainer, lambda: RunNotes(Config(), 1, 0), 10)
    report = StepReport(trainer.progress, 20_000, 1.0, 0.01, 1.0)
    for _ in range(20_000):
        clock.now += 1
        trainer.progress.seconds += 1
        saver.on_step(report)
    gaps = [later - earlier - pause for earlier, later in zip(saved, saved[1:], strict=False)]
    assert gaps and all(gap == pytest.approx(wait, abs=1) for gap in gaps)
    progress = trainer.progress
    assert progress.saving_seconds == pytest.approx(pause * len(saved))
    assert progress.seconds == pytest.approx(20_000 + pause * len(saved))
    assert progress.saving_seconds / progress.seconds <= MAX_SAVING_SHARE * 1.01
