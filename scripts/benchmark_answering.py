"""Measures how fast a trained model answers, relative to baselines timed in the same run.

Called by ``benchmark.py --model``. Whole commands are compared with ``import torch`` in a fresh
process, in turns, so that a busy machine slows both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

PROMPT = "Napoleon was the Emperor of"
IMPORT_TORCH = [sys.executable, "-c", "import torch"]
LIBRARIES = [sys.executable, "-c", "import click, numpy, tokenizers, safetensors"]
TIMES = 20
EVALUATED_WORDS = 36_000
COMPARED_POSITIONS = 5_000
PIPED_PROMPTS = 10_000
MEMORY = """
import re, sys
import nextword.cli.predict, nextword.model
from nextword.cli.options import open_model
model = open_model(nextword.model.Path(sys.argv[1]), "cpu")
model.predict(sys.argv[2])
mapped = resident = 0
for part in re.split(r"\\n(?=[0-9a-f]+-[0-9a-f]+ )", open("/proc/self/smaps").read()):
    pages = int(re.search(r"Rss:\\s+(\\d+)", part)[1])
    resident += pages
    mapped += pages * (".safetensors" in part.split("\\n")[0])
print((resident - mapped) / 1024, mapped / 1024)
"""
"""Predicts as the command does, then prints the resident memory beyond the mapped model files, and
that of these files."""


def seconds_of(command: list[str]) -> float:
    """Seconds of a whole command, whose output is discarded."""
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    )
    return time.perf_counter() - started


def environment() -> dict[str, str]:
    """This process's variables, with compiled modules kept, as they are for every user."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def cold(commands: dict[str, list[str]], times: int = TIMES) -> dict[str, float]:
    """Median seconds of whole commands, run in turns."""
    for command in commands.values():
        seconds_of(command)  # fills the caches
    rounds = [{name: seconds_of(commands[name]) for name in commands} for _ in range(times)]
    return {name: statistics.median(each[name] for each in rounds) for name in commands}


def median_ms(call: Callable[[], object], times: int = 200) -> float:
    """Median milliseconds of a call."""
    call(), call()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - started))
    return statistics.median(found)


@contextmanager
def busy_cores() -> Iterator[None]:
    """A context in which other programs keep every core busy."""
    cores = os.cpu_count() or 1
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    time.sleep(1)
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def answering(folder: Path) -> dict[str, Any]:
    """How long a model takes to answer: cold and warm, on an idle and a busy machine."""
    import nextword

    predict = [sys.executable, "-m", "nextword", "predict", "--model", str(folder)]
    seconds = cold(
        {
            "import torch": IMPORT_TORCH,
            "import click, numpy, tokenizers, safetensors": LIBRARIES,
            "nextword --help": [sys.executable, "-m", "nextword", "--help"],
            "nextword predict": [*predict, PROMPT],
        }
    )
    out = subprocess.run(
        [sys.executable, "-c", MEMORY, str(folder), PROMPT],
        check=True,
        capture_output=True,
        text=True,
        env=environment(),
    ).stdout
    beyond, mapped = map(float, out.splitlines()[-1].split())
    model = nextword.load_model(folder)
    report: dict[str, Any] = {
        "vocabulary": len(model.words),
        "model": model.loaded.title,
        "cold_seconds": seconds,
        "memory_mb": {"beyond_mapped_files": beyond, "mapped_files": mapped},
        "warm_ms": warm(model),
    }
    with busy_cores():
        report["busy_warm_ms"] = warm(model)
    return report


def warm(model: Any) -> dict[str, float]:
    """Milliseconds of the next word in a running session, and of a line with the cache."""
    session, cached = model.session(), model.session("cache")
    word = model.words.index("the") if "the" in model.words else 2

    def next_word() -> None:
        session.read_ids([word])
        session.predict(5)

    def line() -> None:
        cached.read(PROMPT)
        cached.predict(5)

    for _ in range(500):
        cached.read(PROMPT)  # fills the cache
    return {
        "next word": median_ms(next_word),
        "line, --adapt cache": median_ms(line),
        "prompt": median_ms(lambda: model.predict(PROMPT)),
    }


