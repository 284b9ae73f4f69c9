"""``nextword explain``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from nextword.cli.asked import asked_model
from nextword.cli.options import (
    check_together,
    encoding_option,
    json_option,
    model_option,
    places_option,
    reach_option,
    split_option,
)
from nextword.cli.terminal import say, say_json

OF_GRADIENTS = ("text", "encoding", "split", "reach", "places")
"""Options that say how gradients are measured."""


@click.command("explain")
@click.argument("prompt", required=False)
@click.option(
    "-k",
    "count",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many predictions after each word, where the terminal has room.",
)
@click.option(
    "--gradients",
    is_flag=True,
    help="Instead: measure how gradients vanish, and what short contexts cost.",
)
@click.option(
    "--text",
    metavar="FILE",
    help="Measure gradients on this text, which may also be named instead of a PROMPT.",
)
@encoding_option
@split_option("Which held-out part of the run's text gradients are measured on.")
@reach_option
@places_option
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw a picture, as .png or .svg.",
)
@model_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    prompt: str | None,
    count: int,
    gradients: bool,
    text: str | None,
    encoding: str,
    split: str,
    reach: int,
    places: int,
    plot: Path | None,
    model: Path | None,
    as_json: bool,
) -> None:
    """Show how a network reads PROMPT word by word, or how far back it remembers.

    After each word: what the network had given to it, how unsure it is of the next, how far its
    hidden state moved, how open its gates are; at the end, which words the likeliest next word
    rests on. What each figure means: docs/insight.md.
    """
    check_together(context, "--gradients", gradients, OF_GRADIENTS)
    check_together(context, "a PROMPT", not gradients, ("count",))
    if gradients and prompt is not None and text is not None:
        raise click.UsageError("give the text as an argument or with --text, not both")
    if plot is not None:
        from nextword.plotting.style import check_picture

        check_picture(plot)
    if gradients:
        _gradients(
            model, split, prompt if text is None else text, encoding, reach, places, plot, as_json
        )
    else:
        _prompt(prompt, count, plot, model, as_json)


def _prompt(
    prompt: str | None, count: int, plot: Path | None, model: Path | None, as_json: bool
) -> None:
    from nextword.cli.explain_table import explanation_json, explanation_lines
    from nextword.cli.piped import argument_text, piped_text
    from nextword.comparison.loaded_run import run_folder_of
    from nextword.inference.model_folder import load_model_folder
    from nextword.inference.passage import passage_of
    from nextword.interpret.explanation import explain

    text = argument_text(prompt) if prompt is not None else piped_text()
    if prompt is None and not text.strip():
        raise click.UsageError("no prompt: give one as an argument or through a pipe")
    folder = asked_model(model)
    loaded = load_model_folder(folder)
    told = explain(loaded, passage_of(loaded.tokenizer, text), count)
    if plot is not None:
        from nextword.plotting.interpret import explanation_figure
        from nextword.plotting.style import write_picture

        name = run_folder_of(folder).name
        write_picture(plot, lambda: explanation_figure(told, text, name))
    mixed = loaded.mixture.ngram is not None
    if as_json:
        say_json(explanation_json(told, text, mixed))
    else:
        for line in explanation_lines(told, mixed):
            say(line)
    _say_saved(plot)


def _gradients(
    model: Path | None,
    split: str,
    text: str | None,
    encoding: str,
    reach: int,
    places: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    from nextword.cli.memory_table import memory_lines
    from nextword.cli.progress import Bars
    from nextword.comparison.loaded_run import load_runs
    from nextword.device import leave_busy_cores
    from nextword.evaluation.held_out import LEARNED
    from nextword.interpret.memory import check_memory, measure_memory

    texts = () if text is None else (text,)
    (run,) = load_runs([model], split, texts, encoding)
    if run.learned_it:
        say(f"{run.name} {LEARNED}", err=True)
    leave_busy_cores(partial(say, err=True))
    check_memory(run.loaded, run.part, reach, places)
    with Bars() as bars:
        memory = measure_memory(run.loaded, run.name, run.part, reach, places, bars.show)
    if plot is not None:
        from nextword.plotting.interpret import memory_figure
        from nextword.plotting.style import write_picture

        write_picture(plot, lambda: memory_figure([memory], [memory.name]))
    if as_json:
        say_json(memory.as_dict())
    else:
        for line in memory_lines(memory):
            say(line)
    _say_saved(plot)


def _say_saved(plot: Path | None) -> None:
    if plot is not None:
        say(f"saved {plot}", err=True)
