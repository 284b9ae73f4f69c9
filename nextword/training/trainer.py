"""The training loop: it knows batches, a network, a loss and an optimizer, and nothing of files.

Whatever is to happen beside it hangs on :class:`Observer`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from nextword.config.schema import TrainingConfig
from nextword.device import choose_precision, computing_in
from nextword.errors import TrainingError
from nextword.losses.penalties import activation_penalty
from nextword.losses.softmax import Loss
from nextword.models.base import LanguageModel, State, detach
from nextword.training.batches import BatchSource
from nextword.training.optimizer import build_optimizer, gradient_norm
from nextword.training.schedule import Budget, Schedule

VALIDATION_SHARE = 0.1
"""Of a time budget, looks at the validation part take about this share at most."""
FAILURES_IN_A_ROW = 20
"""After so many steps without a finite gradient the training stops."""


@dataclass
class Progress:
    """Where a training stands; all that counts up, and all that a resume must restore."""

    step: int = 0
    """Optimizer steps taken or left out."""
    words: int = 0
    """Targets learned from."""
    seconds: float = 0.0
    """Time spent training, validation and saving included."""
    validation_seconds: float = 0.0
    """Time of that spent on validation."""
    saving_seconds: float = 0.0
    """Time of that spent on saving: what a resume needs, and the best model."""
    validations: int = 0
    """Looks taken at the validation part."""
    validations_due: int = 0
    """Looks of all that there is room for that were due so far."""
    best_loss: float = math.inf
    """The best validation loss, in nats a word."""
    best_step: int = 0
    """The step of the best validation loss."""
    stale: int = 0
    """Validations since the best."""
    skipped: int = 0
    """Steps left out because the loss or its gradient was not finite."""
    failures: int = 0
    """Of these, how many came last, in a row."""


@dataclass(frozen=True)
class StepReport:
    """What one optimizer step saw."""

    progress: Progress
    total_steps: int
    loss: float
    """Mean loss of the step, in nats a word; not finite if the step was left out."""
    learning_rate: float
    gradient_norm: float


class Observer(Protocol):
    """Who is told what happens."""

    def stepped(self, report: StepReport) -> None:
        """An optimizer step was taken or left out."""
        ...

    def validated(self, progress: Progress, loss: float, improved: bool) -> None:
        """The validation part was measured, in nats a word."""
        ...


class Trainer:
    """Descends a loss over batches.

    Args:
        model: any language model.
        loss: what to descend.
        batches: what to learn from.
        config: the ``training`` section.
        device: where the model is.
        validate: measures the validation part in nats a word.
        observer: is told of each step and each validation.
        should_stop: asked after each step; true ends the training early.
    """

    def __init__(
        self,
        model: LanguageModel,
        loss: Loss,
        batches: BatchSource,
        config: TrainingConfig,
        device: torch.device,
        validate: Callable[[], float],
        observer: Observer,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.model = model
        self.loss = loss
        self.batches = batches
        self.config = config
        self.device = device
        self.validate = validate
        self.observer = observer
        self.precision = choose_precision(config.precision, device)
        self.optimizer = build_optimizer(model, config)
        self.steps_per_epoch = -(-len(batches) // config.accumulate)
        self.course = Budget(config, self.steps_per_epoch)
        self.schedule = Schedule(config)
        self.progress = Progress()
        self.carried: State = self._fresh_state()
        self.should_stop = should_stop

    @property
    def total_steps(self) -> int:
        """Optimizer steps in the whole training; an estimate where time is the budget."""
        return self.course.steps_ahead(self.progress.step, self.progress.seconds)

    @property
    def done(self) -> float:
        """The share of the training that is done, 0 to 1."""
        return self.course.done(self.progress.step, self.progress.seconds)

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or validation has not improved for too long."""
        patience = self.config.patience
        return self.done >= 1 or bool(patience and self.progress.stale >= patience)

    def run(self) -> bool:
        """Train to the end; ``False`` if stopped before it.

        Raises:
            TrainingError: step after step gave no finite gradient.
        """
        # a resume with more epochs has looks ahead of it again
        self.progress.validations_due = min(self.progress.validations_due, self._looks_due())
        if self.progress.step == 0 and self.done < 1:
            # preparations may have used up part of a time budget, and nothing is learned yet
            self.progress.validations_due = self._looks_due()
        while True:
            # before the step, so that a state saved between step and look resumes with the look
            if self._looks_due() > self.progress.validations_due:
                self.measure()
            if self.finished or self.should_stop():
                return self.finished
            started = time.perf_counter()
            report = self._step()
            self.progress.seconds += time.perf_counter() - started
            self.observer.stepped(report)

    def measure(self) -> None:
        """Look at the validation part and remember whether it is the best so far."""
        started = time.perf_counter()
        self.model.eval()
        with computing_in(self.precision, self.device):
            loss = self.validate()
        progress = self.progress
        took = time.perf_counter() - started
        progress.seconds += took
        progress.validation_seconds += took
        progress.validations += 1
        progress.validations_due = self._looks_due()
        improved = loss < progress.best_loss
        if improved:
            progress.best_loss, progress.best_step, progress.stale = loss, progress.step, 0
        else:
            progress.stale += 1
            self.schedule.stalled()
        self.observer.validated(progress, loss, improved)

    def _looks_due(self) -> int:
        return int(self.done * self._looks())

    def _looks(self) -> int:
        """Looks, evenly spread, that a time budget has room for if they take as long as before."""
        wanted, seconds = self.config.validations, self.course.seconds
        if seconds is None or not self.progress.validations:
            return wanted
        one = self.progress.validation_seconds / self.progress.validations
        room = int(VALIDATION_SHARE * seconds / max(one, 1e-9))
        # where not all find room, the first, which came before that was known, is one too many
        return wanted if room >= wanted else min(wanted, max(1, room - 1))

    def _fresh_state(self) -> State:
        return self.model.initial_state(self.batches.batch_size)

    def _step(self) -> StepReport:
        """One optimizer step: ``accumulate`` batches forward and back, then the weights move."""
        self.model.train()
        epoch, place = divmod(self.progress.step, self.steps_per_epoch)
        rate = self.schedule.rate(self.progress.step, self.done)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        if place == 0:
            self.carried = self._fresh_state()
        first = place * self.config.accumulate
        numbers = range(first, min(first + self.config.accumulate, len(self.batches)))
        losses, words = zip(*(self._batch(epoch, i, len(numbers)) for i in numbers), strict=True)
        loss = float(torch.stack(losses).sum())
        norm = gradient_norm(self.model, self.config.clip_norm)
        self.progress.step += 1
        if math.isfinite(loss) and math.isfinite(norm):
            self.optimizer.step()
            self.progress.words += sum(words)
            self.progress.failures = 0
        else:
            self._leave_out(loss)
        return StepReport(self.progress, self.total_steps, loss, rate, norm)

    def _batch(self, epoch: int, index: int, parts: int) -> tuple[Tensor, int]:
        """Add one batch's gradient; its share of the step's loss, and its words."""
        inputs, targets = self.batches.batch(epoch, index)
        state = self.carried
        if not self.batches.continuous:
            state = self.model.initial_state(len(inputs))
        with computing_in(self.precision, self.device):
            features, after = self.model.features(inputs.to(self.device), state)
            value = self.loss(features, self.model.output, targets.to(self.device))
            descended = value.mean
            if self.config.activation_penalty or self.config.change_penalty:
                descended = descended + activation_penalty(
                    features, self.config.activation_penalty, self.config.change_penalty
                )
        (descended / parts).backward()  # type: ignore[no-untyped-call]
        self.carried = detach(after)
        return value.mean.detach() / parts, value.words

    def _leave_out(self, loss: float) -> None:
        # what made this step fail may live on in the carried state
        self.carried = self._fresh_state()
        self.progress.skipped += 1
        self.progress.failures += 1
        if self.progress.failures >= FAILURES_IN_A_ROW:
            raise TrainingError(
                f"{FAILURES_IN_A_ROW} steps in a row gave no finite gradient (last loss {loss}); "
                f"lower training.learning_rate (now {self.config.learning_rate:g}) or set "
                f"training.clip_norm (now {self.config.clip_norm:g})"
            )
