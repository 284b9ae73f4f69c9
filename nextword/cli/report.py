"""``nextword report``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from nextword.cli.completers import complete_runs
from nextword.cli.options import (
    MODEL_VARIABLE,
    check_together,
    default_model,
    device_option,
    encoding_option,
    json_option,
    places_option,
    reach_option,
    resolve_model,
    split_option,
    texts_option,
)
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import say, say_json

ONE, SEVERAL = "report.html", "comparison.html"
"""Default names of the page: in the run's folder, or in the current one."""


@click.command("report")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.option(
    "--model",
    "-m",
    "models",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    shell_complete=complete_runs,
    help="A run or model folder, the same as a RUN argument; may be repeated.  "
    f"[default: ${MODEL_VARIABLE}, else the newest run under runs/]",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"The file to write.  [default: {ONE} in the run's folder; for several runs {SEVERAL}]",
)
@texts_option
@encoding_option
@split_option("The held-out part of the runs' text to measure on.")
@reach_option
@places_option
@device_option("auto")
@json_option
@click.pass_context
def command(
    context: click.Context,
    runs: tuple[Path, ...],
    models: tuple[Path, ...],
    out: Path | None,
    text: tuple[str, ...],
    encoding: str,
    split: str,
    reach: int,
    places: int,
    device: str,
    as_json: bool,
) -> None:
    """Write an HTML page about one run, or several side by side.

    One file with everything that was measured: learning curves, evaluation, generated text, the
    most surprising words, how far back the network remembers, and how to reproduce the run.
    Several runs are compared as networks without n-grams.
    """
    check_together(context, "--text", bool(text), ("encoding",))
    from nextword.comparison.loaded_run import load_runs
    from nextword.inference.lazy_pytorch import resolve_device
    from nextword.interpret.memory import MemorySettings
    from nextword.plotting.style import prepare_plots
    from nextword.report.data import collect
    from nextword.report.page import render
    from nextword.storage.files import write_output

    prepare_plots(Path() if out is None else out.parent)
    named = [*runs, *models] or [resolve_model(default_model())]
    loaded_runs = load_runs(named, split, text, encoding, True, resolve_device(device))
    if any(run.loaded.has_network for run in loaded_runs):
        from nextword.device import leave_busy_cores

        leave_busy_cores(partial(say, err=True))  # for its memory, which PyTorch measures
    target = out or _default_page(loaded_runs[0].folder, len(loaded_runs))
    with ProgressBars() as bars:
        data = collect(loaded_runs, MemorySettings(reach, places), bars.show)
    write_output(target, render(data))
    if as_json:
        say_json({"report": str(target), **data.comparison.as_dict()})
    else:
        say(str(target))


def _default_page(model: Path, count: int) -> Path:
    from nextword.storage.run_folder import run_of_model

    if count > 1:
        return Path(SEVERAL)
    return run_of_model(model).path / ONE
