"""``nextword info``: the machine, the runs, one run."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nextword import __version__, machine

Cli = Callable[..., SimpleNamespace]


@pytest.fixture
def home(tiny_run: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs: the tiny one, and one that has only begun."""
    shutil.copytree(tiny_run.path, tmp_path / "runs" / "tiny")
    (tmp_path / "runs" / "begun").mkdir()
    for name in ("config.yaml", "run.json"):
        shutil.copy(tiny_run.path / name, tmp_path / "runs" / "begun")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_machine_and_its_runs(cli: Cli, home: Path, tiny_run: SimpleNamespace) -> None:
    called = cli("info", "--json")
    assert (called.code, called.err) == (0, "")
    answer = json.loads(called.out)
    assert answer["nextword"] == __version__
    assert answer["torch"] == str(torch.__version__)
    assert answer["devices"][0] == "cpu" and answer["threads"] >= 1
    begun, tiny = answer["runs"]
    assert (begun["run"], begun["has_model"]) == ("begun", False)
    assert (tiny["run"], tiny["has_model"], tiny["model"]) == ("tiny", True, "lstm")
    assert tiny["valid_perplexity"] == tiny_run.result.valid_perplexity
    assert tiny["steps"] == tiny_run.result.steps


WITHOUT_TORCH = """
import sys
from nextword import machine
from nextword.cli import main
if {blocked}:
    sys.modules["torch"] = None  # importing it fails
machine.may_have_gpu = lambda: {gpu}
try:
    main(["info", "--json"])
except SystemExit as exit:
    assert exit.code == 0
assert sys.modules.get("torch") is None
"""


@pytest.mark.parametrize(("blocked", "gpu"), [(False, False), (True, False), (True, True)])
def test_nothing_of_it_needs_torch(cli: Cli, home: Path, blocked: bool, gpu: bool) -> None:
    code = WITHOUT_TORCH.format(blocked=blocked, gpu=gpu)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["devices"] == ["cpu"]
    assert answer["torch"] == str(torch.__version__) and len(answer["runs"]) == 2


def test_a_torch_that_is_not_there_is_said(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert json.loads(cli("info", "--json").out)["torch"] == "not installed"


def test_gpus_are_those_that_torch_sees(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", "GPU {}".format)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    devices = json.loads(cli("info", "--json").out)["devices"]
    assert devices == ["cpu", "cuda:0 (GPU 0)", "cuda:1 (GPU 1)", "mps"]


def test_the_same_for_people(cli: Cli, home: Path, tiny_run: SimpleNamespace) -> None:
    called = cli("info")
    assert called.code == 0
    assert __version__ in called.out
    perplexity = f"{tiny_run.result.valid_perplexity:.1f}"
    lines = {line.split()[0]: line for line in called.out.splitlines() if line.strip()}
    assert f"validation perplexity {perplexity}" in lines["tiny"]
    assert "validation perplexity -" in lines["begun"]
    # the run that other commands use where none is named
    marked = [name for name, line in lines.items() if line.endswith("(default)")]
    assert marked == [json.loads(cli("info", "--json").out)["newest"]]


def test_one_run_by_name_or_path(cli: Cli, home: Path, tiny_run: SimpleNamespace) -> None:
    answer = json.loads(cli("info", "tiny", "--json").out)
    for args in ((home / "runs" / "tiny",), ("--model", "tiny")):
        assert answer == json.loads(cli("info", *args, "--json").out)
    assert (answer["run"], answer["hidden_size"], answer["layers"]) == ("tiny", 24, 1)
    assert answer["vocabulary_size"] == len(tiny_run.result.model.words)
    assert answer["text"].endswith("tiny.txt")
    shown = cli("info", "tiny").out
    assert "hidden size" in shown and "tiny.txt" in shown


def test_no_runs_are_no_failure(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    called = cli("info")
    assert called.code == 0 and "no runs under runs/ yet" in called.out
    assert json.loads(cli("info", "--json").out)["runs"] == []


def test_metrics_that_a_crash_cut_short_are_read_as_far_as_they_go(cli: Cli, home: Path) -> None:
    metrics = home / "runs" / "tiny" / "metrics.jsonl"
    lines = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(b"".join(lines[:-1]) + '{"kind": "valid", "samples": "é'.encode()[:-1])
    answer = json.loads(cli("info", "tiny", "--json").out)
    assert answer["validation_perplexity"] > 1
    assert "valid_perplexity" not in answer


def test_a_run_whose_configuration_is_damaged_is_one_line(cli: Cli, home: Path) -> None:
    (home / "runs" / "tiny" / "config.yaml").write_text("model: {kind: [")
    called = cli("info", "tiny")
    assert called.code == 2 and called.out == ""
    assert "config.yaml" in called.err and "Traceback" not in called.err
