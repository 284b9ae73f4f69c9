"""``nextword predict``."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nextword.cli.asked import asked_model
from nextword.cli.options import device_option, json_option, model_option
from nextword.cli.piped import argument_text
from nextword.cli.terminal import say, say_json
from nextword.inference.decoder import ADAPTATIONS, Adapt

if TYPE_CHECKING:
    from nextword.inference.session import Prediction, Session
    from nextword.model import Model


@click.command("predict")
@click.argument("prompt", required=False)
@click.option(
    "-k", "count", default=5, show_default=True, type=click.IntRange(min=1), help="How many words."
)
@click.option("--prefix", default="", metavar="LETTERS", help="Only words that begin with these.")
@click.option(
    "--adapt",
    type=click.Choice(ADAPTATIONS),
    help="How to learn from the prompt itself, in memory only.  [default: cache in a session, "
    "else none]",
)
@model_option
@device_option
@json_option
def command(
    prompt: str | None,
    count: int,
    prefix: str,
    adapt: str | None,
    model: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Say which words are most likely to follow PROMPT.

    Without PROMPT, prompts are read from a pipe, one a line; on a terminal a session begins in
    which each line goes on where the last one ended.
    """
    from nextword.device import choose_device
    from nextword.model import load_model

    place = choose_device(device)
    predictor = load_model(asked_model(model), str(place))
    session = prompt is None and sys.stdin.isatty()
    usual = predictor.loaded.session_adapt if session else "none"
    answer = _Answer(predictor, count, prefix, cast(Adapt, adapt or usual), as_json)
    if prompt is not None:
        answer.to(argument_text(prompt))
    elif session:
        _session(answer)
    else:
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        answer.to_lines(sys.stdin)


class _Answer:
    """Answers prompts on stdout, and says on stderr, once, which words are unknown."""

    def __init__(
        self, predictor: Model, count: int, prefix: str, adapt: Adapt, as_json: bool
    ) -> None:
        self.predictor = predictor
        self.count = count
        self.prefix = prefix
        self.adapt = adapt
        self.as_json = as_json
        self.said: set[str] = set()

    def to(self, prompt: str) -> None:
        """Answer one prompt."""
        self.after(self.reader(), prompt)

    def reader(self) -> Session:
        """A reader at the beginning of a text."""
        return self.predictor.session(self.adapt)

    def after(self, reader: Session, prompt: str) -> None:
        """Let a reader go on with a prompt, and answer."""
        _say_unknown(reader.read(prompt), self.said)
        predictions = reader.predict(self.count, self.prefix)
        if self.as_json:
            found = [asdict(prediction) for prediction in predictions]
            say_json({"prompt": prompt, "predictions": found})
        else:
            _show(predictions, self.prefix)

    def to_lines(self, lines: Iterable[str]) -> None:
        """Answer prompts as they come, each under its own line."""
        number = 0
        for number, line in enumerate(lines, start=1):
            prompt = line.rstrip("\r\n")
            if not self.as_json:
                say(*[""] * (number > 1), f"{prompt} ...")
            self.to(prompt)
        if number == 0:
            raise click.UsageError("no prompt: give one as an argument or through a pipe")


def _session(answer: _Answer) -> None:
    say(
        "Type words and press Enter; the network reads on from line to line.",
        "An empty line asks again, /new starts afresh, Ctrl-D ends.",
        err=True,
    )
    reader = answer.reader()
    while True:
        try:
            line = input("> " if sys.stdout.isatty() else "")
        except EOFError:
            say(err=True)
            return
        if line.strip() == "/new":
            reader = answer.reader()
            continue
        answer.after(reader, line)


def _show(predictions: list[Prediction], prefix: str) -> None:
    from nextword.cli.console import prediction_lines

    if not predictions:
        say(f"no word of the vocabulary begins with {prefix!r}", err=True)
    for line in prediction_lines(predictions):
        say(line)


def _say_unknown(unknown: list[str], said: set[str]) -> None:
    new = [word for word in unknown if word not in said]
    said.update(new)
    if new:
        say(f"not in the vocabulary: {', '.join(new)}", err=True)
