"""``nextword report``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from nextword.cli.options import (
    check_together,
    device_option,
    encoding_option,
    json_option,
    places_option,
    reach_option,
    split_option,
    texts_option,
)
from nextword.cli.terminal import say, say_json

ONE, SEVERAL = "report.html", "comparison.html"
"""What the file is called unless that is said: in the run's folder, or here."""


@click.command("report")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"The file to write.  [default: {ONE} in the run's folder; of several runs {SEVERAL}]",
)
@texts_option
@encoding_option
@split_option("Which held-out part of the runs' text.")
@reach_option
@places_option
@device_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    runs: tuple[Path, ...],
    out: Path | None,
    text: tuple[str, ...],
    encoding: str,
    split: str,
    reach: int,
    places: int,
    device: str,
    as_json: bool,
) -> None:
    """Write a page about a run, the newest by default, or about several RUNS side by side.

    One HTML file with all that was measured: curves, evaluation, generated text, what surprises the
    model, how far back it remembers, and how to reproduce it. Several runs are compared as networks
    alone, without n-grams.
    """
    check_together(context, "--text", bool(text), ("encoding",))
    from nextword.cli.progress import Bars
    from nextword.comparison.loaded_run import load_runs
    from nextword.device import choose_device, leave_busy_cores
    from nextword.interpret.memory import MemorySettings
    from nextword.plotting.style import prepare_plots
    from nextword.report.data import collect
    from nextword.report.page import render
    from nextword.storage.files import write_output

    prepare_plots(Path() if out is None else out.parent)
    paths = runs or (None,)
    loaded_runs = load_runs(paths, split, text, encoding, True, choose_device(device))
    leave_busy_cores(partial(say, err=True))
    target = out or _target(loaded_runs[0].folder, len(loaded_runs))
    with Bars() as bars:
        data = collect(loaded_runs, MemorySettings(reach, places), bars.show)
    write_output(target, render(data))
    if as_json:
        say_json({"report": str(target), **data.comparison.as_dict()})
    else:
        say(str(target))


def _target(model: Path, count: int) -> Path:
    if count > 1:
        return Path(SEVERAL)
    return (model.parent if model.name == "model" else model) / ONE
