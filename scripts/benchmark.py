"""Measures on this machine how fast nextword learns and answers, and compares within one run.

    python scripts/benchmark.py --train train.txt --valid valid.txt --out OUT [--peer DIR]
    python scripts/benchmark.py --model RUN --out OUT

The two files are tokenized, one sentence per line. With them the script measures

* words per second of training steps, for every kind of network and every loss, and the fraction of
  this machine's matrix-product speed that they reach;
* the same for the losses alone over a vocabulary of 100,000 words, with their peak memory;
* perplexity after trainings of several lengths, each with its own schedule, with and without
  n-grams, the peak memory of each, and the time to a given perplexity;
* with ``--peer``, a checkout of PyTorch's examples repository: its word_language_model, with its
  own defaults, on the same files in the same run.

With a run it measures how fast that answers (``benchmark_answering.py``).

Writes ``benchmark.json`` and, where matplotlib is installed, ``benchmark.png``.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click
from benchmark_answering import measure_answers, show_answers

KINDS = ("lstm", "gru", "rnn", "feedforward")
LOSSES = ("sampled", "exact")
STEPS = 8
LARGE_VOCABULARY = 100_000
EPOCH_LINE = re.compile(r"end of epoch\s+(\d+) \| time:\s*([\d.]+)s .* valid ppl\s+([\d.]+)")


def median_seconds(call: Callable[[], object], times: int = STEPS) -> float:
    """Seconds of one call, the median of several after two to warm up."""
    call(), call()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def product_speed(dtype_name: str) -> float:
    """The best speed of a square matrix product, in GFLOP/s."""
    import torch

    dtype = getattr(torch, dtype_name)
    best = 0.0
    for size in (512, 1024, 2048):
        a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
        best = max(best, 2e-9 * size**3 / median_seconds(partial(torch.matmul, a, b), 5))
    return best


def step_speeds(train: Path, valid: Path) -> list[dict[str, Any]]:
    """Words per second of training steps, for every kind and loss, and their matrix work."""
    import torch

    from nextword.config.load import load_config
    from nextword.training.network import prepare
    from nextword.training.run_context import RunContext

    rows = []
    product = product_speed("float32")
    threads = torch.get_num_threads()
    for kind in KINDS:
        for loss in LOSSES:
            settings = {
                "text.train": str(train.resolve()),
                "text.valid": str(valid.resolve()),
                "text.tokenizer": "whitespace",
                "vocabulary.min_count": 1,
                "model.kind": kind,
                "training.loss": loss,
                "training.epochs": 1,
                "training.threads": threads,  # as for the matrix product
            }
            torch.manual_seed(1)
            with RunContext(load_config(None, settings, {}), f"{kind}-{loss}") as run:
                prepared = prepare(run)  # leaving the context removes the run folder
            trainer = prepared.trainer
            before = trainer.progress.words
            seconds = median_seconds(trainer.step)
            words = (trainer.progress.words - before) / (STEPS + 2)
            candidates = len(prepared.text.tokenizer)
            training = prepared.config.training
            if loss == "sampled":
                candidates = min(training.sampled_head + training.sampled_tail, candidates)
            network = prepared.loaded.network
            matrices = {id(p): p.numel() for p in network.parameters() if p.dim() > 1}
            output = network.output.weight
            matrices.pop(id(output))
            matrices.pop(id(network.get_parameter("vectors.weight")), None)
            work = 6 * (sum(matrices.values()) + candidates * output.shape[1])
            rows.append(
                {
                    "kind": kind,
                    "loss": loss,
                    "words_per_second": words / seconds,
                    "gflops": work * words / seconds / 1e9,
                    "share_of_product": work * words / seconds / 1e9 / product,
                }
            )
            click.echo(f"{kind} {loss}: {words / seconds:,.0f} words/s", err=True)
    return rows


def peak_memory(process: str) -> float:
    """Peak memory of a process so far, in MB; NaN except on Linux."""
    # the resource module would count the parent's memory in the child's
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return math.nan
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match[1]) / 1024 if match else math.nan


def large_vocabulary(loss_name: str) -> dict[str, Any]:
    """Speed and memory of a loss over a large vocabulary; needs a fresh process."""
    import torch

    from nextword.config.schema import TrainingConfig
    from nextword.losses.sampled import SampledLoss
    from nextword.losses.softmax import ExactLoss, Loss
    from nextword.models.layers import OutputLayer

    words, positions, defaults = LARGE_VOCABULARY, 1536, TrainingConfig()
    output = OutputLayer(words, 256, bias=True)
    features = torch.randn(32, positions // 32, 256, requires_grad=True)
    # Zipf's law
    counts = (1e6 / torch.arange(1, words + 1)).long()
    targets = torch.multinomial(counts.double() + 1, positions).view(32, -1)
    head, tail = defaults.sampled_head, defaults.sampled_tail
    loss: Loss = ExactLoss() if loss_name == "exact" else SampledLoss(head, tail, counts)
    before = peak_memory("self")

    def step() -> None:
        output.zero_grad()
        loss(features, output, targets).mean.backward()  # type: ignore[no-untyped-call]

    seconds = median_seconds(step, 5)
    grown = peak_memory("self") - before
    return {"loss": loss_name, "words_per_second": positions / seconds, "memory_mb": grown}


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


def our_points(
    kind: str, files: dict[str, Path], budgets: list[float], folder: Path
) -> list[dict[str, Any]]:
    """Train once for each budget in minutes; seconds, perplexity and peak memory of each."""
    points = []
    for minutes in budgets:
        shutil.rmtree(folder / "runs" / kind, ignore_errors=True)
        settings = [
            *(f"text.{part}={path}" for part, path in files.items()),
            "text.tokenizer=whitespace",
            "vocabulary.min_count=1",
            f"model.kind={kind}",
            f"training.minutes={minutes}",
        ]
        command = [sys.executable, "-m", "nextword", "train", "--run", kind, "--json"]
        for setting in settings:
            command += ["--set", setting]
        text, process_seconds, memory = measured_process(command, folder)
        result = json.loads(text.splitlines()[-1])
        points.append(
            {
                "seconds": result["seconds"],
                "perplexity": result["valid_perplexity"],
                "network_perplexity": result["network_valid_perplexity"],
                "test_perplexity": result["test_perplexity"],
                "network_test_perplexity": result["network_test_perplexity"],
                "words_per_second": result["tokens_per_second"],
                "peak_memory_mb": memory,
                "whole_process_seconds": process_seconds,
            }
        )
        click.echo(f"{kind}, {minutes:g} minutes: {points[-1]}", err=True)
    return points


def peer_points(
    peer: Path, train: Path, valid: Path, epochs: int, folder: Path
) -> list[dict[str, Any]]:
    """word_language_model with its defaults: perplexity and seconds after each epoch."""
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


def alone(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same trainings, measured without n-grams."""
    return [
        {
            **point,
            "perplexity": point["network_perplexity"],
            "test_perplexity": point["network_test_perplexity"],
        }
        for point in points
    ]


