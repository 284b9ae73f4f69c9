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
    help="Of networks alone: also how their gradients vanish, what short contexts cost, and "
    "whether what the article says holds.",
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
    from nextword.comparison.claims import as_dicts, claims
    from nextword.comparison.comparison import MemorySettings, compare
    from nextword.comparison.loaded_run import load_runs
    from nextword.device import choose_device, leave_busy_cores

    loaded_runs = load_runs(runs, split, text, encoding, memory, choose_device(device))
    if len(loaded_runs) < 2:
        again = ": these are one" if len(runs) > 1 else ""
        raise click.UsageError(f"name two runs at least{again}; for one there is nextword eval")
    leave_busy_cores(partial(say, err=True))
    memory_settings = MemorySettings(reach, places) if memory else None
    with Bars() as bars:
        comparison = compare(loaded_runs, suggestions, memory_settings, bars.show)
    judged = claims(comparison)
    if as_json:
        say_json({**comparison.as_dict(), "claims": as_dicts(judged)})
    else:
        for line in comparison_lines(comparison, judged):
            say(line)
    for path in [] if plot is None else _draw(comparison, plot, picture_format):
        say(f"drawn: {path}", err=True)


def _draw(comparison: Comparison, folder: Path, kind: str) -> list[Path]:
    """The pictures there are something to show in, written into a folder."""
    from nextword.plotting.comparison import comparison_figures
    from nextword.plotting.style import write_picture

    written = []
    for name, draw in comparison_figures(comparison).items():
        written.append(folder / f"{name}.{kind}")
        write_picture(written[-1], draw)
    return written
