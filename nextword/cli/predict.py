"""``nextword predict``: one prompt, a pipe of prompts, or a session on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nextword.cli.options import (
    PromptCommand,
    device_option,
    json_option,
    model_option,
    open_model,
    prompt_argument,
)
from nextword.cli.terminal import (
    argument_text,
    columns_of,
    is_terminal,
    line_width,
    piped_lines,
    prediction_lines,
    say,
    say_json,
    say_unknown,
)
from nextword.inference import ADAPTATIONS, Adapt

if TYPE_CHECKING:
    from nextword.inference.session import Session
    from nextword.model import Model

SESSION_COMMANDS = {
    "/new": "start over with an empty text",
    "/text": "show the whole text so far",
    "/help": "show this help",
}


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
        self.adapt = adapt
        self.as_json = as_json
        self.suggest = True
        """Whether near spellings of unknown words are looked for."""
        self.named: set[str] = set()

    def session(self) -> Session:
        """A session at the beginning of a text."""
        return self.model.session(self.adapt)

    def answer(self, prompt: str, session: Session | None = None) -> None:
        """Read a prompt, in a new session unless one is given, and write the predictions."""
        session = session or self.session()
        session.read(prompt)
        unknown = [match for match in session.unmatched if match.typed not in self.named]
        self.named.update(match.typed for match in unknown)
        say_unknown(self.model.loaded.tokenizer, unknown, suggest=self.suggest)
        predictions = session.predict(self.count, self.prefix)
        if self.as_json:
            found = [asdict(prediction) for prediction in predictions]
            say_json({"prompt": prompt, "predictions": found})
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
    say(
        "Type words and press Enter; each line continues the text.",
        "Empty line: repeat. /new: start over. /help: all. Ctrl-D ends.",
        err=True,
    )
    session = answers.session()
    text: list[str] = []
    while True:
        try:
            line = input("> " if is_terminal(sys.stdout) else "")
        except EOFError:
            say(err=True)
            return
        asked = line.strip()
        if asked == "/new":
            session, text = answers.session(), []
            say("(new text)", err=True)
        elif asked == "/text":
            say(" ".join(text) or "(no text yet)", err=True)
        elif asked == "/help":
            say(*help_lines(), err=True)
        elif asked in ("/quit", "/exit"):
            return
        elif asked.startswith("/") and asked[1:].isalpha():
            say(f"unknown command {asked}; /help lists all", err=True)
        else:
            text += [asked] if asked else []
            if len(text) > 1 or (text and not asked):
                say(f"{text_so_far(text)} ...", err=True)
            answers.answer(line, session)


def help_lines() -> list[str]:
    """What can be typed in a session."""
    commands = {"words": "continue the text", "(empty)": "repeat the predictions"}
    commands |= {**SESSION_COMMANDS, "Ctrl-D, /quit": "end"}
    return [f"  {name:<15}{meaning}" for name, meaning in commands.items()]


def text_so_far(text: Sequence[str]) -> str:
    """The end of a session's text, as much as has room on one line."""
    words = " ".join(text).split(" ")
    room = line_width() - len("...  ...")
    shown: list[str] = []
    while words and columns_of(" ".join([words[-1], *shown])) <= room:
        shown.insert(0, words.pop())
    return f"{'... ' * bool(words)}{' '.join(shown)}"
