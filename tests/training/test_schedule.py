"""How far a training has come, and the learning rate there."""

import math

import pytest

from nextword.config.schema import TrainingConfig
from nextword.training.optimizer import Budget, Schedule


def rates(steps: int, **settings: object) -> list[float]:
    config = TrainingConfig.model_validate({"learning_rate": 1.0, **settings})
    schedule = Schedule(config)
    return [schedule.rate(step, step / steps) for step in range(steps)]


def test_the_cosine_falls_from_the_peak_to_two_per_cent() -> None:
    scheduled = rates(1000, warmup_steps=0, schedule="cosine")
    assert scheduled[0] == 1.0
    assert scheduled[500] == pytest.approx(0.51)
    assert scheduled[250] == pytest.approx(0.02 + 0.98 * (1 + math.cos(math.pi / 4)) / 2)
    assert scheduled[-1] == pytest.approx(0.02, abs=1e-4)
    assert all(left > right for left, right in zip(scheduled, scheduled[1:], strict=False))


def test_the_linear_schedule_falls_from_the_peak_to_zero() -> None:
    assert rates(4, warmup_steps=0) == [1.0, 0.75, 0.5, 0.25]


def test_the_rate_rises_evenly_to_its_peak() -> None:
    scheduled = rates(10_000, warmup_steps=100, schedule="constant")
    assert scheduled[:100] == pytest.approx([(step + 1) / 100 for step in range(100)])
    assert set(scheduled[99:]) == {1.0}


def test_warm_up_takes_a_tenth_of_a_short_training_at_most() -> None:
    scheduled = rates(50, warmup_steps=100, schedule="constant")
    assert 0 < scheduled[0] < 0.1
    assert scheduled[:5] == sorted(scheduled[:5]) and scheduled[4] < 1.0
    assert set(scheduled[5:]) == {1.0}


def test_every_rate_of_every_schedule_is_positive_and_below_the_peak() -> None:
    for schedule in ("linear", "cosine", "plateau", "constant"):
        for steps in (1, 2, 3, 11, 500):
            assert all(0 < rate <= 1 for rate in rates(steps, schedule=schedule, warmup_steps=20))


def test_a_plateau_quarters_the_rate_each_time_and_only_there() -> None:
    for kind, wanted in [("plateau", [0.2, 0.05, 0.0125]), ("constant", [0.2, 0.2, 0.2])]:
        config = TrainingConfig.model_validate(
            {"schedule": kind, "learning_rate": 0.2, "warmup_steps": 0}
        )
        schedule = Schedule(config)
        scheduled = []
        for _ in wanted:
            scheduled.append(schedule.rate(5, 0.5))
            schedule.stalled()
        assert scheduled == pytest.approx(wanted)


@pytest.mark.parametrize(("epochs", "steps"), [(3.0, 30), (0.25, 3), (0.001, 1), (2.5, 25)])
def test_epochs_are_counted_in_steps(epochs: float, steps: int) -> None:
    budget = Budget(TrainingConfig(epochs=epochs), steps_per_epoch=10)
    assert budget.total_steps(0, 0.0) == budget.total_steps(steps, 99.0) == steps
    assert budget.fraction_done(0, 99.0) == 0
    assert budget.fraction_done(steps, 0.0) == 1
    assert budget.fraction_done(steps + 5, 0.0) == 1


def test_a_time_budget_is_counted_in_seconds() -> None:
    budget = Budget(TrainingConfig(minutes=2.0, epochs=50), steps_per_epoch=10)
    assert budget.fraction_done(5, 30.0) == 0.25
    assert budget.fraction_done(5, 200.0) == 1
    assert budget.total_steps(50, 30.0) == 200
    assert budget.total_steps(0, 0.0) >= 1


def test_steps_share_what_is_left_between_preparation_and_the_close() -> None:
    budget = Budget(TrainingConfig(minutes=2.0, epochs=50), 10, closing_seconds=20.0)
    assert budget.fraction_done(0, 10.0, start_seconds=10.0) == 0
    assert budget.fraction_done(0, 55.0, start_seconds=10.0) == 0.5
    assert budget.fraction_done(0, 100.0, start_seconds=10.0) == 1
    # after a preparation that used up the time, there is a tenth of it for steps
    assert budget.fraction_done(0, 150.0, start_seconds=150.0) == 0
    assert budget.fraction_done(0, 156.0, start_seconds=150.0) == 0.5
    assert budget.fraction_done(0, 162.0, start_seconds=150.0) == 1


def test_a_budget_of_time_and_one_of_passes_end_whichever_is_over_first() -> None:
    budget = Budget(TrainingConfig(minutes=2.0, epochs=3), steps_per_epoch=10)
    assert budget.fraction_done(15, 30.0) == 0.5 and budget.fraction_done(15, 90.0) == 0.75
    assert budget.fraction_done(30, 30.0) == 1 and budget.fraction_done(3, 120.0) == 1
    assert budget.total_steps(15, 30.0) == 30 and budget.total_steps(15, 90.0) == 20
