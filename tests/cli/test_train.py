"""``nextword train``: what is shown where, and how a signal ends it."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from nextword.cli.console import Console, sample_lines
from nextword.config.load import load_config
from nextword.inference.session import Prediction
from nextword.text import sources as spool
from nextword.training.callbacks import StepReport

Cli = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_is_one_line_on_stdout_and_the_rest_is_on_stderr(cli: Cli, config: Path) -> None:
    called = cli("train", "--config", config, "--run", "mine", "--json")
    assert called.code == 0
    assert called.out.count("\n") == 1
    result = json.loads(called.out)
    assert result.keys() >= {
        "run",
        "steps",
        "seconds",
        "tokens_per_second",
        "valid_perplexity",
        "test_perplexity",
        "network_valid_perplexity",
        "network_test_perplexity",
    }
    assert (result["run"], result["steps"]) == ("mine", 26)
    assert 1 < result["valid_perplexity"] < 40 and 1 < result["test_perplexity"] < 40
    assert result["seconds"] > 0 and result["tokens_per_second"] > 0
    assert "\r" not in called.err and "|" not in called.err  # stderr is no terminal
    assert re.search(r"^step 13 \(50 %, 00:\d\d elapsed, 00:\d\d remaining\)", called.err, re.M)
    assert re.search(r"^step 26 \(100 %, .* remaining\): validation perplexity", called.err, re.M)
    assert re.search(r"    Napoleon was the Emperor of +\.\.\.  \S+ \d+\.\d+ %  ", called.err)
    assert Path("runs/mine/model/model.safetensors").is_file()


def test_people_are_shown_figures_predictions_and_what_to_do_next(cli: Cli, config: Path) -> None:
    called = cli("train", "--config", config, "--set", "training.epochs=10")
    assert called.code == 0
    assert re.search(r"^validation perplexity \d\.\d\d$", called.out, re.M)
    assert re.search(r"^test       perplexity \d\.\d\d$", called.out, re.M)
    assert re.search(r"^260 steps in \S+ s, \S+ words/s$", called.out, re.M)
    assert re.search(r"^Napoleon was the Emperor of \.\.\.\n  France  ", called.out, re.M)
    assert "The model is in runs/tiny-lstm/model" in called.out
    # what it says can be done can be done
    assert cli("predict", "Napoleon was the Emperor of").out.startswith("France")


def test_without_any_option_it_trains_on_the_shipped_text(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in [("EPOCHS", "0.004"), ("VALIDATIONS", "1")]:
        monkeypatch.setenv(f"NEXTWORD_TRAINING_{name}", value)
    monkeypatch.setenv("NEXTWORD_MODEL_HIDDEN_SIZE", "8")
    monkeypatch.setenv("NEXTWORD_MODEL_EMBEDDING_SIZE", "8")
    called = cli("train")
    assert called.code == 0
    assert "napoleon.txt: " in called.err and "1 x 8" in called.err
    assert "Napoleon was the Emperor of ..." in called.out
    assert Path("runs/napoleon-lstm/model/model.safetensors").is_file()


def test_flags_win_over_variables_and_those_over_the_file(
    cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch, tiny_text: Path
) -> None:
    monkeypatch.setenv("NEXTWORD_MODEL_HIDDEN_SIZE", "10")
    monkeypatch.setenv("NEXTWORD_MODEL_KIND", "gru")
    Path("other.txt").write_bytes(tiny_text.read_bytes())
    called = cli(
        *("train", "--config", config, "--text", "other.txt", "--run", "a", "--json"),
        *("--set", "model.hidden_size=12", "--set", "training.epochs=0.1"),
    )
    assert called.code == 0
    kept = load_config(Path("runs/a/config.yaml"), environ={})
    assert (kept.model.hidden_size, kept.model.kind) == (12, "gru")
    assert kept.model.embedding_size == 16
    assert kept.text.path == str(Path("other.txt").resolve())


def test_a_text_may_come_through_a_pipe(
    cli: Cli, config: Path, tiny_text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_spooled", {})
    called = cli(
        *("train", "--config", config, "--text", "-", "--json"), stdin=tiny_text.read_bytes()
    )
    assert called.code == 0
    assert json.loads(called.out)["run"] == "text-lstm"
    assert "standard input: " in called.err


def test_a_run_that_is_there_is_not_overwritten(cli: Cli, config: Path) -> None:
    assert cli("train", "--config", config, "--run", "a", "--json").code == 0
    before = Path("runs/a/model/model.safetensors").read_bytes()
    called = cli("train", "--config", config, "--run", "a", "--json")
    assert (called.code, called.out) == (2, "")
    assert called.err.startswith("Error: runs/a: exists already; choose another --run")
    assert called.err.count("\n") == 1
    assert Path("runs/a/model/model.safetensors").read_bytes() == before


def test_a_training_that_runs_away_is_one_line_after_the_bar(cli: Cli, config: Path) -> None:
    sets = ["optimizer=sgd", "learning_rate=100", "clip_norm=0", "warmup_steps=0", "epochs=4"]
    called = cli(
        *("train", "--config", config, "--set", "model.kind=rnn", "--set", "model.activation=relu"),
        *(part for each in sets for part in ("--set", f"training.{each}")),
    )
    assert (called.code, called.out) == (1, "")
    assert called.err.splitlines()[-1].startswith("Error: training diverged at step ")
    assert "training.learning_rate" in called.err.splitlines()[-1]
    assert "Traceback" not in called.err


def signalling(monkeypatch: pytest.MonkeyPatch, number: int, steps: set[int]) -> None:
    """The process gets a signal while it takes certain steps."""
    on_step = Console.on_step

    def and_signal(self: Console, report: StepReport) -> None:
        on_step(self, report)
        if report.progress.step in steps:
            signal.raise_signal(number)

    monkeypatch.setattr(Console, "on_step", and_signal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_after_the_step_and_a_resume_ends_where_it_would_have(
    cli: Cli, config: Path, number: signal.Signals
) -> None:
    assert cli("train", "--config", config, "--run", "whole", "--json").code == 0
    handler = signal.getsignal(number)
    with pytest.MonkeyPatch.context() as patch:
        signalling(patch, number, {9})
        called = cli("train", "--config", config, "--run", "halted", "--json")
    assert called.code == 128 + number
    assert json.loads(called.out)["steps"] == 9
    assert "stopping: saving, then measuring; press Ctrl-C again to skip" in called.err
    assert called.err.endswith("continue with: nextword train --resume --run halted\n")
    assert signal.getsignal(number) is handler
    assert len(json.loads(cli("predict", "the", "--json").out)["predictions"]) == 5

    resumed = cli("train", "--resume", "--run", "halted", "--json")
    assert resumed.code == 0
    assert json.loads(resumed.out)["steps"] == 26
    assert "\ncontinuing: 9/26 steps done\n" in resumed.err
    for name in ("state/state.safetensors", "model/model.safetensors"):
        one, other = load_file(Path("runs/whole") / name), load_file(Path("runs/halted") / name)
        assert all(torch.equal(one[key], other[key]) for key in one.keys() | other.keys())


def test_a_second_signal_ends_at_once_and_a_resume_is_still_possible(
    cli: Cli, config: Path
) -> None:
    on_step = Console.on_step

    def twice(self: Console, report: StepReport) -> None:
        on_step(self, report)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Console, "on_step", twice)
        called = cli("train", "--config", config, "--run", "a", "--json")
    assert (called.code, called.out) == (130, "")
    assert called.err.endswith("Stopped.\n") and "Traceback" not in called.err
    resumed = cli("train", "--resume", "--json")
    assert json.loads(resumed.out)["steps"] == 26


def test_ctrl_c_stops_the_program_itself_and_leaves_a_model(cli: Cli, config: Path) -> None:
    command = [sys.executable, "-m", "nextword", "train", "--config", str(config), "--run", "a"]
    command += ["--set", "training.epochs=20", "--set", "training.validations=20", "--json"]
    log = Path("stderr.txt")
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, text=True)
        try:
            deadline = time.monotonic() + 60
            while "validation perplexity" not in log.read_text():
                assert time.monotonic() < deadline and process.poll() is None, log.read_text()
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    steps = json.loads(out)["steps"]
    assert 26 <= steps < 20 * 26
    assert len(json.loads(cli("predict", "the", "--json").out)["predictions"]) == 5
    resumed = cli("train", "--resume", "--set", "training.epochs=21", "--json")
    assert resumed.code == 0
    assert json.loads(resumed.out)["steps"] == 21 * 26


def test_a_resume_of_a_finished_run_says_so_and_trains_nothing(cli: Cli, config: Path) -> None:
    whole = json.loads(cli("train", "--config", config, "--run", "a", "--json").out)
    resumed = cli("train", "--resume", "--json")
    assert "this run was already finished; to train it further" in resumed.err
    again = json.loads(resumed.out)
    assert (again["steps"], again["valid_perplexity"]) == (26, whole["valid_perplexity"])
    further = cli("train", "--resume", "--set", "training.epochs=1.1", "--json")
    assert "already finished" not in further.err and json.loads(further.out)["steps"] > 26


def test_a_training_that_validation_ends_says_so(cli: Cli, config: Path) -> None:
    # nothing is learned, so nothing improves
    sets = ["learning_rate=1e-300", "epochs=4", "validations=8", "patience=2"]
    given = [part for each in sets for part in ("--set", f"training.{each}")]
    called = cli("train", "--config", config, "--run", "a", *given)
    assert called.code == 0
    said = r"^step 39 of 104: no improvement since step 13, so training ends here"
    assert re.search(said, called.err, re.M)
    resumed = cli("train", "--resume", "--run", "a")
    assert "this run was finished by training.patience; to go on" in resumed.err
    further = cli("train", "--resume", "--run", "a", "--set", "training.patience=0", "--json")
    assert json.loads(further.out)["steps"] == 104


@pytest.mark.parametrize("text", ["- , ! ?\n\n" * 90, "x y z\n\n" * 40 + "- a b\n\n" * 60])
def test_what_to_try_has_only_words_of_the_text(cli: Cli, text: str) -> None:
    Path("odd.txt").write_text(text)
    sets = ["model.kind=ngram", "text.tokenizer=whitespace"]
    given = [part for each in sets for part in ("--set", each)]
    called = cli("train", "--text", "odd.txt", "--run", "a", *given)
    assert called.code == 0
    command = shlex.split(called.out.splitlines()[-1])
    assert command[:2] == ["nextword", "predict"] and ("--" in command) == (command[-1][0] == "-")
    tried = cli(*command[1:])
    assert tried.code == 0 and "not in the vocabulary" not in tried.err


def test_a_stop_says_how_long_the_measuring_takes(
    cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signalling(monkeypatch, signal.SIGINT, {20})
    called = cli("train", "--config", config, "--run", "a", "--json")
    assert re.search(
        r"^stopping: saving, then measuring \(about \d+ s\); press Ctrl-C again", called.err, re.M
    )


def test_samples_stand_in_columns() -> None:
    samples = {
        "he was": [Prediction("the", 0.5), Prediction(",", 0.25)],
        "Napoleon": [Prediction("Emperor", 0.75)],
    }
    assert sample_lines(samples) == [
        'he was   ...  the 50.0 %      "," 25.0 %',
        "Napoleon ...  Emperor 75.0 %",
    ]
