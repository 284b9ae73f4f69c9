"""What happens beside the training loop: one protocol for screens, logs, checkpoints and tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nextword.errors import NextwordError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from nextword.inference.session import Prediction
    from nextword.training.run_context import RunContext
    from nextword.training.trainer import Trainer

LOGGED_STEPS = 200
"""About so many steps are logged, however long the training."""
TENSORBOARD = "tensorboard"
"""Folder of the event files in a run folder."""


@dataclass
class Progress:
    """Counters of a training: all that a resume must restore besides tensors."""

    step: int = 0
    """Optimizer steps, skipped ones included."""
    words: int = 0
    """Targets trained on."""
    seconds: float = 0.0
    """The user's wait, from start to now, over all resumes."""
    start_seconds: float = 0.0
    """The wait when the first step began."""
    validation_seconds: float = 0.0
    """Part of that time spent on validation."""
    saving_seconds: float = 0.0
    """Part of that time spent on saving checkpoints and the best model."""
    validations: int = 0
    """Validations done."""
    validations_due: int = 0
    """Planned validations whose turn has come so far, whether or not time allowed them."""
    best_loss: float = math.inf
    """Lowest validation loss, in nats per word."""
    best_step: int = 0
    """Step of the lowest validation loss."""
    stale: int = 0
    """Validations since the lowest loss."""
    skipped: int = 0
    """Steps skipped because the loss or its gradient was not finite."""
    failures: int = 0
    """Steps in a row up to now that were skipped, or whose loss was out of bounds."""


@dataclass(frozen=True)
class StepReport:
    """One optimizer step."""

    progress: Progress
    total_steps: int
    """Steps in the whole training; an estimate where time is the budget."""
    loss: float
    """Mean training loss of the step, in nats per word; not finite if the step was skipped."""
    learning_rate: float
    gradient_norm: float
    """Norm before clipping."""


@dataclass(frozen=True)
class ValidationReport:
    """One validation."""

    progress: Progress
    loss: float
    """Mean validation loss, in nats per word."""
    improved: bool
    """Whether the loss is the lowest so far."""
    samples: Mapping[str, Sequence[Prediction]] = field(default_factory=dict)
    """Most likely next words by prompt."""

    @property
    def perplexity(self) -> float:
        """The exponential of the loss."""
        from nextword.statistics import safe_exp

        return safe_exp(self.loss)


class Callback:
    """Reacts to the events of a training; every method does nothing unless overridden.

    An exception that a method raises ends the training.
    """

    def on_message(self, line: str) -> None:
        """A line for the screen."""

    def on_progress(self, label: str, done: int, total: int) -> None:
        """While longer work is under way.

        Args:
            label: what is being done.
            done: units of work so far.
            total: units in all; 0 where unknown.
        """

    def on_train_begin(self, trainer: Trainer) -> None:
        """The first step, or the first one after a resume, comes next."""

    def on_step(self, report: StepReport) -> None:
        """An optimizer step was taken or skipped."""

    def on_validation(self, report: ValidationReport) -> None:
        """The network was validated."""

    def on_train_end(self) -> None:
        """No more steps, whatever the reason; an early stop may still validate once."""


class CallbackList(Callback):
    """Several callbacks as one; events reach them in the order given."""

    def __init__(self, *callbacks: Callback) -> None:
        self.callbacks = callbacks

    def on_message(self, line: str) -> None:
        for callback in self.callbacks:
            callback.on_message(line)

    def on_progress(self, label: str, done: int, total: int) -> None:
        for callback in self.callbacks:
            callback.on_progress(label, done, total)

    def on_train_begin(self, trainer: Trainer) -> None:
        for callback in self.callbacks:
            callback.on_train_begin(trainer)

    def on_step(self, report: StepReport) -> None:
        for callback in self.callbacks:
            callback.on_step(report)

    def on_validation(self, report: ValidationReport) -> None:
        for callback in self.callbacks:
            callback.on_validation(report)

    def on_train_end(self) -> None:
        for callback in self.callbacks:
            callback.on_train_end()


class StepLog(Callback):
    """Logs about 200 evenly spread steps to ``metrics.jsonl``."""

    def __init__(self, run: RunContext) -> None:
        self.run = run

    def on_step(self, report: StepReport) -> None:
        if report.progress.step % max(1, report.total_steps // LOGGED_STEPS) == 0:
            self.run.log(
                "train",
                **asdict(report.progress),
                loss=report.loss,
                learning_rate=report.learning_rate,
                gradient_norm=report.gradient_norm,
            )


class ValidationLog(Callback):
    """Logs every validation to ``metrics.jsonl``."""

    def __init__(self, run: RunContext) -> None:
        self.run = run

    def on_validation(self, report: ValidationReport) -> None:
        samples = {
            prompt: [asdict(prediction) for prediction in predictions]
            for prompt, predictions in report.samples.items()
        }
        self.run.log(
            "valid",
            **asdict(report.progress),
            loss=report.loss,
            perplexity=report.perplexity,
            samples=samples,
        )


def check_tensorboard() -> None:
    """Refuse ``training.tensorboard`` before long work if TensorBoard is missing.

    Raises:
        NextwordError: it is not installed.
    """
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise NextwordError(
            "training.tensorboard needs TensorBoard: pip install 'nextword[tensorboard]', or set "
            "it to false"
        ) from error


class TensorBoard(Callback):
    """Writes every step and validation as TensorBoard events.

    Args:
        run: the run folder; the events go to ``tensorboard/`` in it.
    """

    def __init__(self, run: Path) -> None:
        self.folder = run / TENSORBOARD
        self.writer: SummaryWriter | None = None

    def on_train_begin(self, trainer: Trainer) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # hides what an interrupted training wrote about steps that are now repeated
        self.writer = SummaryWriter(
            str(self.folder), purge_step=trainer.progress.step + 1, max_queue=1000
        )

    def on_step(self, report: StepReport) -> None:
        progress = report.progress
        scalars = {
            "training/loss": report.loss,
            "training/learning rate": report.learning_rate,
            "training/gradient norm": report.gradient_norm,
            "training/words per second": progress.words / max(progress.seconds, 1e-9),
        }
        self._add_scalars(progress.step, scalars)

    def on_validation(self, report: ValidationReport) -> None:
        step = report.progress.step
        scalars = {"validation/perplexity": report.perplexity, "validation/loss": report.loss}
        self._add_scalars(step, scalars)
        if self.writer is not None:
            for prompt, predictions in report.samples.items():
                words = "\n".join(f"    {p.probability:7.2%}  {p.word}" for p in predictions)
                self.writer.add_text(f"predictions/{prompt}", words, step)
            self.writer.flush()

    def on_train_end(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _add_scalars(self, step: int, values: Mapping[str, float]) -> None:
        if self.writer is not None:
            for name, value in values.items():
                if math.isfinite(value):
                    self.writer.add_scalar(name, value, step)
