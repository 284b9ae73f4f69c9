"""``examples/article/reproduce.sh``: what it trains, what it keeps, and what it refuses to mix."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "examples" / "article" / "reproduce.sh"
KINDS = ("rnn-tanh", "rnn-sigmoid", "lstm", "gru", "feedforward")
NEXTWORD = """#!/usr/bin/env bash
# writes down how it was called; a "train" begins a run, and fails or stops where it is told to
echo "$*" >>calls
case " $* " in *" bad.key=1 "*) exit 2 ;; esac
[ "${0##*/}" = nextword ] || exit 0
while [ "$1" != --run ]; do shift; done
run="runs/$(basename "$2")"
mkdir -p "$run/state"
touch "$run/state/state.safetensors"
[ ! -f stop ] || exit 130
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Calls the script in a folder of its own, with a nextword and a python that only log calls."""
    scripts, example = (tmp_path / "checkout" / name for name in ("scripts", "examples/article"))
    scripts.mkdir(parents=True)
    example.mkdir(parents=True)
    shutil.copy(SCRIPT, example)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("nextword", "python"):
        (tools / name).write_text(NEXTWORD)
        (tools / name).chmod(0o755)
    environment = f'prepare_environment() {{ export PATH="{tools}:$PATH"; }}\n'
    (scripts / "environment.sh").write_text(environment)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(example / SCRIPT.name), *args]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
        )

    return run


def calls(folder: Path) -> list[str]:
    """How nextword was called since this was last asked."""
    result = (folder / "calls").read_text().splitlines()
    (folder / "calls").unlink()
    return result


def test_five_networks_are_trained_alike_and_told_of(call: Call, tmp_path: Path) -> None:
    (tmp_path / "my book.txt").write_text("words")
    called = call("my book.txt", "--set", "training.epochs=2")
    assert called.returncode == 0, called.stderr
    *trained, report = calls(tmp_path)
    for kind, line in zip(KINDS, trained, strict=True):
        assert line.startswith(f"train --run article-my book-{kind} --text my book.txt")
        assert "mixture.ngram=false" in line and line.endswith("--set training.epochs=2")
        assert f"model.kind={kind.split('-')[0]}" in line
    assert ["model.activation=sigmoid" in line for line in trained] == [False, True, *[False] * 3]
    assert "examples/article/claims.py runs/article-my book-rnn-tanh" in report
    assert report.endswith("--report runs/article-my book.html")
    assert call("my book.txt", "--set", "training.epochs=2").returncode == 0
    assert ["claims.py" in line for line in calls(tmp_path)] == [True]  # nothing is trained twice


def test_a_training_that_was_stopped_goes_on(call: Call, tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    assert call().returncode == 130
    assert len(calls(tmp_path)) == 1
    (tmp_path / "stop").unlink()
    assert call().returncode == 0
    first, second, *_ = calls(tmp_path)
    assert first == "train --run runs/article-rnn-tanh --resume"
    assert second.startswith("train --run article-rnn-sigmoid --set mixture.ngram=false")


def test_what_was_trained_otherwise_is_not_mixed_in(call: Call, tmp_path: Path) -> None:
    text, link = tmp_path / "book.txt", tmp_path / "a link.txt"
    text.write_text("words")
    link.symlink_to(text)
    assert call("a link.txt").returncode == 0
    text.write_text("other words")
    for args in (["a link.txt"], ["a link.txt", "--set", "training.epochs=2"]):
        refused = call(*args)
        assert refused.returncode == 1 and "of another text or other options" in refused.stderr
        remove = refused.stderr.splitlines()[-1].strip()
    assert remove.startswith("rm -r runs/article-a\\ link-rnn-tanh ")
    subprocess.run(remove, shell=True, check=True, cwd=tmp_path)
    assert call("a link.txt").returncode == 0


def test_a_mistake_may_be_mended_at_once(call: Call, tmp_path: Path) -> None:
    refused = call("--set", "bad.key=1")
    assert refused.returncode == 2 and len(calls(tmp_path)) == 1
    assert call("--set", "good.key=1").returncode == 0
    missing = call("none.txt")
    assert missing.returncode == 1 and "none.txt: no such file or folder" in missing.stderr
