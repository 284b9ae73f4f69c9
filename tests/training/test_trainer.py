"""The loop learns, stops, validates, and lets nothing that is not finite near the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from nextword.device import computes_bfloat16
from nextword.errors import TrainingError
from nextword.evaluation.stream import mean_loss
from nextword.losses.softmax import ExactLoss, LossValue
from nextword.training import trainer as trainer_module
from nextword.training.callbacks import Callback, StepReport
from nextword.training.trainer import MAX_FAILURES, MAX_LOSS, DivergedError
from nextword.windows import ShuffledBatches, StreamBatches

if TYPE_CHECKING:
    from tests.training.conftest import MakeTrainer

IDS = np.array([2, 3, 2, 4, 5, 2, 6, 7] * 50)


class SpoiledLoss:
    """The exact loss, made not finite at some of its calls, counted from zero."""

    def __init__(self, calls: set[int], how: str = "loss") -> None:
        self.calls, self.how, self.count = calls, how, -1

    def __call__(self, features: Any, output: Any, targets: Any) -> LossValue:
        self.count += 1
        mean, words = ExactLoss()(features, output, targets)
        if self.count in self.calls:
            if self.how == "gradient":  # the root's slope at zero is infinite, its value is fine
                mean = mean + (features * 0).sum().sqrt()
            elif self.how == "costly":
                mean = mean + 2 * MAX_LOSS
            else:
                mean = mean * float("inf" if self.how == "infinite" else "nan")
        return LossValue(mean, words)


def given(losses: list[float]) -> Callable[[], float]:
    left: Iterator[float] = iter(losses)
    return lambda: next(left)


@pytest.mark.parametrize(
    ("model", "continuous"),
    [
        ({"kind": "rnn", "activation": "tanh"}, True),
        ({"kind": "rnn", "activation": "sigmoid"}, True),
        ({"kind": "rnn", "activation": "relu"}, True),
        ({"kind": "rnn", "input": "one_hot", "bias": False}, True),
        ({"kind": "lstm"}, True),
        ({"kind": "lstm", "layers": 2, "tie_weights": False}, False),
        ({"kind": "gru"}, True),
        ({"kind": "feedforward"}, True),
        ({"kind": "feedforward", "input": "one_hot"}, False),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_every_kind_learns_a_cycle(
    make_trainer: MakeTrainer, model: dict[str, object], continuous: bool
) -> None:
    batches = StreamBatches(IDS, 4, 8) if continuous else ShuffledBatches(IDS, 4, 8, 8, 1)
    settings = {f"model.{key}": value for key, value in model.items()}
    settings |= {"training.epochs": 24, "training.learning_rate": 0.03, "training.warmup_steps": 20}
    trainer = make_trainer(settings, batches=batches)
    assert trainer.run()
    # without any memory of the word before, 0.41 nats is the best that can be reached
    assert trainer.recorder.losses[0] > 1.5
    assert max(trainer.recorder.losses[-5:]) < 0.1
    assert trainer.progress.words == 24 * (len(IDS) - 1)
    assert trainer.progress.step == trainer.total_steps == 24 * 13
    if continuous:
        assert mean_loss(trainer.model, IDS, streams=4) < 0.1


@pytest.mark.skipif(
    not computes_bfloat16(),
    reason="this processor cannot compute in bfloat16",
)
def test_bfloat16_learns_too(make_trainer: MakeTrainer) -> None:
    settings = {"training.precision": "bfloat16", "training.epochs": 20}
    trainer = make_trainer({**settings, "training.learning_rate": 0.03})
    trainer.run()
    assert mean_loss(trainer.model, IDS) < 0.1
    assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_two_half_batches_added_up_are_one_batch(make_trainer: MakeTrainer, optimizer: str) -> None:
    ids = IDS[:161]  # 16 full windows
    settings = {
        "training.optimizer": optimizer,
        "training.learning_rate": 0.05,
        "training.epochs": 2,
        "training.clip_norm": 0.3,
    }
    whole = make_trainer(settings, batches=ShuffledBatches(ids, 4, 10, 10, 1))
    halves = make_trainer(
        {**settings, "training.accumulate": 2}, batches=ShuffledBatches(ids, 2, 10, 10, 1)
    )
    for trainer in (whole, halves):
        trainer.run()
        assert trainer.progress.step == 8
    assert halves.recorder.losses == pytest.approx(whole.recorder.losses, rel=1e-5)
    for left, right in zip(whole.model.parameters(), halves.model.parameters(), strict=True):
        # Adam makes steps of gradients near zero, too, which are rounding errors for the most part
        torch.testing.assert_close(left, right, rtol=1e-4, atol=3e-4)


def test_the_batches_left_over_at_an_epochs_end_are_a_step_too(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer({"training.accumulate": 3, "training.epochs": 2})
    assert len(trainer.batches) == 10
    trainer.run()
    assert trainer.progress.step == 8
    assert trainer.progress.words == 2 * (len(IDS) - 1)


@pytest.mark.parametrize("how", ["nan", "infinite", "gradient"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_what_is_not_finite_never_reaches_the_weights(
    make_trainer: MakeTrainer, how: str, accumulate: int
) -> None:
    loss = SpoiledLoss({3 * accumulate, 4 * accumulate}, how)
    trainer = make_trainer(
        {"training.accumulate": accumulate, "training.epochs": accumulate}, loss=loss
    )
    assert trainer.run()
    weights = trainer.recorder.weights
    moved = [not torch.equal(a, b) for a, b in zip(weights, weights[1:], strict=False)]
    assert moved == [True, True, False, False] + [True] * (len(moved) - 4)
    assert all(torch.isfinite(each).all() for each in weights)
    for state in trainer.optimizer.state.values():
        assert all(torch.isfinite(value).all() for value in state.values())
    assert trainer.progress.skipped == 2
    assert trainer.progress.failures == 0
    assert trainer.progress.step == 10
    finite = [math.isfinite(value) for value in trainer.recorder.losses]
    assert finite == [True] * 10 if how == "gradient" else finite.count(False) == 2


def test_a_state_that_is_not_finite_is_not_carried_on(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    trainer.carried = tuple(torch.full_like(part, math.nan) for part in trainer.carried)
    trainer.progress.step = 2  # inside an epoch, where the state is carried
    trainer.run()
    assert trainer.progress.skipped == 1
    assert all(torch.isfinite(part).all() for part in trainer.carried)


def test_failing_again_and_again_ends_with_what_to_change(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer({"training.epochs": 10}, loss=SpoiledLoss(set(range(5, 1000))))
    with pytest.raises(TrainingError, match=r"lower training\.learning_rate \(now 0\.012\)"):
        trainer.run()
    assert trainer.progress.step == 5 + MAX_FAILURES
    assert torch.equal(trainer.recorder.weights[4], trainer.recorder.weights[-1])


def test_failures_must_be_in_a_row_to_end_a_training(make_trainer: MakeTrainer) -> None:
    spoiled = {call for call in range(60) if call % 15 != 14}
    trainer = make_trainer({"training.epochs": 6}, loss=SpoiledLoss(spoiled))
    assert trainer.run()
    assert trainer.progress.skipped == len(spoiled)


@pytest.mark.parametrize("validations", [1, 3, 10])
def test_validations_are_spread_evenly_and_the_last_is_at_the_end(
    make_trainer: MakeTrainer, validations: int
) -> None:
    trainer = make_trainer({"training.epochs": 3, "training.validations": validations})
    trainer.run()
    assert [step for step, _, _ in trainer.recorder.validations] == [
        math.ceil(30 * nth / validations) for nth in range(1, validations + 1)
    ]
    assert trainer.progress.validations == validations


def test_the_best_validation_is_remembered(make_trainer: MakeTrainer) -> None:
    validate = given([3.0, 2.0, 2.5, MAX_LOSS, 1.0, 1.0])
    trainer = make_trainer({"training.epochs": 3, "training.validations": 6}, validate=validate)
    trainer.run()
    improved = [step for step, _, better in trainer.recorder.validations if better]
    assert improved == [5, 10, 25]
    progress = trainer.progress
    assert (progress.best_loss, progress.best_step, progress.stale) == (1.0, 25, 1)


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1e30, 1.01 * MAX_LOSS])
@pytest.mark.parametrize("before", [0, 2])
def test_an_absurd_validation_ends_the_training_unreported(
    make_trainer: MakeTrainer, loss: float, before: int
) -> None:
    trainer = make_trainer(
        {"training.epochs": 3, "training.validations": 6, "training.clip_norm": 0.0},
        validate=given([3.0, 2.0][:before] + [loss, 1.0]),
    )
    kept = "the model of step 10 is kept" if before else "no model was saved yet"
    with pytest.raises(DivergedError, match=rf"step {5 * before + 5} .*clip_norm=1; {kept}"):
        trainer.run()
    assert [loss for _, loss, _ in trainer.recorder.validations] == [3.0, 2.0][:before]
    assert trainer.progress.best_loss == (2.0 if before else math.inf)


def test_absurd_losses_in_a_row_end_a_training(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer({"training.epochs": 10}, loss=SpoiledLoss(set(range(1000)), "costly"))
    with pytest.raises(DivergedError, match="the last training loss is 20. nats per word"):
        trainer.run()
    assert (trainer.progress.step, trainer.progress.skipped) == (MAX_FAILURES, 0)


def test_weights_that_are_not_finite_are_not_validated(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer({"training.weight_decay": 1000.0})
    with torch.no_grad():
        next(iter(trainer.model.parameters()))[0, 0] = math.inf
    with pytest.raises(DivergedError, match="weight_decay"):
        trainer.measure()
    assert trainer.progress.validations == 0


@pytest.mark.parametrize(("patience", "steps"), [(1, 15), (2, 20), (0, 30), (5, 30)])
def test_patience_ends_a_training_that_no_longer_improves(
    make_trainer: MakeTrainer, patience: int, steps: int
) -> None:
    trainer = make_trainer(
        {"training.epochs": 3, "training.validations": 6, "training.patience": patience},
        validate=given([3.0, 2.0, 2.5, 2.5, 1.0, 3.0]),
    )
    assert trainer.run()
    assert trainer.finished
    assert trainer.progress.step == steps


def test_a_plateau_lowers_the_rate_of_the_steps_after_it(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(
        {
            "training.epochs": 3,
            "training.validations": 6,
            "training.schedule": "plateau",
            "training.learning_rate": 0.16,
        },
        validate=given([3.0, 3.0, 2.0, 2.0, 2.0, 1.0]),
    )
    trainer.run()
    rates = [report.learning_rate for report in trainer.recorder.reports]
    wanted = [0.16] * 10 + [0.04] * 10 + [0.01] * 5 + [0.0025] * 5
    assert rates == pytest.approx(wanted)


def test_a_training_can_be_stopped_and_goes_on_where_it_was(make_trainer: MakeTrainer) -> None:
    whole = make_trainer({"training.epochs": 2})
    whole.run()
    halts = iter([False] * 7 + [True] + [False] * 100)
    halted = make_trainer({"training.epochs": 2}, should_stop=lambda: next(halts))
    assert not halted.run()
    assert halted.progress.step == 7
    assert halted.run()
    assert torch.equal(halted.recorder.weights[-1], whole.recorder.weights[-1])


def test_the_state_runs_on_within_an_epoch_and_starts_over_in_the_next(
    make_trainer: MakeTrainer,
) -> None:
    trainer = make_trainer({"training.learning_rate": 1e-30, "training.epochs": 2})
    streams = [trainer.batches.batch(0, index).inputs for index in range(10)]
    model = trainer.model.eval()
    for steps, words in [(4, streams[:4]), (10, streams), (11, streams[:1])]:
        while trainer.progress.step < steps:
            trainer.step()
        with torch.no_grad():
            _, wanted = model.features(torch.cat(words, 1), model.initial_state(4))
        for carried, expected in zip(trainer.carried, wanted, strict=True):
            torch.testing.assert_close(carried, expected)
            assert not carried.requires_grad


def test_dropout_is_on_in_steps_and_off_in_validation(make_trainer: MakeTrainer) -> None:
    modes: list[bool] = []

    def validate() -> float:
        modes.append(trainer.model.training)
        return 1.0

    class NoteMode(Callback):
        def on_step(self, report: StepReport) -> None:
            modes.append(trainer.model.training)

    trainer = make_trainer({"training.validations": 2}, validate=validate)
    trainer.callback = NoteMode()
    trainer.run()
    assert modes == [True] * 5 + [False] + [True] * 5 + [False]


def test_a_time_budget_ends_the_training_with_a_validation(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer({"training.minutes": 0.3 / 60, "training.epochs": 10**6})
    assert trainer.run()
    assert 0.3 <= trainer.progress.seconds < 1.0
    assert trainer.recorder.validations[-1][0] == trainer.progress.step > 5
    rates = [report.learning_rate for report in trainer.recorder.reports]
    assert rates[-1] < 0.2 * rates[0]


@pytest.mark.parametrize(
    ("validation_seconds", "shares"),
    [
        (0.01, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        (0.11, [0.1, 0.32, 0.55, 0.77, 1.0]),  # there is room for five
        (0.45, [0.1, 1.0]),
        (5.0, [0.1, 1.0]),
    ],
)
def test_validations_do_not_eat_a_time_budget_and_are_spread_over_it(
    make_trainer: MakeTrainer,
    monkeypatch: pytest.MonkeyPatch,
    validation_seconds: float,
    shares: list[float],
) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.02  # and so long is a step
        return now

    def validate() -> float:
        nonlocal now
        now += validation_seconds - 0.02
        fractions.append(trainer.fraction_done)
        return 1.0

    fractions: list[float] = []
    monkeypatch.setattr(trainer_module, "time", SimpleNamespace(perf_counter=clock))
    trainer = make_trainer(
        {"training.minutes": 10 / 60, "training.epochs": 10**6}, validate=validate
    )
    monkeypatch.setattr(trainer, "clock", clock)
    assert trainer.run()
    assert fractions == pytest.approx(shares, abs=0.02)
    assert trainer.recorder.validations[-1][0] == trainer.progress.step