def piped(folder: Path) -> float:
    """Prompts a second that ``nextword predict`` answers from a pipe, starting included."""
    words = PROMPT.split()
    prompts = [" ".join(words[: 1 + i % len(words)]) for i in range(PIPED_PROMPTS)]
    command = [sys.executable, "-m", "nextword", "predict", "--json", "--model", str(folder)]
    with tempfile.TemporaryFile("w+") as file:
        file.write("\n".join(prompts))
        file.seek(0)
        started = time.perf_counter()
        subprocess.run(command, check=True, stdin=file, stdout=subprocess.DEVNULL)
        return PIPED_PROMPTS / (time.perf_counter() - started)


def evaluating(folder: Path, words: int = EVALUATED_WORDS) -> dict[str, float]:
    """Seconds of an evaluation with all metrics on held-out text, repeated to fill the words."""
    import nextword
    from nextword.text.tokenized import TokenizedText

    model = nextword.load_model(folder)
    part = model.text()
    times = -(-words // len(part.ids))
    ids, spaced = np.tile(part.ids, times)[:words], np.tile(part.spaced, times)[:words]
    unknown = (list(part.unknown_words) * times)[: int((ids == 0).sum())]
    text = TokenizedText(ids, spaced, unknown, part.characters * words // len(part.ids))
    evaluation = model.evaluate(text)
    return {"words": words, "seconds": evaluation.seconds}


def difference_from_pytorch(folder: Path, positions: int = COMPARED_POSITIONS) -> dict[str, Any]:
    """The network's probabilities in NumPy against those in PyTorch, on held-out text.

    PyTorch's softmax in float32 is wrong in the fifth digit over so many words: in its sum each of
    thousands of additions rounds. So the softmax of its scores is taken in float64.
    """
    import torch

    import nextword
    from nextword.inference.scoring import score_stream
    from nextword.text.vocabulary import END_ID

    model = nextword.load_model(folder)
    if not model.loaded.has_network:
        return {}
    ids = model.text().ids[:positions]
    network = model.loaded.network
    with torch.no_grad():
        words = torch.from_numpy(np.concatenate([[END_ID], ids[:-1]]).astype(np.int64))
        features, _ = network.features(words[None], network.initial_state(1))

    def compare(distributions: Any, targets: Any, here: slice) -> tuple[float, int]:
        with torch.no_grad():
            expected = network.output(features[0, here]).double().softmax(1).numpy()
        found = distributions.probabilities
        first = [np.argsort(-part, axis=1, kind="stable")[:, :5] for part in (found, expected)]
        return float(np.abs(found - expected).max()), int((first[0] != first[1]).any(1).sum())

    alone = model.loaded.alone().decoder()
    blocks = list(score_stream(alone.read, ids, len(model.words), compare))
    return {
        "positions": len(ids),
        "largest": max(difference for difference, _ in blocks),
        "first_five_in_another_order": sum(moved for _, moved in blocks),
    }


def measure_answers(folder: Path) -> dict[str, Any]:
    """All figures of a run's answers.

    Args:
        folder: a run, so that there is held-out text.
    """
    report = answering(folder)
    report["piped_prompts_per_second"] = piped(folder)
    report["evaluation"] = evaluating(folder)
    report["difference_from_pytorch"] = difference_from_pytorch(folder)
    return report


def show_answers(report: dict[str, Any]) -> None:
    """Print the figures as a table."""
    click.echo(f"\n{report['model']}, {report['vocabulary']:,} words")
    torch = report["cold_seconds"]["import torch"]
    for name, seconds in report["cold_seconds"].items():
        click.echo(f"{name:<48}{seconds:>8.3f} s{seconds / torch:>8.3f} of import torch")
    for name, megabytes in report["memory_mb"].items():
        click.echo(f"{'memory, ' + name.replace('_', ' '):<48}{megabytes:>8.0f} MB")
    for name, milliseconds in report["warm_ms"].items():
        busy = report["busy_warm_ms"][name]
        click.echo(f"{name:<48}{milliseconds:>8.2f} ms{busy / milliseconds:>8.2f} x on busy cores")
    click.echo(f"{'prompts through a pipe':<48}{report['piped_prompts_per_second']:>8.0f} a second")
    evaluation = report["evaluation"]
    title = f"evaluation of {evaluation['words']:,} words, all metrics"
    click.echo(f"{title:<48}{evaluation['seconds']:>8.1f} s")
    if difference := report["difference_from_pytorch"]:
        title = f"difference from PyTorch, {difference['positions']:,} positions"
        click.echo(
            f"{title:<48}{difference['largest']:>8.1e}; the first five words in another order at "
            f"{difference['first_five_in_another_order']}"
        )
