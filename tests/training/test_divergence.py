"""A training that diverges says so, keeps what was sound before, and goes on from there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nextword.evaluation.stream import mean_loss
from nextword.inference.model_folder import WEIGHTS
from nextword.storage.tensors import read_tensors, write_tensors

Cli = Callable[..., SimpleNamespace]
EPOCH = 26
"""Steps in an epoch of the tiny text."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validating(patch: pytest.MonkeyPatch, *losses: float) -> None:
    """The first validations give these losses."""
    left = iter(losses)

    def measure(*given: Any, **named: Any) -> float:
        return next(left, None) or mean_loss(*given, **named)

    patch.setattr("nextword.training.network.mean_loss", measure)


def floats(folder: Path) -> Iterator[Any]:
    for file in folder.rglob("*.safetensors"):
        yield from (array for array in read_tensors(file)[0].values() if array.dtype.kind == "f")


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1e9])
def test_the_model_before_it_diverged_is_kept_and_a_resume_goes_on(
    cli: Cli, config: Path, loss: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        validating(patch, 3.0, loss)
        called = cli("train", "--config", config, "--run", "r")
    assert (called.code, called.out) == (1, "")
    last = called.err.splitlines()[-1]
    assert last.startswith(f"Error: training diverged at step {EPOCH} (its validation loss is ")
    assert "lower training.learning_rate (now 0.02); the model of step 13 is kept; " in last
    assert last.endswith("nextword train --resume --run r --set training.learning_rate=0.002")
    assert "nan" not in Path("runs/r/metrics.jsonl").read_text().lower()
    assert all(np.isfinite(array).all() for array in floats(Path("runs/r")))
    assert cli("predict", "the", "--model", "runs/r").code == 0
    resumed = cli("train", "--resume", "--run", "r", "--set", "training.learning_rate=0.002")
    assert resumed.code == 0 and f"{EPOCH} steps" in resumed.out


def test_a_training_that_diverges_before_any_validation_leaves_no_model(
    cli: Cli, config: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        validating(patch, math.nan)
        called = cli("train", "--config", config, "--run", "r", "--json")
    assert (called.code, called.out) == (1, "")
    assert "no model was saved yet" in called.err
    asked = cli("predict", "the", "--model", "runs/r")
    assert asked.code == 1 and "runs/r: has no model yet" in asked.err
    assert cli("train", "--resume", "--run", "r").code == 0


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm", "feedforward"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_highest_learning_rate_ends_in_one_line_or_in_a_model(
    cli: Cli, config: Path, kind: str, optimizer: str
) -> None:
    settings = {
        "model.kind": kind,
        "model.activation": "relu",
        "training.optimizer": optimizer,
        "training.learning_rate": 100,
        "training.clip_norm": 0,
        "training.warmup_steps": 0,
    }
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    called = cli("train", "--config", config, "--run", "r", *sets)
    assert called.code in (0, 1) and "Traceback" not in called.err
    if called.code:
        assert called.err.splitlines()[-1].startswith("Error: training diverged at step ")
    assert "nan" not in (called.out + Path("runs/r/metrics.jsonl").read_text()).lower()
    assert all(np.isfinite(array).all() for array in floats(Path("runs/r")))


def put_number(path: Path, name: str, place: int, value: float) -> None:
    """Change a number in a tensor file, whose checksum stays valid."""
    tensors, metadata = read_tensors(path)
    changed = tensors[name].copy()
    changed.flat[place] = value
    write_tensors(path, {**tensors, name: changed}, metadata)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["model.output.bias", "optimizer.output.bias.exp_avg"])
def test_a_state_that_is_not_finite_is_not_resumed(
    cli: Cli, config: Path, name: str, value: float
) -> None:
    assert cli("train", "--config", config, "--run", "r", "--json").code == 0
    state = Path("runs/r/state/state.safetensors")
    put_number(state, name, 0, value)
    called = cli("train", "--resume", "--run", "r", "--set", "training.epochs=2")
    assert (called.code, called.out) == (1, "")
    assert called.err.splitlines()[-1].startswith(f"Error: {state}: {name} has numbers that are")


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("command", ["predict", "generate", "score", "similar", "explain"])
def test_weights_that_are_not_finite_are_refused(
    cli: Cli, tiny_run: SimpleNamespace, command: str, value: float, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in (tiny_run.path / "model").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    tensors, _ = read_tensors(folder / WEIGHTS)
    name = max(tensors, key=lambda name: tensors[name].size)
    put_number(folder / WEIGHTS, name, 7, value)
    called = cli(command, "the", "--model", folder)
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith(f"Error: {folder / WEIGHTS}: {name} has numbers that are not")
    assert called.err.count("\n") == 1
