"""Measures on this machine how fast nextword learns and answers, and compares within one run.

    python scripts/benchmark.py --train train.txt --valid valid.txt --out OUT [--peer DIR]
    python scripts/benchmark.py --model RUN --out OUT

The two files are tokenized, one sentence per line. With them the script measures

* words per second of training steps, for every kind of network and every loss, and the fraction of
  this machine's matrix-product speed that they reach;
* the same for the losses alone over a vocabulary of 100,000 words, with their peak memory;
* perplexity after trainings of several lengths, from the start of the command to its end, with and
  without n-grams, with ``--adapting`` everything else too, on all words of the held-out files;
* with ``--peer``, a checkout of PyTorch's examples repository: its word_language_model, with its
  own defaults, on the same files in the same run, and how much longer it needs for the same. A
  network alone is trained with ``--set mixture.ngram=false --set mixture.cache=false``.

With a run it measures how fast that answers (``benchmark_answering.py``).

Writes ``benchmark.json`` and, where matplotlib is installed, ``benchmark.png``.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click
from benchmark_answering import measure_answers, show_answers
from benchmark_learning import ALONE, draw, our_curves, peak_memory, peer_points, time_to

KINDS = ("lstm", "gru", "rnn", "feedforward")
LOSSES = ("sampled", "exact")
STEPS = 8
LARGE_VOCABULARY = 100_000


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


def machine() -> str:
    """The kind of this machine, and the speeds of its matrix products."""
    from nextword.device import computes_bfloat16
    from nextword.machine import usable_cores

    cpu = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*:\s*(.+)", cpu.read_text()) if cpu.exists() else []
    kinds = ("float32", "bfloat16") if computes_bfloat16() else ("float32",)
    speeds = ", ".join(f"{kind} products {product_speed(kind):.0f} GFLOP/s" for kind in kinds)
    return f"{usable_cores()} cores, {names[0] if names else platform.machine()}, {speeds}"


def show(report: dict[str, Any]) -> None:
    """Print what was learned how fast, as tables."""
    click.echo(report["machine"])
    if "steps" in report:
        click.echo(f"\n{'network':<13}{'loss':<9}{'words/s':>9}{'GFLOP/s':>9}{'of product':>12}")
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
    click.echo(f"\n{'system':<30}{'waited':>9}{'words':>12}{'valid':>8}{'test':>8}{'MB':>7}")
    for name, points in report["curves"].items():
        for point in points:
            words, tested = point.get("words"), point.get("test_perplexity")
            click.echo(
                f"{name:<30}{point['seconds']:>8.1f}s{f'{words:,}' if words else '-':>12}"
                f"{point['perplexity']:>8.1f}{f'{tested:.1f}' if tested else '-':>8}"
                f"{point['peak_memory_mb']:>7.0f}"
            )
    for line in report["conclusions"]:
        click.echo(line)


def comparisons(curves: dict[str, list[dict[str, Any]]], peer: list[dict[str, Any]]) -> list[str]:
    """How much sooner networks alone reach each perplexity of another program."""
    lines = []
    for theirs in peer:
        for name, points in curves.items():
            if not name.endswith(ALONE):
                continue
            reached = time_to(theirs["perplexity"], points)
            text = "not reached"
            if reached is not None:
                text = f"{reached:.1f} s, {theirs['seconds'] / reached:.1f} times as fast"
            lines.append(
                f"perplexity {theirs['perplexity']:.1f}, of word_language_model after "
                f"{theirs['seconds']:.0f} s: {name} {text}"
            )
    return lines


def speeds(train: Path, valid: Path) -> dict[str, Any]:
    """Of training steps, and of losses alone."""
    report: dict[str, Any] = {"steps": step_speeds(train, valid), "large_vocabulary": []}
    spawned = multiprocessing.get_context("spawn")
    for loss in LOSSES:
        with ProcessPoolExecutor(1, spawned) as process:
            report["large_vocabulary"].append(process.submit(large_vocabulary, loss).result())
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
@click.option("--minutes", default="0.25,0.5,1", show_default=True, help="Waits, with commas.")
@click.option(
    "--set", "given", multiple=True, metavar="KEY=VALUE", help="A setting of the trainings."
)
@click.option("--seed", default=1, show_default=True)
@click.option("--adapting", is_flag=True, help="Measure with everything on as well.")
@click.option("--steps/--no-steps", default=True, help="Whether to time single steps.")
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
    given: tuple[str, ...],
    seed: int,
    adapting: bool,
    steps: bool,
    peer: Path | None,
    peer_epochs: int,
) -> None:
    """Measure, and write the results to OUT."""
    if model is None and (train is None or valid is None):
        raise click.UsageError("give --train and --valid, or --model, or all of them")
    out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"machine": machine()}
    if model is not None:
        report["answers"] = measure_answers(model)
        show_answers(report["answers"])
    if train is not None and valid is not None:
        files = {"train": train.resolve(), "valid": valid.resolve()}
        files |= {} if test is None else {"test": test.resolve()}
        budgets = [float(part) for part in minutes.split(",")]
        curves: dict[str, list[dict[str, Any]]] = {}
        theirs: list[dict[str, Any]] = []
        peer, out = None if peer is None else peer.resolve(), out.resolve()
        with tempfile.TemporaryDirectory() as scratch:
            os.chdir(scratch)
            if steps:
                report |= speeds(files["train"], files["valid"])
            for kind in kinds.split(","):
                curves |= our_curves(kind, files, budgets, Path(), seed, adapting, given)
            if peer is not None:
                theirs = peer_points(peer, files["train"], files["valid"], peer_epochs, Path())
        report["conclusions"] = comparisons(curves, theirs)
        report["curves"] = curves | ({"word_language_model": theirs} if theirs else {})
        draw(report["curves"], out / "benchmark.png")
        show(report)
    (out / "benchmark.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
