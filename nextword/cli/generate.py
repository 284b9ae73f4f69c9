"""``nextword generate``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nextword.cli.layout import line_width
from nextword.cli.options import (
    PromptCommand,
    adapt_option,
    device_option,
    json_option,
    model_option,
    open_model,
    prompt_argument,
)
from nextword.cli.terminal import argument_text, is_terminal, piped_text, say, say_json, say_unknown
from nextword.inference import Adapt

if TYPE_CHECKING:
    from nextword.inference.sampling import Sampling
    from nextword.model import Model


@click.command("generate", cls=PromptCommand)
@prompt_argument
@click.option(
    "-n",
    "words",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="WORDS",
    help="How many words to add, punctuation marks included.",
)
@click.option(
    "--temperature",
    default=1.0,
    show_default=True,
    metavar="T",
    help="Below 1, likely words become likelier; 0 always takes the likeliest.",
)
@click.option(
    "--top-k", type=int, metavar="K", help="Sample from the K likeliest words.  [default: all]"
)
@click.option(
    "--top-p",
    default=0.9,
    show_default=True,
    metavar="P",
    help="Sample from the likeliest words whose probabilities add up to P; 1 means all words.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    help="The same seed gives the same text.  [default: random, and shown]",
)
@adapt_option("How to adapt to the prompt and to the generated text.")
@model_option
@device_option("cpu")
@json_option
def command(
    prompt: str | None,
    words: int,
    temperature: float,
    top_k: int | None,
    top_p: float,
    seed: int | None,
    adapt: str,
    model: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Continue PROMPT with generated text.

    Without PROMPT it continues what comes through a pipe, or starts from nothing. After a prompt
    that ends in a blank line, a new paragraph begins.
    """
    from nextword.inference.generation import random_seed
    from nextword.inference.sampling import Sampling
    from nextword.text.tokenized import unmatched_words

    sampling = Sampling(temperature, top_k, top_p)
    opened = open_model(model, device)
    start = piped_text() if prompt is None else argument_text(prompt)
    tokenizer = opened.loaded.tokenizer
    say_unknown(tokenizer, unmatched_words(tokenizer, start))
    seed = random_seed() if seed is None else seed
    if as_json:
        generated = opened.generate(start, words, sampling, seed, cast(Adapt, adapt))
        say_json({**asdict(generated), **asdict(sampling), "adapt": adapt})
        return
    if temperature > 0:
        say(f"seed {seed}", err=True)
    _write(opened, start, words, sampling, seed, cast(Adapt, adapt))


def _write(
    model: Model, prompt: str, words: int, sampling: Sampling, seed: int, adapt: Adapt
) -> None:
    """Write the text: word by word on a terminal, all at once and unwrapped into a pipe."""
    if not is_terminal(sys.stdout):
        say(*model.generate(prompt, words, sampling, seed, adapt).text.split("\n"))
        return
    from nextword.cli.wrapping import Wrapper, escape_lines

    wrapper = Wrapper(line_width())

    def show(piece: str) -> None:
        click.echo(wrapper.push(escape_lines(piece)), nl=False)

    try:
        model.generate(prompt, words, sampling, seed, adapt, show)
    finally:
        # keeps the words written so far readable when Ctrl-C ends it
        click.echo(wrapper.flush())
