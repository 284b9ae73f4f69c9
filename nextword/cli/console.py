"""The display of a training on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nextword.cli.layout import columns_of, padded, quoted_mark
from nextword.cli.progress import ProgressBars
from nextword.formatting import counted, escape_control, figure, percent
from nextword.training.callbacks import Callback

if TYPE_CHECKING:
    from nextword.inference.session import Prediction
    from nextword.training.callbacks import StepReport, ValidationReport
    from nextword.training.trainer import Trainer

SMOOTHING = 0.05
"""Weight of the newest step in the loss that is shown."""


class Console(Callback):
    """Shows a training on stderr: its progress, and a few lines now and then; a context manager.

    On a terminal there is a bar for everything that takes a second; a log gets plain lines.
    """

    def __init__(self) -> None:
        self.bars = ProgressBars()
        self.trainer: Trainer | None = None
        self.loss: float | None = None
        self.skipped = 0
        self.note = ""

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.close()

    def on_message(self, line: str) -> None:
        self.bars.display.message(line)

    def on_progress(self, label: str, done: int, total: int) -> None:
        if self.trainer is None:
            self.bars.show(label, done, total)
        elif total:
            share = f"{label} {100 * done / total:.0f} %"
            note = share if self.trainer.finished else f"{self.note}, {share}"
            self.bars.display.update(self.trainer.wait_fraction, note)

    def on_train_begin(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.skipped = trainer.progress.skipped
        self.note = _steps_text(trainer)
        self.bars.close()
        if trainer.progress.step and not trainer.finished:
            self.on_message(f"continuing: {self.note} done")
        self.bars.display.begin("", 1.0, done=trainer.wait_fraction, delay=0.0)
        self.bars.display.update(trainer.wait_fraction, self.note)

    def on_step(self, report: StepReport) -> None:
        progress = report.progress
        if progress.skipped > self.skipped:
            self.skipped = progress.skipped
            self.on_message(f"step {progress.step:,} skipped: its loss or gradient is not finite")
        elif self.loss is None:
            self.loss = report.loss
        else:
            self.loss += SMOOTHING * (report.loss - self.loss)
        if self.trainer is not None:
            speed = progress.words / max(progress.seconds, 1e-9)
            loss = "-" if self.loss is None else figure(self.loss, None, 2)
            self.note = f"{_steps_text(self.trainer)}, loss {loss}, {speed:,.0f} words/s"
            self.bars.display.update(self.trainer.wait_fraction, self.note)

    def on_validation(self, report: ValidationReport) -> None:
        best = ", the best so far" if report.improved else ""
        if self.trainer is not None:
            self.bars.display.update(self.trainer.wait_fraction, self.note)
        status = self.bars.display.status()
        self.on_message(
            f"step {report.progress.step:,}{f' ({status})' * bool(status)}: "
            f"validation perplexity {figure(report.perplexity, None, 1)}{best}"
        )
        for line in sample_lines(report.samples):
            self.on_message(f"    {line}")

    def on_train_end(self) -> None:
        if self.trainer is not None and self.trainer.budget.seconds is not None:
            return  # the bar goes on to the end of the wait
        self.trainer = None
        self.bars.close()

    def closing_seconds(self) -> float | None:
        """About how long a stop takes to measure the best model; None where unknown."""
        return None if self.trainer is None else self.trainer.closing_seconds


def _steps_text(trainer: Trainer) -> str:
    """The steps taken, and the number of all steps unless time ends the training."""
    if trainer.budget.seconds is not None:
        return counted(trainer.progress.step, "step")
    return f"{trainer.progress.step:,}/{counted(trainer.total_steps, 'step')}"


def sample_lines(samples: Mapping[str, Sequence[Prediction]]) -> list[str]:
    """The likeliest words after each prompt, a line each, in columns."""
    table = {
        escape_control(prompt): [
            f"{quoted_mark(prediction.word)} {percent(prediction.probability)}"
            for prediction in predictions
        ]
        for prompt, predictions in samples.items()
    }
    prompt_width = max(map(columns_of, table), default=0)
    cell_width = max((columns_of(cell) for cells in table.values() for cell in cells), default=0)
    return [
        f"{padded(prompt, prompt_width)} ...  "
        + "  ".join(padded(cell, cell_width) for cell in cells).rstrip()
        for prompt, cells in table.items()
    ]
