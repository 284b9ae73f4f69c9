"""``nextword generate``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nextword.cli.asked import asked_model
from nextword.cli.options import adapt_option, device_option, json_option, model_option
from nextword.cli.terminal import say, say_json
from nextword.inference.decoder import Adapt

if TYPE_CHECKING:
    from nextword.inference.sampling import Sampling
    from nextword.model import Model


@click.command("generate")
@click.argument("prompt", required=False)
@click.option(
    "-n",
    "words",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="WORDS",
    help="How many words to add, marks of punctuation among them.",
)
@click.option(
    "--temperature",
    default=1.0,
    show_default=True,
    metavar="T",
    help="Below 1 likely words become likelier; 0 takes the likeliest always.",
)
@click.option(
    "--top-k", type=int, metavar="K", help="Draw from the K likeliest words.  [default: all]"
)
@click.option(
    "--top-p",
    default=0.9,
    show_default=True,
    metavar="P",
    help="Draw from the likeliest words that together reach this probability; 1: from all.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    help="The same seed gives the same text.  [default: by chance, and said]",
)
@adapt_option("Adapt to the prompt and to what is written.")
@model_option
@device_option
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
    """Write on from PROMPT.

    Without PROMPT the text begins from nothing, or from what comes through a pipe. A prompt that
    ends in a blank line is a whole paragraph, and the next one begins.
    """
    from nextword.cli.piped import argument_text, piped_text
    from nextword.device import choose_device
    from nextword.inference.sampling import Sampling
    from nextword.model import load_model

    sampling = Sampling(temperature, top_k, top_p)
    place = choose_device(device)
    predictor = load_model(asked_model(model), str(place))
    begun = piped_text() if prompt is None else argument_text(prompt)
    unknown = predictor.loaded.tokenizer.unknown_words(begun)
    if unknown:
        say(f"not in the vocabulary: {', '.join(unknown)}", err=True)
    seed = _seed() if seed is None else seed
    if as_json:
        found = predictor.generate(begun, words, sampling, seed, cast(Adapt, adapt))
        say_json({**asdict(found), **asdict(sampling), "adapt": adapt})
        return
    if temperature > 0:
        say(f"seed {seed}", err=True)
    _write(predictor, begun, words, sampling, seed, cast(Adapt, adapt))


def _seed() -> int:
    import random

    from nextword.inference.generation import MAX_SEED

    return random.SystemRandom().randrange(MAX_SEED)


def _write(
    predictor: Model, prompt: str, words: int, sampling: Sampling, seed: int, adapt: Adapt
) -> None:
    """Show the text: on a terminal word by word, into a pipe paragraph by paragraph as it is."""
    from nextword.cli.wrap import Wrapper, escape_lines, line_width

    if not sys.stdout.isatty():
        say(*predictor.generate(prompt, words, sampling, seed, adapt).text.split("\n"))
        return
    wrapper = Wrapper(line_width())

    def told(piece: str) -> None:
        click.echo(wrapper.push(escape_lines(piece)), nl=False)

    try:
        predictor.generate(prompt, words, sampling, seed, adapt, told)
    finally:
        # what was written so far stays readable when Ctrl-C ends it
        click.echo(wrapper.flush())
