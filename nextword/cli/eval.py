"""``nextword eval``: the metrics of one model, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextword.cli.completers import complete_runs
from nextword.cli.options import (
    adapt_option,
    check_together,
    device_option,
    encoding_option,
    format_option,
    json_option,
    model_option,
    open_model,
    plots_option,
    run_or_model,
    split_option,
    suggestions_option,
    texts_option,
)
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import say, say_json, say_saved
from nextword.formatting import counted, escape_control, figure, percent
from nextword.inference import Adapt

if TYPE_CHECKING:
    from nextword.evaluation.breakdown import Band
    from nextword.evaluation.evaluator import Evaluation

COSTLIEST = 10
"""Costliest words shown; JSON has more."""
_NAME, _FIRST = 22, 20
"""Widths of the first two columns."""


@click.command("eval")
@click.argument(
    "run", required=False, type=click.Path(path_type=Path), shell_complete=complete_runs
)
@texts_option
@encoding_option
@split_option("The held-out part of the run's text to measure on.")
@suggestions_option
@click.option(
    "--details",
    is_flag=True,
    help="Also show perplexity by frequency and position, and the costliest words.",
)
@plots_option
@format_option
@adapt_option("How to adapt to the text as it is read, never looking ahead.")
@click.option(
    "--baselines",
    is_flag=True,
    help="Also measure simpler models trained on the same words.",
)
@model_option
@device_option("auto")
@json_option
@click.pass_context
def command(
    context: click.Context,
    run: Path | None,
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

    RUN is a run or model folder, the same as --model. Every word, ends of paragraphs included, is
    predicted once from all the text before it, with the exact softmax over the whole vocabulary.
    What each figure means: docs/evaluation.md.
    """
    model = run_or_model(context, run, model)
    check_together(context, "--plot", plot is not None, ("picture_format",))
    check_together(context, "--text", bool(text), ("encoding",))
    from nextword.evaluation.evaluator import Opener, evaluate, simpler_models
    from nextword.evaluation.held_out import TRAINED_ON, trained_on
    from nextword.plotting.evaluation import write_plots
    from nextword.plotting.style import prepare_plots
    from nextword.storage.run_folder import run_of_model

    if plot is not None:
        prepare_plots(plot)
    opened = open_model(model, device)
    loaded, folder = opened.loaded, opened.folder
    assert folder is not None
    part = opened.text(text, split, encoding)
    if text and trained_on(folder, text):
        say(f"the model {TRAINED_ON}", err=True)
    simpler = simpler_models(loaded, folder) if baselines else {}
    with ProgressBars() as bars:

        def measure(name: str, opener: Opener) -> Evaluation:
            count = bars.counter(f"{name}: words predicted", len(part.ids))
            tokenizer, counts = loaded.tokenizer, loaded.counts
            return evaluate(opener(), part, tokenizer, counts, suggestions, progress=count)

        measured = measure("this model", lambda: loaded.decoder(adapt))
        others = {name: measure(name, opener) for name, opener in simpler.items()}
    run_name = run_of_model(folder).path.name
    plots = [] if plot is None else write_plots(measured, plot, picture_format, run_name)
    if as_json:
        found = {name: evaluation.as_dict() for name, evaluation in others.items()}
        say_json(measured.as_dict() | ({"baselines": found} if found else {}))
        return
    say(*table_lines(measured, part.name, folder))
    if details:
        say(*details_lines(measured))
    if others:
        say(*comparison_lines({**others, "this model": measured}))
    say_saved(*plots)


def table_lines(measured: Evaluation, text: str, model: Path) -> list[str]:
    """The metrics with their standard errors, a line each."""
    speed = measured.tokens / max(measured.seconds, 1e-9)
    rows = [
        ("text", f"{text} ({counted(measured.tokens, 'word')})", ""),
        ("model", str(model), ""),
        *_metric_rows(measured),
        ("time", f"{measured.seconds:.1f} s, {speed:,.0f} words/s", ""),
    ]
    width = max(_NAME, *(len(name) + 2 for name, _, _ in rows))
    return [f"{name:<{width}}{first:<{_FIRST}}{second}".rstrip() for name, first, second in rows]


def _metric_rows(measured: Evaluation) -> Iterator[tuple[str, str, str]]:
    """Title, value, and the value over real words or a note."""
    from nextword.evaluation.metrics import metrics_on

    notes, head = _notes(measured), True
    for metric in metrics_on("eval"):
        second = notes.get(metric.key, "")
        if metric.of_real_words:
            if head:
                yield "", "all words", "with a letter or digit"
            head, second = False, measured.real_words.show(metric)
        yield metric.row_title, measured.show(metric), second


def _notes(measured: Evaluation) -> dict[str, str]:
    """What else a reader of some metrics wants to know, by their keys."""
    bits = measured.bits_per_unknown_word
    suggestions = counted(measured.suggestions, "suggestion")
    most = percent(measured.keystroke_savings_limit)
    confidence = percent(measured.calibration.confidence)
    return {
        "unknown_rate": "" if math.isnan(bits) else f"{bits:.1f} bits each to spell",
        "keystroke_savings": f"of at most {most}, with {suggestions}",
        "calibration_error": f"mean probability of the likeliest word: {confidence}",
    }


def details_lines(measured: Evaluation) -> list[str]:
    """Perplexity by frequency and position, and the costliest words."""
    costs = [
        f"{escape_control(cost.word):<{_NAME}}{cost.times:>8,}{cost.bits:>10,.0f}"
        f"{cost.mean_bits:>12.2f}"
        for cost in measured.costliest_words[:COSTLIEST]
    ]
    return [
        *_band_lines("times in training", measured.by_frequency),
        *_band_lines("position in paragraph", measured.by_position),
        "",
        f"{'costliest words':<{_NAME}}{'times':>8}{'bits':>10}{'bits each':>12}",
        *costs,
    ]


def _band_lines(title: str, bands: Sequence[Band]) -> list[str]:
    total = sum(band.tokens for band in bands)
    lines = ["", f"{title:<{_NAME}}{'words':>8}{'share':>10}{'perplexity':>12}"]
    for band in bands:
        words = percent(band.tokens / total)
        value, *error = figure(band.perplexity, band.standard_error, 1).split(" ", 1)
        cells = " ".join([f"{value:>12}", *error])
        lines.append(f"{band.band:<{_NAME}}{band.tokens:>8,}{words:>10}{cells}")
    return lines


def comparison_lines(compared: Mapping[str, Evaluation]) -> list[str]:
    """Models side by side on the same text, one a line."""
    from nextword.evaluation.metrics import metrics_on

    width, metrics = max(_NAME, *(len(name) + 2 for name in compared)), metrics_on("baselines")
    titles = "".join(f"{metric.short:>12}" for metric in metrics)
    lines = ["", f"{'baselines':<{width}}{titles}"]
    for name, measured in compared.items():
        values = (f"{metric.format(measured.values[metric.key]):>12}" for metric in metrics)
        lines.append(f"{name:<{width}}{''.join(values)}")
    return lines
