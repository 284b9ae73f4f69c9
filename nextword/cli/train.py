"""``nextword train``: its result, and how signals end it."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from nextword.cli import STARTED
from nextword.cli.completers import (
    complete_config,
    complete_resumed_run,
    complete_setting,
    complete_text,
)
from nextword.cli.layout import prediction_lines
from nextword.cli.options import json_option
from nextword.cli.terminal import say, say_at_once, say_json
from nextword.formatting import counted, figure

if TYPE_CHECKING:
    from nextword.training.result import TrainingResult


@click.command("train")
@click.option(
    "--config",
    metavar="FILE",
    shell_complete=complete_config,
    help="A YAML file, or the name of one that ships.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=complete_setting,
    help="Set a configuration key, such as model.hidden_size=512; may be repeated.",
)
@click.option(
    "--text",
    multiple=True,
    metavar="FILE",
    shell_complete=complete_text,
    help="The text: a file, a folder, or - for stdin; may be repeated.",
)
@click.option(
    "--run",
    metavar="NAME",
    shell_complete=complete_resumed_run,
    help="The run's name under runs/; with --resume also the path of a run folder.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue a run (the newest, or --run) from its last save. Epochs, minutes, learning "
    "rate, device, threads and the number of validations may change; the network and the text may "
    "not.",
)
@click.option(
    "--full",
    is_flag=True,
    help="Take the final figures from all of the held-out text, even beyond training.minutes.",
)
@json_option
def command(
    config: str | None,
    assignments: tuple[str, ...],
    text: tuple[str, ...],
    run: str | None,
    resume: bool,
    full: bool,
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

    from nextword.cli.console import Console
    from nextword.training.run import train

    with Console() as console, stopping_on_signals(console.closing_seconds) as request:
        result = train(
            resolved,
            run=run,
            resume=resume,
            callback=console,
            should_stop=request,
            started=STARTED,
            full=full,
        )
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
    for name, mixed, error, alone in (
        (
            "validation",
            result.valid_perplexity,
            result.valid_perplexity_error,
            result.network_valid_perplexity,
        ),
        (
            "test",
            result.test_perplexity,
            result.test_perplexity_error,
            result.network_test_perplexity,
        ),
    ):
        if mixed is not None:
            network = (
                f" (network alone {figure(alone, None, 2)})" if alone not in (None, mixed) else ""
            )
            lines.append(f"{name:<10} perplexity {figure(mixed, error, 2)}{network}")
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
