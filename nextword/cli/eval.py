"""``nextword eval``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextword.cli.options import (
    adapt_option,
    check_together,
    device_option,
    encoding_option,
    format_option,
    json_option,
    model_option,
    plots_option,
    split_option,
    suggestions_option,
    texts_option,
)
from nextword.cli.terminal import say, say_json
from nextword.inference.decoder import Adapt

if TYPE_CHECKING:
    from nextword.evaluation.baselines import Opener
    from nextword.evaluation.evaluator import Evaluation
    from nextword.inference.loaded_model import LoadedModel
    from nextword.text.tokenized import TokenizedText


@click.command("eval")
@texts_option
@encoding_option
@split_option("Which held-out part of the run's text.")
@suggestions_option
@click.option(
    "--details", is_flag=True, help="Also by frequency and position, and the words that cost most."
)
@plots_option
@format_option
@adapt_option("Adapt to the text as it is read, never looking ahead.")
@click.option(
    "--baselines",
    is_flag=True,
    help="Set simpler models beside it that learned from the same words.",
)
@model_option
@device_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    text: tuple[str, ...],
    encoding: str,
    split: str,
    suggestions: int,
    details: bool,
    plot: Path | None,
    picture_format: str,
    adapt: Adapt,
    baselines: bool,
    model: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Measure a model on text that it has not seen.

    Every word is predicted once, from all that stands before it, among all words of the vocabulary.
    A word is a token of the model's own tokenizer, ends of paragraphs included. What each figure
    means: docs/evaluation.md.
    """
    check_together(context, "--plot", plot is not None, ("picture_format",))
    check_together(context, "--text", bool(text), ("encoding",))
    from nextword.cli.eval_table import comparison_lines, details_lines, table_lines
    from nextword.comparison.loaded_run import run_folder_of
    from nextword.device import choose_device, leave_busy_cores
    from nextword.evaluation.baselines import simpler_models
    from nextword.evaluation.held_out import TRAINED_ON, held_out_part, read_text, trained_on
    from nextword.inference.model_folder import load_model_folder
    from nextword.plotting.evaluation import write_plots
    from nextword.plotting.style import prepare_plots
    from nextword.storage.run_folder import find_model

    if plot is not None:
        prepare_plots(plot)
    folder = find_model(model)
    leave_busy_cores(partial(say, err=True))
    loaded = load_model_folder(folder).to(choose_device(device))
    if text:
        part = read_text(loaded.tokenizer, list(text), encoding)
        if trained_on(folder, text):
            say(f"the model {TRAINED_ON}", err=True)
    else:
        part = held_out_part(folder, loaded.tokenizer, split)
    openers = simpler_models(loaded, folder) if baselines else {}
    measured = _measure(lambda: loaded.decoder(adapt), part, loaded, suggestions)
    compared = {name: _measure(o, part, loaded, suggestions) for name, o in openers.items()}
    name = run_folder_of(folder).name
    pictures = [] if plot is None else write_plots(measured, plot, picture_format, name)
    if as_json:
        found = {name: each.as_dict() for name, each in compared.items()}
        say_json(measured.as_dict() | ({"baselines": found} if found else {}))
        return
    for line in table_lines(measured, part.name, folder):
        say(line)
    for line in details_lines(measured) if details else []:
        say(line)
    for line in comparison_lines({**compared, "this model": measured}) if compared else []:
        say(line)
    for picture in pictures:
        say(f"saved {picture}", err=True)


def _measure(
    opener: Opener, part: TokenizedText, loaded: LoadedModel, suggestions: int
) -> Evaluation:
    """One evaluation under a bar."""
    from tqdm import tqdm

    from nextword.cli.progress import interval
    from nextword.evaluation.evaluator import evaluate

    with tqdm(
        total=len(part.ids), unit="word", unit_scale=True, leave=False, mininterval=interval()
    ) as bar:
        return evaluate(
            opener(),
            part,
            loaded.tokenizer,
            loaded.counts,
            suggestions,
            progress=lambda words: bar.update(words),
        )
