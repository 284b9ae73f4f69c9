"""``nextword train``: what it shows on the terminal, and how signals end it."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from nextword.cli.options import json_option
from nextword.cli.progress import open_bar
from nextword.cli.terminal import (
    columns_of,
    counted,
    padded,
    prediction_lines,
    quoted_mark,
    say,
    say_json,
)
from nextword.formatting import escape_control, percent
from nextword.training.callbacks import Callback

if TYPE_CHECKING:
    from tqdm import tqdm

    from nextword.inference.session import Prediction
    from nextword.training.callbacks import StepReport, ValidationReport
    from nextword.training.result import TrainingResult
    from nextword.training.trainer import Trainer

SMOOTHING = 0.05
"""Weight of the newest step in the loss and the remaining time that the bar shows."""


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
    from nextword.config import find_config, load_config, parse_assignments
    from nextword.storage.run_folder import RunFolder, run_to_resume

    overrides = parse_assignments(assignments)
    if text:
        overrides["text.path"] = text[0] if len(text) == 1 else list(text)
    path = find_config(config) if config else None
    if resume and path is None:
        path = run_to_resume(run).config
    resolved = load_config(path, overrides, os.environ)

    from nextword.training.run import train

    with stopping_on_signals() as request:
        console = Console()
        result = train(resolved, run=run, resume=resume, callback=console, should_stop=request)
    if as_json:
        say_json(result.as_dict())
    else:
        say(*result_lines(result))
    if request.signal is not None:
        run = shlex.quote(RunFolder(result.path).reference)
        say(f"stopped early; continue with: nextword train --resume --run {run}", err=True)
        raise SystemExit(128 + request.signal)


def result_lines(result: TrainingResult) -> list[str]:
    """The figures of a finished training, its predictions, and what to do next."""
    lines = []
    for name, mixed, alone in (
        ("validation", result.valid_perplexity, result.network_valid_perplexity),
        ("test", result.test_perplexity, result.network_test_perplexity),
    ):
        if mixed is not None:
            network = f" (network alone {alone:,.2f})" if alone not in (None, mixed) else ""
            lines.append(f"{name:<10} perplexity {mixed:,.2f}{network}")
    return [
        *lines,
        f"{counted(result.steps, 'step')} in {result.seconds:,.1f} s, "
        f"{result.tokens_per_second:,.0f} words/s",
        "",
        f"{result.prompt} ...",
        *(f"  {line}" for line in prediction_lines(result.model.predict(result.prompt))),
        "",
        f"The model is in {result.path / 'model'}. Try it:",
        f"  nextword predict {shlex.quote(result.prompt)}",
    ]


class Console(Callback):
    """Shows a training on stderr: a bar, and a few lines now and then."""

    def __init__(self) -> None:
        self.bar: tqdm[NoReturn] | None = None
        self.loss: float | None = None
        self.skipped = 0

    def on_message(self, line: str) -> None:
        from tqdm import tqdm

        with suppress(OSError):  # training goes on when the terminal is closed
            tqdm.write(escape_control(line), file=sys.stderr)
            sys.stderr.flush()

    def on_train_begin(self, trainer: Trainer) -> None:
        self.skipped = trainer.progress.skipped
        self.bar = open_bar(
            trainer.total_steps,
            initial=trainer.progress.step,
            counts="{n_fmt}/{total_fmt} steps, ",
            keep=True,
            smoothing=SMOOTHING,
        )

    def on_step(self, report: StepReport) -> None:
        progress = report.progress
        if progress.skipped > self.skipped:
            self.skipped = progress.skipped
            self.on_message(f"step {progress.step:,} skipped: its loss or gradient is not finite")
        elif self.loss is None:
            self.loss = report.loss
        else:
            self.loss += SMOOTHING * (report.loss - self.loss)
        if self.bar is not None:
            speed = progress.words / max(progress.seconds, 1e-9)
            loss = "-" if self.loss is None else f"{self.loss:.2f}"
            self.bar.total = report.total_steps
            self.bar.set_postfix_str(f"loss {loss}, {speed:,.0f} words/s", refresh=False)
            with suppress(OSError):
                self.bar.update(progress.step - self.bar.n)

    def on_validation(self, report: ValidationReport) -> None:
        best = ", the best so far" if report.improved else ""
        self.on_message(
            f"step {report.progress.step:,}: validation perplexity {report.perplexity:,.1f}{best}"
        )
        for line in sample_lines(report.samples):
            self.on_message(f"    {line}")

    def on_train_end(self) -> None:
        if self.bar is not None:
            with suppress(OSError):
                self.bar.close()
            self.bar = None


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
def stopping_on_signals() -> Iterator[StopRequest]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP sets the request; a second one ends the program.

    A hangup that the caller ignores, as ``nohup`` does, stays ignored.
    """
    request = StopRequest()

    def handle(number: int, frame: FrameType | None) -> None:
        if request.signal is not None:
            raise EndAtOnce(number)
        request.signal = number
        with suppress(OSError):  # the terminal may be closed
            say("", "stopping: saving, then measuring; press Ctrl-C again to skip", err=True)

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
