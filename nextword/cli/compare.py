"""``nextword compare``: a table of several runs, and what only one of them gets right."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextword.cli.completers import complete_runs
from nextword.cli.layout import columns_of, padded
from nextword.cli.options import (
    check_together,
    device_option,
    encoding_option,
    format_option,
    json_option,
    models_option,
    places_option,
    plots_option,
    reach_option,
    split_option,
    suggestions_option,
    texts_option,
)
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import say, say_json, say_saved
from nextword.formatting import counted, escape_control, percent

if TYPE_CHECKING:
    from nextword.comparison.comparison import Comparison, RunResult
    from nextword.comparison.table import Row
    from nextword.comparison.unique_hits import Example, UniqueHits

MIN_WIDTH, GAP = 12, 2
"""Columns of a table column, and between two."""
EXAMPLES = 3
"""Examples shown for each run; JSON has more."""


@click.command("compare")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), shell_complete=complete_runs)
@models_option
@texts_option
@encoding_option
@split_option("The held-out part of the runs' text to measure on.")
@suggestions_option
@click.option(
    "--memory",
    is_flag=True,
    help="Also measure how gradients vanish and what short contexts cost; networks are then taken "
    "without n-grams.",
)
@reach_option
@places_option
@plots_option
@format_option
@device_option("auto")
@json_option
@click.pass_context
def command(
    context: click.Context,
    runs: tuple[Path, ...],
    models: tuple[Path, ...],
    text: tuple[str, ...],
    encoding: str,
    split: str,
    suggestions: int,
    memory: bool,
    reach: int,
    places: int,
    plot: Path | None,
    picture_format: str,
    device: str,
    as_json: bool,
) -> None:
    """Compare several RUNS on the same held-out text.

    Shows which is better, by how much and how certainly; what each cost to train; and which words
    only one of them gets right. What each figure means: docs/comparing.md.
    """
    check_together(context, "--memory", memory, ("reach", "places"))
    check_together(context, "--plot", plot is not None, ("picture_format",))
    check_together(context, "--text", bool(text), ("encoding",))
    named = [*runs, *models]
    if len(named) < 2:
        raise click.UsageError("name at least two RUNS; for one there is nextword eval")
    if plot is not None:
        from nextword.plotting.style import prepare_plots

        prepare_plots(plot)
    from nextword.comparison.comparison import compare
    from nextword.interpret.memory import MemorySettings

    if memory:
        from nextword.device import leave_busy_cores

        leave_busy_cores(partial(say, err=True))
    with ProgressBars() as bars:
        comparison = compare(
            named,
            split=split,
            text=text,
            encoding=encoding,
            suggestions=suggestions,
            memory=memory and MemorySettings(reach, places),
            device=device,
            progress=bars.show,
        )
    if as_json:
        say_json(comparison.as_dict())
    else:
        say(*comparison_lines(comparison))
    if plot is not None:
        say_saved(*_save_plots(comparison, plot, picture_format))


def _save_plots(comparison: Comparison, folder: Path, picture_format: str) -> list[Path]:
    """Write the plots that there are figures for; returns their files."""
    from nextword.plotting.runs import comparison_figures
    from nextword.plotting.style import write_picture

    written = []
    for name, draw in comparison_figures(comparison).items():
        written.append(folder / f"{name}.{picture_format}")
        write_picture(written[-1], draw)
    return written


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """The whole comparison."""
    from nextword.comparison.table import rows
    from nextword.interpret.memory import CONTEXT_NEEDED, HALF_LIFE

    yield f"text  {comparison.text}"
    yield ""
    yield from table_lines(rows(comparison), [result.name for result in comparison.runs])
    if comparison.memories:
        yield from (HALF_LIFE, CONTEXT_NEEDED, "")
    for note in comparison.notes:
        yield from (note, "")
    others = "the other" if len(comparison.runs) == 2 else "others at most"
    for result in comparison.runs:
        if result.unique_hits is not None:
            yield from _unique_hits_lines(result, result.unique_hits, others)
            yield ""
    if comparison.comparability.sentence:
        yield comparison.comparability.sentence


def table_lines(table: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """A line for each row and a column for each run; a table is split where it is too wide."""
    first = max(columns_of(row.title) for row in table)
    cells = [[escape_control(name) for name in names], *([*row.cells] for row in table)]
    widths = [max(MIN_WIDTH, *(columns_of(line[i]) for line in cells)) for i in range(len(names))]
    room = shutil.get_terminal_size().columns - first
    start = 0
    while start < len(names):
        end = start + 1
        while end < len(names) and sum(widths[start : end + 1]) + GAP * (end + 1 - start) <= room:
            end += 1
        for title, line in zip(["", *(row.title for row in table)], cells, strict=True):
            shown = zip(line[start:end], widths[start:end], strict=True)
            yield padded(title, first) + "".join(
                " " * (GAP + width - columns_of(cell)) + cell for cell, width in shown
            )
        yield ""
        start = end


def _unique_hits_lines(result: RunResult, hits: UniqueHits, others: str) -> Iterator[str]:
    yield (
        f"only {escape_control(result.name)} ranks the right word first at "
        f"{counted(hits.tokens, 'position')} "
        f"({percent(hits.share)})"
    )
    if hits.words:
        words = (
            f"“{escape_control(word.word)}” {word.times} to {word.others}" for word in hits.words
        )
        yield f"  largest leads  {', '.join(words)}"
    for example in hits.examples[:EXAMPLES]:
        yield f"  {_example(example, others)}"


def _example(example: Example, others: str) -> str:
    chances = f"{percent(example.probability)}, {others} {percent(example.others)}"
    return f"... {escape_control(example.before)}[{escape_control(example.word)}]  {chances}"
