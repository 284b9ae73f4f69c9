"""``nextword score``: shaded running text or a table of surprisals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nextword.cli.completers import complete_text
from nextword.cli.layout import PILCROW, colours_wanted, columns_of, line_width, padded, shown_word
from nextword.cli.options import (
    PromptCommand,
    adapt_option,
    device_option,
    encoding_option,
    json_option,
    model_option,
    open_model,
    prompt_argument,
)
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import argument_text, nothing_piped, say, say_json, say_unknown
from nextword.formatting import SHADE_EDGES, counted, percent, shade, shade_names
from nextword.inference import Adapt

if TYPE_CHECKING:
    from nextword.evaluation.score import Score, ScoredWord

SHADES = (231, 229, 222, 215, 209, 203)
"""Terminal colours (of 256) from white over yellow to red, each darker than the one before, all
light enough for black letters. Background and letters are both set, so that the terminal's own
colours do not matter."""
INK = 16
MAX_WORD_WIDTH = 30
"""Columns of the table's first column."""


@click.command("score", cls=PromptCommand)
@prompt_argument
@click.option(
    "--text",
    metavar="FILE",
    shell_complete=complete_text,
    help="Score this text; - for stdin.",
)
@encoding_option
@adapt_option("How to adapt to the text as it is read, never looking ahead.")
@click.option("--table", is_flag=True, help="Show a table even where colours are available.")
@model_option
@device_option("cpu")
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
    """Show how surprising each word of PROMPT is to a model.

    The text may also come from --text or a pipe. A terminal with colours shows it shaded by
    surprisal; otherwise a table gives each word's probability, rank and surprisal. JSON has one
    line for each word and a last one for the text.
    """
    from nextword.evaluation.held_out import TRAINED_ON, trained_on
    from nextword.text.tokenized import read_prompt, tokenize_files

    if prompt is not None and text is not None:
        raise click.UsageError("give the text as an argument or with --text, not both")
    if prompt is None and text is None:
        if nothing_piped():
            raise click.UsageError("no text: give one as an argument, with --text or by a pipe")
        text = "-"
    opened = open_model(model, device)
    tokenizer = opened.loaded.tokenizer
    if text is None:
        tokenized, unmatched = read_prompt(tokenizer, argument_text(prompt or ""))
        say_unknown(tokenizer, unmatched)
    else:
        tokenized = tokenize_files(tokenizer, text, encoding)
        if text != "-" and opened.folder is not None and trained_on(opened.folder, [text]):
            say(f"the model {TRAINED_ON}", err=True)
    with ProgressBars(delay=1) as bars:
        count = bars.counter("words scored", len(tokenized.ids))
        score = opened.score(tokenized, cast(Adapt, adapt), progress=count)
    if as_json:
        for word in score.words:
            say_json(asdict(word))
        say_json(score.summary())
    elif table or not colours_wanted():
        for line in table_lines(score):
            say(line)
    else:
        # its words are escaped one by one; the escape sequences left are the program's
        click.echo(shaded(score, line_width()))


def summary_line(score: Score) -> str:
    """The figures of the whole text in one line."""
    spelling = f" ({_number(score.spelling_bits)} to spell unknown words)" if score.unknown else ""
    return (
        f"{counted(len(score.words), 'word')}: {_number(score.bits)} bits{spelling}, "
        f"perplexity {_number(score.perplexity)}, "
        f"{_number(score.bits_per_character, 3)} bits per character"
    )


def _number(value: float, digits: int = 1) -> str:
    return f"{value:,.{digits}f}" if value < 1e9 else f"{value:.2e}"


def table_lines(score: Score) -> Iterator[str]:
    """One aligned line for each word, then the summary."""
    names = [_name(word) for word in score.words]
    width = min(max(columns_of(name) for name in [*names, "word"]), MAX_WORD_WIDTH)
    yield f"{padded('word', width)}  probability     rank   bits  likeliest"
    for name, word in zip(names, score.words, strict=True):
        yield (
            f"{padded(name, width)}  {percent(word.probability):>11}  {word.rank:>7,}  "
            f"{_number(word.bits):>5}  {shown_word(word.likeliest)}"
        )
    if score.unknown:
        yield "(?) not in the vocabulary; the figures are those of any unknown word"
    yield summary_line(score)


def _name(word: ScoredWord) -> str:
    shown = shown_word(word.word)
    return shown if word.known else f"{shown} (?)"


def shaded(score: Score, width: int) -> str:
    """The running text, each word shaded by its surprisal, with a legend and the summary."""
    from nextword.cli.wrapping import Wrapper

    wrapper = Wrapper(width, gap=_paint(" ", 0.0, known=True))
    written = []
    for word in score.words:
        shown = shown_word(word.word)
        written.append(wrapper.push(shown, partial(_paint, bits=word.bits, known=word.known)))
        written.append(wrapper.push("\n" if shown == PILCROW else " " * word.spaced))
    written.append(wrapper.flush())
    text = "".join(written).rstrip("\n")
    return f"{text}\n\n{legend(score.unknown > 0)}\n{summary_line(score)}"


def legend(unknown: bool) -> str:
    """What the shades mean, on one line."""
    lows = (0, *SHADE_EDGES)
    parts = [_paint(f" {name} ", low, True) for name, low in zip(shade_names(), lows, strict=True)]
    mark = f", {click.style('unknown', underline=True)} underlined" if unknown else ""
    return f"{''.join(parts)} bits{mark}"


def _paint(text: str, bits: float, known: bool) -> str:
    return click.style(text, fg=INK, bg=SHADES[shade(bits)], underline=None if known else True)
