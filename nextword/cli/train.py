"""``nextword train``: what it shows on the terminal, and how signals end it."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from nextword.cli.options import json_option
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import (
    columns_of,
    padded,
    prediction_lines,
    quoted_mark,
    say,
    say_at_once,
    say_json,
)
from nextword.formatting import counted, escape_control, figure, percent
from nextword.training.callbacks import Callback

if TYPE_CHECKING:
    from nextword.inference.session import Prediction
    from nextword.training.callbacks import StepReport, ValidationReport
    from nextword.training.result import TrainingResult
    from nextword.training.trainer import Trainer

SMOOTHING = 0.05
"""Weight of the newest step in the loss that is shown."""


@click.command("train")
@click.option("--config", metavar="FILE", help="A YAML file, or the name of one that ships.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a configuration key, such as model.hidden_size=512; may be repeated.",
)
@click.option(
    "--text",
    multiple=True,
    metavar="FILE",
    help="The text: a file, a folder, or - for stdin; may be repeated.",
)
@click.option(
    "--run",
    metavar="NAME",
    help="The run's name under runs/; with --resume also the path of a run folder.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue a run (the newest, or --run) from its last save. Epochs, minutes, learning "
    "rate, device, threads and the number of validations may change; the network and the text may "
    "not.",
)
@json_option
def command(
    config: str | None,
    assignments: tuple[str, ...],
    text: tuple[str, ...],
    run: str | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Train a next-word predictor on a text.

    Without options it trains on the text that ships with the program. As it trains it shows the
    validation perplexity and sample predictions; Ctrl-C stops early, saves, and leaves a usable
    model.
    """
    from nextword.config.load import find_config, load_config, parse_assignments
    from nextword.storage.run_folder import RunFolder, run_to_resume

    overrides = parse_assignments(assignments)
    if text:
        overrides["text.path"] = text[0] if len(text) == 1 else list(text)
    path = find_config(config) if config else None
    if resume and path is None:
        path = run_to_resume(run).config
    resolved = load_config(path, overrides, os.environ)

    from nextword.training.run import train

    with Console() as console, stopping_on_signals(console.closing_seconds) as request:
        result = train(resolved, run=run, resume=resume, callback=console, should_stop=request)
    if as_json:
        say_json(result.as_dict())
    else:
        say(*result_lines(result))
    if request.signal is not None:
        name = shlex.quote(RunFolder(result.path).reference)
        say(f"stopped early; continue with: nextword train --resume --run {name}", err=True)
        raise SystemExit(128 + request.signal)


def result_lines(result: TrainingResult) -> list[str]:
    """The figures of a finished training, its predictions, and what to do next."""
    lines = []
    for name, mixed, alone in (
        ("validation", result.valid_perplexity, result.network_valid_perplexity),
        ("test", result.test_perplexity, result.network_test_perplexity),
    ):
        if mixed is not None:
            network = (
                f" (network alone {figure(alone, None, 2)})" if alone not in (None, mixed) else ""
            )
            lines.append(f"{name:<10} perplexity {figure(mixed, None, 2)}{network}")
    return [
        *lines,
        f"{counted(result.steps, 'step')} in {result.seconds:,.1f} s, "
        f"{result.tokens_per_second:,.0f} words/s",
        "",
        f"{result.prompt} ...",
        *(f"  {line}" for line in prediction_lines(result.model.predict(result.prompt))),
        "",
        f"The model is in {result.path / 'model'}. Try it:",
        f"  nextword predict {'-- ' * result.prompt.startswith('-')}{shlex.quote(result.prompt)}",
    ]


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
            self.bars.display.update(self.trainer.fraction_done, f"{self.note}, {share}")

    def on_train_begin(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.skipped = trainer.progress.skipped
        self.note = _steps_text(trainer)
        self.bars.close()
        if trainer.progress.step and not trainer.finished:
            self.on_message(f"continuing: {self.note} done")
        self.bars.display.begin("", 1.0, done=trainer.fraction_done, delay=0.0)
        self.bars.display.update(trainer.fraction_done, self.note)

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
            self.bars.display.update(self.trainer.fraction_done, self.note)

    def on_validation(self, report: ValidationReport) -> None:
        best = ", the best so far" if report.improved else ""
        if self.trainer is not None:
            self.bars.display.update(self.trainer.fraction_done, self.note)
        status = self.bars.display.status()
        self.on_message(
            f"step {report.progress.step:,}{f' ({status})' * bool(status)}: "
            f"validation perplexity {figure(report.perplexity, None, 1)}{best}"
        )
        for line in sample_lines(report.samples):
            self.on_message(f"    {line}")

    def on_train_end(self) -> None:
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


class EndAtOnce(KeyboardInterrupt):
    """A second signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


class StopRequest:
    """Whether a signal asked to stop, and which."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        return self.signal is not None


@contextmanager
def stopping_on_signals(
    closing_seconds: Callable[[], float | None] = lambda: None,
) -> Iterator[StopRequest]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP sets the request; a second one ends the program.

    A hangup that the caller ignores, as ``nohup`` does, stays ignored.

    Args:
        closing_seconds: about how long the program then goes on; None where unknown.
    """
    request = StopRequest()

    def handle(number: int, frame: FrameType | None) -> None:
        if request.signal is not None:
            raise EndAtOnce(number)
        request.signal = number
        seconds = closing_seconds()
        about = "" if seconds is None else f" (about {max(1, round(seconds)):,} s)"
        say_at_once("", f"stopping: saving, then measuring{about}; press Ctrl-C again to skip")

    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
