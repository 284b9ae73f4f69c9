"""Kill trainings at random moments and check that each, resumed, ends as if it had not been.

    python scripts/kill_test.py --kills 200 [--seed 1] [--keep FOLDER]

A tiny network is trained once without interruption. Then trainings are killed with SIGKILL, half
of them after a random time, half at a random file operation, and resumed until they end. Each
must leave the same model folder, byte for byte, the same state, and the same log except for times.

Needs fork: each training is a child of this process, which has imported everything and computed
nothing, so that there are no threads or locks for the fork to lose.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported
os.environ["TOKENIZERS_PARALLELISM"] = "false"

OPERATIONS = 60
"""A training killed at a file operation is killed at one of its first 60."""
SAVE_INTERVALS = (1e-9, 0.02, 0.2)
"""Seconds between saves; each training draws one."""
TIMES = ("seconds", "tokens_per_second", "saving_share")
WORDS = "the a my cat dog sailor farmer sees hears follows leaves small old grey and or . ,".split()
Fingerprint = dict[str, Any]


def settings(text: Path, save_every: float) -> dict[str, object]:
    """A training of about a second that uses random numbers and mixes in n-grams."""
    return {
        "text.path": str(text),
        "text.holdout": {"valid": 0.15, "test": 0.1},
        "vocabulary.min_count": 1,
        "windows.length": 8,
        "model.embedding_size": 8,
        "model.hidden_size": 12,
        "model.dropout": 0.2,
        "training.batch_size": 8,
        "training.epochs": 4,
        "training.validations": 8,
        "training.learning_rate": 0.02,
        "training.sampled_head": 5,
        "training.sampled_tail": 4,
        "training.device": "cpu",
        "training.threads": 1,
        "training.save_every": save_every,
        "mixture.ngram": True,
    }


def die_at_operation(number: int) -> None:
    """Kill this process before or after one of its file operations; ``number`` counts both."""
    left = number

    def count_down() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            count_down()
            result = function(*args, **kwargs)
            count_down()
            return result

        return call

    for module, name in ((os, "fsync"), (os, "replace"), (os, "unlink"), (tempfile, "mkstemp")):
        setattr(module, name, counted(getattr(module, name)))


def start(home: Path, run: str, text: Path, save_every: float, operation: int | None) -> int:
    """Train or resume in a child of this process; returns its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.chdir(home)
        log = os.open(home / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        import nextword
        from nextword.training import checkpoint

        checkpoint.MAX_SAVING_SHARE = 1.0  # otherwise so short a training would hardly be saved
        if operation is not None:
            die_at_operation(operation)
        resume = (home / "runs" / run / "state" / "state.safetensors").exists()
        nextword.train(settings(text, save_every), run=run, resume=resume)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(child: int, home: Path) -> bool:
    """Wait for a child and return whether it ended by itself, not by SIGKILL."""
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"a training failed:\n{(home / 'log.txt').read_text()[-3000:]}")
    return True


def fingerprint(run: Path) -> Fingerprint:
    """Everything in a run folder that must not depend on how often the run was killed."""
    from nextword.storage.tensors import read_tensors

    tensors, metadata = read_tensors(run / "state" / "state.safetensors")
    contents: Fingerprint = {f"state {name}": value.tolist() for name, value in tensors.items()}
    contents["state progress"] = without_times(metadata["progress"])
    log = (run / "metrics.jsonl").read_text()
    contents["log"] = [without_times(line) for line in log.splitlines()]
    for file in (run / "model").iterdir():
        contents[f"model/{file.name}"] = file.read_bytes()
    contents["files"] = sorted(str(file.relative_to(run)) for file in run.rglob("*"))
    return contents


def without_times(line: str) -> dict[str, Any]:
    """A JSON object without times and the run's name."""
    values = json.loads(line)
    return {key: values[key] for key in values if not key.endswith(TIMES) and key != "run"}


def killed_run(
    home: Path, name: str, text: Path, draw: random.Random, span: float, kills: int
) -> tuple[int, int]:
    """Train to the end, interrupted by at most ``kills`` kills.

    Returns:
        The number of kills, and how many of them left a half-written file.
    """
    killed = writing = 0
    while True:
        at_operation = draw.random() < 0.5
        operation = draw.randint(1, OPERATIONS) if at_operation and killed < kills else None
        wait, interval = draw.uniform(0, span), draw.choice(SAVE_INTERVALS)
        child = start(home, name, text, interval, operation)
        if killed < kills and operation is None:
            time.sleep(wait)
            os.kill(child, signal.SIGKILL)
        if ended(child, home):
            return killed, writing
        killed += 1
        writing += any((home / "runs" / name).rglob(".*.tmp"))


@click.command()
@click.option("--kills", default=200, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=1, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the runs in this folder.")
def main(kills: int, seed: int, keep: Path | None) -> None:
    """Kill trainings at random moments and check that the results do not depend on it."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="nextword-kill-") as folder:
        home = (keep or Path(folder)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        os.environ["NEXTWORD_CACHE_DIR"] = str(home / "cache")
        text = home / "text.txt"
        paragraphs = [" ".join(draw.choices(WORDS, k=draw.randint(8, 30))) for _ in range(150)]
        text.write_text("\n\n".join(paragraphs) + "\n")
        import nextword.training.run  # noqa: F401  # once for all children

        for name in ("warm", "whole"):  # the first one also prepares the text
            started = time.monotonic()
            ended(start(home, name, text, SAVE_INTERVALS[1], None), home)
        span = 0.7 * (time.monotonic() - started)
        expected = fingerprint(home / "runs" / "whole")
        total = writing = runs = 0
        while total < kills:
            runs += 1
            killed, cut_short = killed_run(home, f"run{runs}", text, draw, span, kills - total)
            total, writing = total + killed, writing + cut_short
            actual = fingerprint(home / "runs" / f"run{runs}")
            if different := [
                key
                for key in expected.keys() | actual.keys()
                if expected.get(key) != actual.get(key)
            ]:
                sys.exit(f"run {runs} ended differently: {', '.join(sorted(different))}")
    click.echo(
        f"{total} kills in {runs} trainings, {writing} of them while a file was being written: "
        "all ended the same, byte for byte"
    )


if __name__ == "__main__":
    main()
