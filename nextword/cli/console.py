"""What a training looks like on a terminal: a bar, and a few lines now and then, all on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from tqdm import tqdm

from nextword.cli.progress import interval
from nextword.formatting import escape_control, percent
from nextword.inference.session import Prediction
from nextword.training.callbacks import Callback, StepReport, ValidationReport
from nextword.training.trainer import Trainer

SMOOTHING = 0.05
"""Weight of the newest step in the loss and in the time left that the bar shows."""


class Console(Callback):
    """Shows a run on stderr."""

    def __init__(self) -> None:
        self.bar: tqdm[NoReturn] | None = None
        self.loss: float | None = None
        self.skipped = 0

    def on_message(self, line: str) -> None:
        with suppress(OSError):  # a terminal that was closed ends no training
            tqdm.write(escape_control(line), file=sys.stderr)

    def on_train_begin(self, trainer: Trainer) -> None:
        self.bar = tqdm(
            total=trainer.total_steps,
            initial=trainer.progress.step,
            unit="step",
            dynamic_ncols=True,
            mininterval=interval(),
            smoothing=SMOOTHING,
            bar_format="{percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} steps, "
            "{elapsed} gone, {remaining} left{postfix}",
        )

    def on_step(self, report: StepReport) -> None:
        progress = report.progress
        if progress.skipped > self.skipped:
            self.skipped = progress.skipped
            self.on_message(
                f"step {progress.step}: the loss or its gradient is not finite; left out"
            )
        elif self.loss is None:
            self.loss = report.loss
        else:
            self.loss += SMOOTHING * (report.loss - self.loss)
        if self.bar is not None:
            speed = progress.words / max(progress.seconds, 1e-9)
            shown = "-" if self.loss is None else f"{self.loss:.2f}"
            self.bar.total = report.total_steps
            self.bar.set_postfix_str(f"loss {shown}, {speed:,.0f} words/s", refresh=False)
            with suppress(OSError):
                self.bar.update(progress.step - self.bar.n)

    def on_validation(self, report: ValidationReport) -> None:
        progress, perplexity = report.progress, report.perplexity
        best = "" if progress.stale else ", the best so far"
        self.on_message(f"step {progress.step:,}: validation perplexity {perplexity:,.1f}{best}")
        for prompt, found in report.samples.items():
            words = ", ".join(f"{p.word} {percent(p.probability)}" for p in found)
            self.on_message(f"    {prompt} ... {words}")

    def on_train_end(self) -> None:
        if self.bar is not None:
            with suppress(OSError):
                self.bar.close()
            self.bar = None


def prediction_lines(predictions: Sequence[Prediction]) -> list[str]:
    """Predictions as aligned lines: word, probability, and a bar to look at."""
    words = [escape_control(p.word) for p in predictions]
    width = max(map(len, words), default=0)
    most = max((p.probability for p in predictions), default=1.0)
    return [
        f"{word:<{width}}  {percent(p.probability):>7}  {'█' * round(24 * p.probability / most)}"
        for word, p in zip(words, predictions, strict=True)
    ]
