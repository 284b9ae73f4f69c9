"""``nextword score``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nextword.cli.asked import asked_model
from nextword.cli.options import (
    adapt_option,
    device_option,
    encoding_option,
    json_option,
    model_option,
)
from nextword.cli.terminal import say, say_json
from nextword.inference.decoder import Adapt

if TYPE_CHECKING:
    from nextword.evaluation.score import Score
    from nextword.model import Model
    from nextword.text.tokenized import TokenizedText


@click.command("score")
@click.argument("prompt", required=False)
@click.option("--text", metavar="FILE", help="Score this text, - for a pipe.")
@encoding_option
@adapt_option("Adapt to the text as it is read, never looking ahead.")
@click.option("--table", is_flag=True, help="A table, even where colours could be shown.")
@model_option
@device_option
@json_option
def command(
    prompt: str | None,
    text: str | None,
    encoding: str,
    adapt: str,
    table: bool,
    model: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Say how surprised a model is by each word of PROMPT or of a text.

    A terminal with colours shows the text, shaded by surprisal; else there is a table of each
    word's probability, rank and surprisal. JSON is a line a word, and one for all.
    """
    from nextword.device import choose_device
    from nextword.model import load_model
    from nextword.text.tokenized import tokenize_files, tokenize_string

    if prompt is not None and text is not None:
        raise click.UsageError("give a text as an argument or with --text, not both")
    if prompt is None and text is None:
        if sys.stdin.isatty():
            raise click.UsageError("no text: give one as an argument, with --text or by a pipe")
        text = "-"
    place = choose_device(device)
    predictor = load_model(asked_model(model), str(place))
    tokenizer = predictor.loaded.tokenizer
    if text is not None:
        passage = tokenize_files(tokenizer, [text], encoding)
    else:
        from nextword.cli.piped import argument_text

        passage = tokenize_string(tokenizer, argument_text(prompt or ""))
    _show(_scored(predictor, passage, cast(Adapt, adapt)), table, as_json)


def _scored(predictor: Model, passage: TokenizedText, adapt: Adapt) -> Score:
    """The score, under a bar where that takes long and a person waits."""
    from tqdm import tqdm

    total = len(passage.ids)
    with tqdm(total=total, unit="word", leave=False, disable=None, delay=1) as bar:
        return predictor.score(passage, adapt, progress=lambda words: bar.update(words))


def _show(score: Score, table: bool, as_json: bool) -> None:
    from nextword.cli.score_text import shaded, summary, table_lines
    from nextword.cli.wrap import colours_wanted, line_width

    if as_json:
        for word in score.words:
            say_json(asdict(word))
        say_json(summary(score))
    elif table or not colours_wanted():
        for line in table_lines(score):
            say(line)
    else:
        # its words are made harmless one by one; the rest is ours
        click.echo(shaded(score, line_width()))
