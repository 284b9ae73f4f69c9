"""``nextword predict``: one prompt, a pipe of prompts, or a session on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nextword.cli.dialogue import Dialogue
from nextword.cli.layout import prediction_lines
from nextword.cli.options import (
    PromptCommand,
    device_option,
    json_option,
    model_option,
    open_model,
    prompt_argument,
)
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import (
    argument_text,
    is_terminal,
    piped_lines,
    say,
    say_json,
    say_unknown,
)
from nextword.inference import ADAPTATIONS, Adapt

if TYPE_CHECKING:
    from nextword.inference.session import Session
    from nextword.model import Model


@click.command("predict", cls=PromptCommand)
@prompt_argument
@click.option(
    "-k",
    "count",
    metavar="N",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many words.",
)
@click.option("--prefix", default="", metavar="LETTERS", help="Only words that start with these.")
@click.option(
    "--adapt",
    type=click.Choice(ADAPTATIONS),
    help="How to adapt to the prompt itself, in memory only.  [default: cache in a session, "
    "otherwise none]",
)
@model_option
@device_option("cpu")
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
    """Predict the words most likely to follow PROMPT.

    Without PROMPT, prompts are read from a pipe, one a line. On a terminal a session begins, in
    which each line continues the text.
    """
    opened = open_model(model, device)
    in_session = prompt is None and is_terminal(sys.stdin)
    usual = opened.loaded.session_adapt if in_session else "none"
    answers = Answers(opened, count, prefix, cast(Adapt, adapt or usual), as_json)
    if prompt is not None:
        answers.answer(argument_text(prompt))
    elif in_session:
        run_session(answers)
    else:
        answer_lines(answers, piped_lines())


class Answers:
    """Answers prompts on stdout; names each unknown word once, on stderr."""

    def __init__(self, model: Model, count: int, prefix: str, adapt: Adapt, as_json: bool) -> None:
        self.model = model
        self.count = count
        self.prefix = prefix
        self.as_json = as_json
        self.suggest = True
        """Whether near spellings of unknown words are looked for."""
        self.named: set[str] = set()
        self.slow = adapt in ("dynamic", "both")
        """Whether reading a long prompt takes so long that its progress is shown."""
        self._fresh = model.session(adapt)

    def session(self) -> Session:
        """A session at the beginning of a text."""
        return self._fresh.fork()

    def answer(self, prompt: str) -> None:
        """Read a prompt in a new session, and write the predictions."""
        self.answer_in(self.session(), prompt)

    def answer_in(self, session: Session, prompt: str, letters: str = "") -> None:
        """Read a prompt in a session, and write the predictions that begin with some letters.

        Args:
            session: at the end of an earlier prompt, or new.
            prompt: as it was typed.
            letters: of a half-typed word after it.
        """
        with ProgressBars() as bars:
            show = partial(bars.show, "words read, adapting to them")
            session.read(prompt, show if self.slow else None)
        unknown = [match for match in session.unmatched if match.typed not in self.named]
        self.named.update(match.typed for match in unknown)
        say_unknown(self.model.loaded.tokenizer, unknown, suggest=self.suggest)
        predictions = session.predict(self.count, letters or self.prefix)
        if self.as_json:
            found = [asdict(prediction) for prediction in predictions]
            say_json({"prompt": prompt + letters, "predictions": found})
            return
        if not predictions:
            say(f"no word of the vocabulary starts with {self.prefix!r}", err=True)
        for line in prediction_lines(predictions):
            say(line)


def answer_lines(answers: Answers, lines: Iterable[str]) -> None:
    """Answer prompts as they arrive; for people, each under its prompt."""
    number = 0
    answers.suggest = False  # a pipe may hold thousands of prompts
    for number, line in enumerate(lines, start=1):
        prompt = line.rstrip("\r\n")
        if not answers.as_json:
            say(*[""] * (number > 1), f"{prompt} ...")
        answers.answer(prompt)
    if number == 0:
        raise click.UsageError("no prompt: give one as an argument or through a pipe")


def run_session(answers: Answers) -> None:
    """Answer the lines typed on a terminal until Ctrl-D; each line continues the text."""
    Dialogue(answers.session, answers.answer_in).run(
        lambda: input("> " if is_terminal(sys.stdout) else "")
    )
