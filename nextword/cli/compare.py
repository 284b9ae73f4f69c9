"""``nextword compare``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextword.cli.options import (
    check_together,
    device_option,
    encoding_option,
    format_option,
    json_option,
    places_option,
    plots_option,
    reach_option,
    split_option,
    suggestions_option,
    texts_option,
)
from nextword.cli.terminal import say, say_json

if TYPE_CHECKING:
    from nextword.comparison.comparison import Comparison


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@texts_option
@encoding_option
@split_option("Which held-out part of the runs' text.")
@suggestions_option
@click.option(
    "--memory",
    is_flag=True,
    help="Networks without n-grams: also how their gradients vanish and what short contexts cost.",
)
@reach_option
@places_option
@plots_option
@format_option
@device_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    runs: tuple[Path, ...],
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
    """Set RUNS side by side on the same held-out text.

    Which is better, by how much and how surely; what each cost to train; which words one gets that
    the others miss. What each figure means: docs/comparing.md.
    """
    check_together(context, "--memory", memory, ("reach", "places"))
    check_together(context, "--plot", plot is not None, ("picture_format",))
    check_together(context, "--text", bool(text), ("encoding",))
    if plot is not None:
        from nextword.plotting.style import prepare_plots

        prepare_plots(plot)
    from nextword.cli.compare_table import comparison_lines
    from nextword.cli.progress import Bars
    from nextword.comparison.comparison import compare
    from nextword.device import choose_device, leave_busy_cores
    from nextword.interpret.memory import MemorySettings

    leave_busy_cores(partial(say, err=True))
    with Bars() as bars:
        comparison = compare(
            runs,
            split=split,
            text=text,
            encoding=encoding,
            suggestions=suggestions,
            memory=MemorySettings(reach, places) if memory else None,
            device=choose_device(device),
            progress=bars.show,
        )
    if as_json:
        say_json(comparison.as_dict())
    else:
        for line in comparison_lines(comparison):
            say(line)
    for path in [] if plot is None else _draw(comparison, plot, picture_format):
        say(f"saved {path}", err=True)


def _draw(comparison: Comparison, folder: Path, kind: str) -> list[Path]:
    """Draw the figures that have something to show, and return their files."""
    from nextword.plotting.comparison import comparison_figures
    from nextword.plotting.style import write_picture

    written = []
    for name, draw in comparison_figures(comparison).items():
        written.append(folder / f"{name}.{kind}")
        write_picture(written[-1], draw)
    return written
