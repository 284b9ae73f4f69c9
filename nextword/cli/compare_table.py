"""Runs side by side, as lines for the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

from nextword.cli.wrap import columns_of, padded
from nextword.comparison.comparison import Comparison, RunResult
from nextword.comparison.table import Row, rows
from nextword.comparison.unique_hits import Example, UniqueHits
from nextword.formatting import escape_control, percent
from nextword.interpret.memory import CONTEXT_NEEDED, HALF_LIFE

LEAST, GAP = 12, 2
"""Columns of a column, at least, and between two."""
EXAMPLES = 3
"""Examples shown for each run; JSON has more."""


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """The whole comparison."""
    yield f"text  {comparison.text}"
    yield ""
    yield from table_lines(rows(comparison), [run.name for run in comparison.runs])
    if comparison.memories:
        yield from (HALF_LIFE, CONTEXT_NEEDED, "")
    for note in comparison.notes:
        yield from (note, "")
    for run in comparison.runs:
        if run.unique_hits is not None:
            others = "the other" if len(comparison.runs) == 2 else "others at most"
            yield from _hit_lines(run, run.unique_hits, others)
            yield ""
    if comparison.comparability.sentence:
        yield escape_control(comparison.comparability.sentence)


def table_lines(table: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """A line a figure and a column a run; runs without room stand in a table of their own below."""
    first = max(columns_of(row.title) for row in table)
    cells = [[escape_control(name) for name in names], *([*row.cells] for row in table)]
    widths = [max(LEAST, *(columns_of(line[i]) for line in cells)) for i in range(len(names))]
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


def _hit_lines(run: RunResult, unique_hits: UniqueHits, others: str) -> Iterator[str]:
    yield (
        f"only {escape_control(run.name)} ranks the right word first at {unique_hits.tokens:,} "
        f"position{'s' * (unique_hits.tokens != 1)} "
        f"({percent(unique_hits.share)})"
    )
    if unique_hits.words:
        leads = (
            f"“{escape_control(hits.word)}” {hits.times} to {hits.others}"
            for hits in unique_hits.words
        )
        yield f"  largest leads  {', '.join(leads)}"
    for example in unique_hits.examples[:EXAMPLES]:
        yield f"  {_example(example, others)}"


def _example(example: Example, others: str) -> str:
    chances = f"{percent(example.probability)}, {others} {percent(example.others)}"
    return f"... {escape_control(example.before)}[{escape_control(example.word)}]  {chances}"
