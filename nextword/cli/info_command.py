"""``nextword info``."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import click

from nextword.cli.options import echo_json, json_option


@click.command("info")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@json_option
def command(run: Path | None, as_json: bool) -> None:
    """Show versions and devices, and the runs under runs/ or what RUN holds."""
    from nextword.runs import RUNS, RunFolder, find_run

    if run is not None:
        described = _describe(find_run(run))
    else:
        folders = sorted(RUNS.glob("*")) if RUNS.is_dir() else []
        found = [RunFolder(path) for path in folders if RunFolder(path).exists]
        described = {**_machine(), "runs": [_describe(folder) for folder in found]}
    if as_json:
        echo_json(described)
    else:
        _show(described)


def _machine() -> dict[str, Any]:
    import torch

    from nextword.version import __version__

    devices = ["cpu"] + [
        f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return {
        "nextword": __version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "devices": devices,
    }


def _describe(folder: Any) -> dict[str, Any]:
    from nextword.config import load_config

    config = load_config(folder.config)
    text = config.text.train or config.text.path
    described: dict[str, Any] = {
        "run": folder.path.name,
        "text": text,
        "model": config.model.kind,
        "hidden_size": config.model.hidden_size,
        "layers": config.model.layers,
        "vocabulary_size": config.about.get("vocabulary_size"),
        "has_model": (folder.model / "model.safetensors").is_file(),
    }
    return {**described, **_last_figures(folder.metrics)}


def _last_figures(metrics: Path) -> dict[str, Any]:
    """The last validation and the final result that the run has logged."""
    figures: dict[str, Any] = {}
    lines = metrics.read_text("utf-8", "replace").splitlines() if metrics.is_file() else []
    for line in lines:
        try:
            report = json.loads(line)
        except ValueError:
            continue  # a line that a crash cut short
        if report.get("kind") == "valid":
            figures |= {"step": report["step"], "validation_perplexity": report["perplexity"]}
        if report.get("kind") == "result":
            names = ("steps", "seconds", "valid_perplexity", "test_perplexity")
            figures |= {name: report[name] for name in names}
    return figures


def _show(described: dict[str, Any]) -> None:
    runs = described.pop("runs", None)
    width = max(len(name) for name in described) + 2
    for name, value in described.items():
        if isinstance(value, float):
            value = f"{value:,.2f}"
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        click.echo(f"{name.replace('_', ' '):<{width}}{shown}")
    if runs is None:
        return
    click.echo("\nno runs under runs/ yet" if not runs else "\nruns")
    for run in runs:
        best = run.get("valid_perplexity") or run.get("validation_perplexity")
        figure = "-" if best is None else f"{best:,.1f}"
        click.echo(f"  {run['run']:<28}{run['model']:<12}validation perplexity {figure}")
