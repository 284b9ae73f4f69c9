"""Perplexity against the wait, of trainings of several lengths and of another program's epochs."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

EPOCH_LINE = re.compile(r"end of epoch\s+(\d+) \| time:\s*([\d.]+)s .* valid ppl\s+([\d.]+)")
ALONE, EVERYTHING = ", network alone", ", everything on"
"""What follows a network's name where it is measured without n-grams, or adapting as well."""


def peak_memory(process: str) -> float:
    """Peak memory of a process so far, in MB; NaN except on Linux."""
    # the resource module would count the parent's memory in the child's
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return math.nan
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match[1]) / 1024 if match else math.nan


def measured_process(command: list[str], folder: Path) -> tuple[str, float, float]:
    """Run a command and return its output, its seconds, and its peak memory in MB."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out)
        memory = 0.0
        while process.poll() is None:
            memory = max(memory, peak_memory(str(process.pid)))
            time.sleep(0.2)
        seconds = time.perf_counter() - started
        out.seek(0)
        text = out.read()
    if process.returncode != 0:
        raise click.ClickException(f"{' '.join(command)} failed:\n{text[-2000:]}")
    return text, seconds, memory


def our_curves(
    kind: str,
    files: dict[str, Path],
    budgets: list[float],
    folder: Path,
    seed: int = 1,
    adapting: bool = False,
    given: Sequence[str] = (),
) -> dict[str, list[dict[str, Any]]]:
    """Train once for each budget in minutes: wait, peak memory, and perplexity of all words.

    Args:
        kind: of the network.
        files: the text's parts.
        budgets: in minutes.
        folder: where runs are written.
        seed: of every training.
        adapting: measure with cache and dynamic evaluation as well, which takes minutes.
        given: further settings, as ``KEY=VALUE``.
    """
    curves: dict[str, list[dict[str, Any]]] = {}
    for minutes in budgets:
        shutil.rmtree(folder / "runs" / kind, ignore_errors=True)
        settings = [
            *(f"text.{part}={path}" for part, path in files.items()),
            "text.tokenizer=whitespace",
            "vocabulary.min_count=1",
            f"model.kind={kind}",
            f"training.minutes={minutes}",
            f"training.seed={seed}",
            *([] if "test" in files else ["text.holdout.test=0"]),
            *given,
        ]
        command = [sys.executable, "-m", "nextword", "train", "--run", kind, "--json"]
        for setting in settings:
            command += ["--set", setting]
        text, wait, memory = measured_process(command, folder)
        result = json.loads(text.splitlines()[-1])
        trained = {
            "seconds": wait,
            "words": result["words"],
            "words_per_second": result["words"] / wait,
            "peak_memory_mb": memory,
        }
        for suffix, perplexities in whole_parts(folder / "runs" / kind, files, adapting).items():
            point = {**trained, **perplexities}
            curves.setdefault(f"nextword {kind}{suffix}", []).append(point)
            click.echo(f"{kind}{suffix}, {minutes:g} minutes: {point}", err=True)
    return curves


def whole_parts(
    run: Path, files: dict[str, Path], adapting: bool
) -> dict[str, dict[str, float | None]]:
    """Perplexity of all words of each held-out part, by what is switched on."""
    import nextword
    from nextword.training.result import perplexities

    model = nextword.load_model(run)
    found: dict[str, dict[str, float | None]] = {"": {}, ALONE: {}}
    for part, key in (("valid", "perplexity"), ("test", "test_perplexity")):
        ids = model.text(split=part).ids if part in files else None
        for suffix in found:
            found[suffix][key] = None
        if ids is None:
            continue
        measured = perplexities(model.loaded.decoder(), ids, len(model.words))
        found[""][key], found[ALONE][key] = measured.mixed, measured.network
        if adapting:
            measured = perplexities(model.loaded.decoder("both"), ids, len(model.words))
            found.setdefault(EVERYTHING, {})[key] = measured.mixed
    return found


def peer_points(
    peer: Path, train: Path, valid: Path, epochs: int, folder: Path
) -> list[dict[str, Any]]:
    """word_language_model with its defaults: perplexity and seconds after each epoch.

    Its seconds are those that it prints, without its start.
    """
    data = folder / "peer-data"
    data.mkdir(exist_ok=True)
    shutil.copy(train, data / "train.txt")
    shutil.copy(valid, data / "valid.txt")
    shutil.copy(valid, data / "test.txt")  # required, but its result is not used
    main = (peer / "word_language_model" / "main.py").resolve()
    command = [sys.executable, str(main), "--data", str(data.resolve()), "--epochs", str(epochs)]
    text, _, memory = measured_process([*command, "--save", str(folder / "peer.pt")], folder)
    points, seconds = [], 0.0
    for match in EPOCH_LINE.finditer(text):
        seconds += float(match[2])
        points.append({"seconds": seconds, "perplexity": float(match[3]), "peak_memory_mb": memory})
    return points


def time_to(perplexity: float, points: list[dict[str, Any]]) -> float | None:
    """Seconds of the shortest wait that reached the perplexity."""
    reached = [point["seconds"] for point in points if point["perplexity"] <= perplexity]
    return min(reached, default=None)


def draw(curves: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Plot perplexity against seconds, one line per system."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
        from matplotlib.ticker import LogLocator, NullFormatter
    except ImportError:
        click.echo("no plot: install the extra with pip install 'nextword[plots]'", err=True)
        return
    styles = ["o-", "s--", "^-.", "D:", "v-", "x--"]
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00"]
    for (name, points), style, colour in zip(curves.items(), styles, colours, strict=False):
        seconds = [point["seconds"] for point in points]
        axes.plot(seconds, [p["perplexity"] for p in points], style, label=name, color=colour)
    axes.set(xscale="log", yscale="log", xlabel="seconds waited", ylabel="validation perplexity")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(which="both", color="#dddddd", linewidth=0.6)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
