"""The training loop: batches, a network, a loss and an optimizer; no files, no screen.

Everything else hangs on one :class:`~nextword.training.callbacks.Callback`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from nextword.config.schema import TrainingConfig
from nextword.device import choose_precision, computing_in
from nextword.errors import TrainingError
from nextword.inference.session import Prediction
from nextword.losses.penalties import activation_penalty
from nextword.losses.softmax import Loss
from nextword.models.base import LanguageModel, State, detach
from nextword.training.callbacks import Callback, Progress, StepReport, ValidationReport
from nextword.training.clock import Clock
from nextword.training.optimizer import Budget, Schedule, build_optimizer, clip_gradient
from nextword.windows import BatchSource

VALIDATION_SHARE = 0.06
"""Validations before the last step take about this share of a time budget at most."""
FIRST_VALIDATION = 0.1
"""Share of the steps of a time budget after which there is a first model to use."""
MAX_FAILURES = 20
"""Training has diverged after so many failed steps in a row."""
MAX_LOSS = 100.0
"""A loss above this, in nats per word, is a failure: guessing at random costs less than 20."""


class DivergedError(TrainingError):
    """The loss or the weights of a training went out of bounds; the message says what to lower."""


class Trainer:
    """Minimises a loss over batches.

    Args:
        model: any language model.
        loss: the loss to minimise.
        batches: the training text.
        config: the ``training`` section, its open settings resolved.
        device: the model's device.
        validate: measures the validation loss, in nats per word.
        callback: receives every step and validation.
        should_stop: asked before each step; true ends the training early.
        sample: predicts the next words of some prompts, for the report of a validation.
        clock: the user's wait so far.
        closing_seconds: part of a time budget that is needed after the last step.
    """

    def __init__(
        self,
        model: LanguageModel,
        loss: Loss,
        batches: BatchSource,
        config: TrainingConfig,
        device: torch.device,
        validate: Callable[[], float],
        callback: Callback | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        sample: Callable[[], Mapping[str, Sequence[Prediction]]] = dict,
        clock: Clock | None = None,
        closing_seconds: float = 0.0,
    ) -> None:
        self.model = model
        self.loss = loss
        self.batches = batches
        self.config = config
        self.device = device
        self.validate = validate
        self.callback = callback or Callback()
        self.should_stop = should_stop
        self.sample = sample
        self.precision = choose_precision(config.precision, device)
        self.optimizer = build_optimizer(model, config)
        self.steps_per_epoch = -(-len(batches) // config.accumulate)
        self.budget = Budget(config, self.steps_per_epoch, closing_seconds)
        self.clock = clock or Clock()
        self.schedule = Schedule(config)
        self.progress = Progress()
        self.closing_validations = 1.0
        """What the work after the last step costs, in validations."""
        self.carried: State = self._initial_state()

    @property
    def total_steps(self) -> int:
        """Optimizer steps in the whole training; an estimate where time is the budget."""
        progress = self.progress
        return self.budget.total_steps(progress.step, progress.seconds, progress.start_seconds)

    @property
    def fraction_done(self) -> float:
        """The part of the budget that is used up, 0 to 1."""
        progress = self.progress
        return self.budget.fraction_done(progress.step, progress.seconds, progress.start_seconds)

    @property
    def wait_fraction(self) -> float:
        """The part of the user's wait that is over, 0 to 1; of the steps without a time budget."""
        if self.budget.seconds is None:
            return self.fraction_done
        return min(self.clock() / self.budget.seconds, 1.0)

    @property
    def finished(self) -> bool:
        """Whether the budget is used up, or validation has stalled."""
        return self.fraction_done >= 1 or self.stalled

    @property
    def stalled(self) -> bool:
        """Whether validation has not improved for too long, with some of the budget left."""
        patience = self.config.patience
        return self.fraction_done < 1 and bool(patience and self.progress.stale >= patience)

    @property
    def closing_seconds(self) -> float | None:
        """About how long the work after the last step takes; None before the first validation."""
        if self.budget.closing_seconds:
            return self.budget.closing_seconds
        if not self.progress.validations:
            return None
        seconds_each = self.progress.validation_seconds / self.progress.validations
        return self.closing_validations * seconds_each

    def run(self) -> bool:
        """Train to the end; ``False`` if stopped before it.

        Raises:
            DivergedError: the loss or the weights are out of bounds; earlier saves are kept.
        """
        self.callback.on_train_begin(self)
        try:
            return self._run()
        finally:
            self.callback.on_train_end()

    def _run(self) -> bool:
        # a resume with a larger budget has more validations ahead than were planned
        self.progress.validations_due = min(self.progress.validations_due, self._validations_due())
        if self.progress.step == 0:
            self.progress.start_seconds = self.progress.seconds = self.clock()
        while True:
            # before the step, so that a state saved after the last step resumes with validation
            if self._validations_due() > self.progress.validations_due:
                self.measure()
            if self.finished or self.should_stop():
                return self.finished
            report = self.step()
            self.progress.seconds = self.clock()
            self.callback.on_step(report)

    def measure(self) -> None:
        """Validate, and record whether the loss is the lowest so far.

        Raises:
            DivergedError: the loss or a weight is out of bounds; nothing is recorded.
        """
        started = time.perf_counter()
        self.model.eval()
        with computing_in(self.precision, self.device):
            loss = self.validate()
        if not loss <= MAX_LOSS:  # nor is NaN
            raise self._diverged(f"its validation loss is {_loss_text(loss)}")
        self.check_finite()
        progress = self.progress
        progress.validation_seconds += time.perf_counter() - started
        progress.seconds = self.clock()
        progress.validations += 1
        progress.validations_due = self._validations_due()
        improved = loss < progress.best_loss
        if improved:
            progress.best_loss, progress.best_step, progress.stale = loss, progress.step, 0
        else:
            progress.stale += 1
            self.schedule.stalled()
        self.callback.on_validation(ValidationReport(progress, loss, improved, self.sample()))

    def check_finite(self) -> None:
        """Refuse weights that are not finite, before they are saved.

        Raises:
            DivergedError: a weight, or an average that the optimizer takes, is not.
        """
        for name, parameter in self.model.named_parameters():
            averages = self.optimizer.state.get(parameter, {}).values()
            if not all(torch.isfinite(tensor).all() for tensor in (parameter, *averages)):
                raise self._diverged(f"{name} is not finite")

    def _validations_due(self) -> int:
        """Validations whose turn has come; where time is the budget, the first one comes early."""
        planned, fraction = self._validations_planned(), self.fraction_done
        if self.budget.seconds is None or planned == 1:
            return int(fraction * planned)
        if fraction < FIRST_VALIDATION:
            return 0
        return 1 + int((fraction - FIRST_VALIDATION) / (1 - FIRST_VALIDATION) * (planned - 1))

    def _validations_planned(self) -> int:
        """Evenly spread validations; fewer than configured where a time budget has no room."""
        wanted, seconds = self.config.validations, self.budget.seconds
        if seconds is None or not self.progress.validations:
            return wanted
        seconds_each = self.progress.validation_seconds / self.progress.validations
        room = int(VALIDATION_SHARE * seconds / max(seconds_each, 1e-9))
        return min(wanted, max(room, 2))

    def _initial_state(self) -> State:
        return self.model.initial_state(self.batches.batch_size)

    def step(self) -> StepReport:
        """One optimizer step: ``accumulate`` batches forward and backward, then the update."""
        self.model.train()
        epoch, step_in_epoch = divmod(self.progress.step, self.steps_per_epoch)
        rate = self.schedule.rate(self.progress.step, self.fraction_done)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        if step_in_epoch == 0:
            self.carried = self._initial_state()
        first = step_in_epoch * self.config.accumulate
        indices = range(first, min(first + self.config.accumulate, len(self.batches)))
        losses, words = zip(
            *(self._backward(epoch, index, len(indices)) for index in indices), strict=True
        )
        loss = float(torch.stack(losses).sum())
        norm = clip_gradient(self.model, self.config.clip_norm)
        self.progress.step += 1
        finite = math.isfinite(loss) and math.isfinite(norm)
        if finite:
            self.optimizer.step()
            self.progress.words += sum(words)
        else:
            self.progress.skipped += 1
        if not finite or not all(torch.isfinite(part).all() for part in self.carried):
            self.carried = self._initial_state()  # the carried state may be the cause
        failed = not finite or loss > MAX_LOSS
        self.progress.failures = self.progress.failures + 1 if failed else 0
        if self.progress.failures >= MAX_FAILURES:
            raise self._diverged(
                f"{MAX_FAILURES} steps in a row failed; the last training loss is "
                f"{_loss_text(loss)}"
            )
        return StepReport(self.progress, self.total_steps, loss, rate, norm)

    def _backward(self, epoch: int, index: int, accumulated: int) -> tuple[Tensor, int]:
        """Add the gradient of one of ``accumulated`` batches; its share of the loss, its words."""
        inputs, targets = self.batches.batch(epoch, index)
        state = self.carried
        if not self.batches.continuous:
            state = self.model.initial_state(len(inputs))
        with computing_in(self.precision, self.device):
            features, next_state = self.model.features(inputs.to(self.device), state)
            value = self.loss(features, self.model.output, targets.to(self.device))
            objective = value.mean
            if self.config.activation_penalty or self.config.change_penalty:
                objective = objective + activation_penalty(
                    features, self.config.activation_penalty, self.config.change_penalty
                )
        (objective / accumulated).backward()  # type: ignore[no-untyped-call]
        self.carried = detach(next_state)
        return value.mean.detach() / accumulated, value.words

    def _diverged(self, reason: str) -> DivergedError:
        """The error of a training that cannot go on, with the settings to lower."""
        config, progress = self.config, self.progress
        remedies = [f"lower training.learning_rate (now {config.learning_rate:g})"]
        if config.clip_norm == 0:
            remedies.append("set training.clip_norm=1")
        if config.learning_rate * config.weight_decay > 1:
            remedies.append(f"lower training.weight_decay (now {config.weight_decay:g})")
        kept = "no model was saved yet"
        if progress.validations:
            kept = f"the model of step {progress.best_step:,} is kept"
        return DivergedError(
            f"training diverged at step {progress.step:,} ({reason}): {' or '.join(remedies)}; "
            f"{kept}"
        )


def _loss_text(loss: float) -> str:
    return f"{loss:.3g} nats per word" if math.isfinite(loss) else "not a finite number"
