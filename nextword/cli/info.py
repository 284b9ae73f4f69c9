"""``nextword info``: versions, devices, runs, or one run."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nextword.cli.completers import complete_runs
from nextword.cli.options import json_option, run_or_model
from nextword.cli.terminal import say, say_json
from nextword.errors import NextwordError

if TYPE_CHECKING:
    from nextword.storage.run_folder import RunFolder


@click.command("info")
@click.argument(
    "run", required=False, type=click.Path(path_type=Path), shell_complete=complete_runs
)
@click.option(
    "--model",
    "-m",
    type=click.Path(path_type=Path),
    shell_complete=complete_runs,
    metavar="PATH",
    help="The same as the RUN argument.",
)
@json_option
@click.pass_context
def command(context: click.Context, run: Path | None, model: Path | None, as_json: bool) -> None:
    """Show versions, devices and runs, or what RUN holds."""
    from nextword.storage.run_folder import find_run, known_runs

    run = run_or_model(context, run, model)
    if run is not None:
        described = describe_run(find_run(run))
    else:
        folders = known_runs()
        described = {**_machine(), "newest": _newest(folders), "runs": _describe_all(folders)}
    if as_json:
        say_json(described)
    else:
        say(*description_lines(described))


def _machine() -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    from nextword import __version__
    from nextword.machine import may_have_gpu, usable_cores

    try:
        torch_version = version("torch")
    except PackageNotFoundError:
        torch_version = "not installed"
    return {
        "nextword": __version__,
        "torch": torch_version,
        "python": platform.python_version(),
        "threads": usable_cores(),
        "devices": ["cpu", *(_gpus() if may_have_gpu() else ())],
    }


def _gpus() -> list[str]:
    """The GPUs that PyTorch can use; none where it is missing or broken."""
    try:
        import torch
    except (ImportError, OSError):
        return []
    gpus = [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    return gpus + ["mps"] * torch.backends.mps.is_available()


def _newest(folders: list[RunFolder]) -> str | None:
    """The run that other commands use by default."""
    from nextword.storage.run_folder import newest_run

    return newest_run().path.name if folders else None


def _describe_all(folders: list[RunFolder]) -> list[dict[str, Any]]:
    """A description of each run; those that cannot be read are named on stderr only."""
    described = []
    for folder in folders:
        try:
            described.append(describe_run(folder))
        except NextwordError as error:
            say(*str(error).split("\n"), err=True)
    return described


def describe_run(folder: RunFolder) -> dict[str, Any]:
    """A run's text and network, and how far its training came.

    Raises:
        ConfigError: its configuration is damaged.
        ModelError: its ``run.json`` is damaged.
    """
    config = folder.read_config()
    text, record = config.text.train or config.text.path, folder.read_record()
    described: dict[str, Any] = {
        "run": folder.path.name,
        "text": text,
        "model": config.model.kind,
        "hidden_size": config.model.hidden_size,
        "layers": config.model.layers,
        "vocabulary_size": record.vocabulary_size,
        "has_model": folder.weights.is_file(),
    }
    source = {"source": record.source} if record.source else {}
    return {**described, **source, **_last_figures(folder)}


def _last_figures(folder: RunFolder) -> dict[str, Any]:
    """The final result in the run's log, or else its last validation."""
    log = folder.log.read()
    if log.result is not None:
        names = ("steps", "seconds", "valid_perplexity", "test_perplexity")
        return {name: getattr(log.result, name) for name in names}
    if log.validations:
        last = log.validations[-1]
        return {"step": last.step, "validation_perplexity": last.perplexity}
    return {}


def description_lines(described: Mapping[str, Any]) -> list[str]:
    """A machine with its runs, or one run, as lines for the terminal."""
    lines = []
    rest = {n: value for n, value in described.items() if n not in ("runs", "newest")}
    width = max(map(len, rest), default=0) + 2
    for name, value in rest.items():
        if isinstance(value, bool):
            value = "yes" if value else "no"
        elif isinstance(value, float):
            value = f"{value:,.2f}"
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        shown = "-" if value is None else shown
        lines.append(f"{name.replace('_', ' '):<{width}}{shown}")
    if (runs := described.get("runs")) is None:
        return lines
    lines += ["", "runs" if runs else "no runs under runs/ yet"]
    for run in runs:
        best = run.get("valid_perplexity") or run.get("validation_perplexity")
        figure = "-" if best is None else f"{best:,.1f}"
        default = "  (default)" * (run["run"] == described.get("newest"))
        lines.append(f"  {run['run']:<28}{run['model']:<12}validation perplexity {figure}{default}")
    return lines