def time_to(perplexity: float, points: list[dict[str, Any]]) -> float | None:
    """Seconds of the shortest training that reached the perplexity."""
    reached = [point["seconds"] for point in points if point["perplexity"] <= perplexity]
    return min(reached, default=None)


def draw(curves: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Plot perplexity against seconds, one line per system."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        click.echo("no plot: install the extra with pip install 'nextword[plots]'", err=True)
        return
    styles = ["o-", "s--", "^-.", "D:", "v-", "x--"]
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00"]
    for (name, points), style, colour in zip(curves.items(), styles, colours, strict=False):
        seconds = [point["seconds"] for point in points]
        axes.plot(seconds, [p["perplexity"] for p in points], style, label=name, color=colour)
    axes.set(xscale="log", yscale="log", xlabel="training time (s)", ylabel="validation perplexity")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(which="both", color="#dddddd", linewidth=0.6)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def show(report: dict[str, Any]) -> None:
    """Print the report as tables."""
    click.echo(f"{'network':<13}{'loss':<9}{'words/s':>9}{'GFLOP/s':>9}{'of product':>12}")
    for row in report["steps"]:
        click.echo(
            f"{row['kind']:<13}{row['loss']:<9}{row['words_per_second']:>9,.0f}"
            f"{row['gflops']:>9.0f}{row['share_of_product']:>12.0%}"
        )
    click.echo(f"\nlosses alone over {LARGE_VOCABULARY:,} words")
    for row in report["large_vocabulary"]:
        click.echo(
            f"{'':<13}{row['loss']:<9}{row['words_per_second']:>9,.0f}"
            f"{row['memory_mb']:>9.0f} MB at the peak"
        )
    click.echo(f"\n{'system':<30}{'seconds':>9}{'valid':>9}{'test':>9}{'peak MB':>9}")
    for name, points in report["curves"].items():
        for point in points:
            tested = point.get("test_perplexity")
            click.echo(
                f"{name:<30}{point['seconds']:>9.1f}{point['perplexity']:>9.1f}"
                f"{'-' if tested is None else f'{tested:.1f}':>9}{point['peak_memory_mb']:>9.0f}"
            )
    for line in report["conclusions"]:
        click.echo(line)


def learning(
    files: dict[str, Path],
    kinds: list[str],
    budgets: list[float],
    peer: Path | None,
    peer_epochs: int,
    target: float | None,
) -> dict[str, Any]:
    """How fast networks learn a text; all paths are absolute."""
    from nextword.device import computes_bfloat16

    types = ("float32", "bfloat16") if computes_bfloat16() else ("float32",)
    train, valid = files["train"], files["valid"]
    report: dict[str, Any] = {
        "product_gflops": {name: product_speed(name) for name in types},
        "steps": step_speeds(train, valid),
        "large_vocabulary": [],
        "curves": {},
        "conclusions": [],
    }
    spawned = multiprocessing.get_context("spawn")
    for loss in LOSSES:
        with ProcessPoolExecutor(1, spawned) as process:
            report["large_vocabulary"].append(process.submit(large_vocabulary, loss).result())
    for kind in kinds:
        points = our_points(kind, files, budgets, Path())
        report["curves"][f"nextword {kind}"] = points
        report["curves"][f"nextword {kind}, network alone"] = alone(points)
    if peer is not None:
        points = peer_points(peer, train, valid, peer_epochs, Path())
        report["curves"]["word_language_model"] = points
        target = target or points[0]["perplexity"]
    for name, points in report["curves"].items():
        if target is not None:
            reached = time_to(target, points)
            text = "not reached" if reached is None else f"{reached:.1f} s"
            report["conclusions"].append(f"{name}: perplexity {target:.1f} after {text}")
    return report


@click.command()
@click.option("--train", type=click.Path(exists=True, path_type=Path))
@click.option("--valid", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--test", type=click.Path(exists=True, path_type=Path), help="Measured, never tuned on."
)
@click.option(
    "--model", type=click.Path(exists=True, path_type=Path), help="A run; measure its answers."
)
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--kinds", default="lstm", show_default=True, help="Networks to train, with commas.")
@click.option(
    "--minutes", default="0.25,0.5,1", show_default=True, help="Lengths of the trainings."
)
@click.option("--target", type=float, help="Report the time to this validation perplexity.")
@click.option("--peer", type=click.Path(exists=True, path_type=Path), help="pytorch/examples.")
@click.option("--peer-epochs", default=1, show_default=True)
def main(
    train: Path | None,
    valid: Path | None,
    test: Path | None,
    model: Path | None,
    out: Path,
    kinds: str,
    minutes: str,
    target: float | None,
    peer: Path | None,
    peer_epochs: int,
) -> None:
    """Measure, and write the results to OUT."""
    if model is None and (train is None or valid is None):
        raise click.UsageError("give --train and --valid, or --model, or all of them")
    out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {}
    if model is not None:
        report["answers"] = measure_answers(model)
        show_answers(report["answers"])
    if train is not None and valid is not None:
        files = {"train": train.resolve(), "valid": valid.resolve()}
        files |= {} if test is None else {"test": test.resolve()}
        budgets = [float(part) for part in minutes.split(",")]
        peer, out = None if peer is None else peer.resolve(), out.resolve()
        with tempfile.TemporaryDirectory() as scratch:
            os.chdir(scratch)
            report |= learning(files, kinds.split(","), budgets, peer, peer_epochs, target)
        draw(report["curves"], out / "benchmark.png")
        show(report)
    (out / "benchmark.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
