"""How runs were trained, in words; and that the commands on a page reproduce them."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.comparison.loaded_run import LoadedRun, load_runs
from nextword.config.load import parse_assignments
from nextword.report.facts import FILE, commands, config_text, facts

Cli = Callable[..., SimpleNamespace]


@pytest.fixture
def home(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(kinds)
    return kinds


def test_command_and_configuration_give_the_same_networks(
    home: Path, tiny_text: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = load_runs([Path("rnn"), Path("mixed")])
    config = config_text(found)
    assert config is not None and str(tiny_text.parent) not in config
    lines = commands(found)
    assert lines[0] == f"nextword train --config {FILE} --run rnn-again"
    assert "threads: 1\n" in config  # as it was, whatever a machine does besides
    assert lines[2] == "nextword report rnn-again mixed-again"
    assert "--set model.kind=gru" in lines[1] and "--set mixture.ngram=true" in lines[1]
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(config)
    shutil.copy(tiny_text, tmp_path)
    for line in lines[:2]:
        called = cli(*shlex.split(line)[1:])
        assert called.code == 0, called.err
    for name in ("rnn", "mixed"):
        again = tmp_path / "runs" / f"{name}-again" / "model" / "model.safetensors"
        assert again.read_bytes() == (home / "runs" / name / "model/model.safetensors").read_bytes()


def test_values_are_written_so_that_they_are_read_back(home: Path) -> None:
    found = load_runs([Path("rnn"), Path("fewer"), Path("feedforward")])
    for loaded_run, line in zip(found[1:], commands(found)[1:-1], strict=True):
        words = shlex.split(line)
        sets = parse_assignments([words[i + 1] for i, word in enumerate(words) if word == "--set"])
        assert loaded_run.config is not None
        leaves = dict(loaded_run.config.leaves())
        assert sets and all(leaves[key] == value for key, value in sets.items())


def test_a_model_without_its_run_cannot_be_repeated(
    home: Path, tmp_path: Path, tiny_text: Path
) -> None:
    (tmp_path / "alone").symlink_to(home / "runs" / "rnn" / "model")
    (alone,) = load_runs([tmp_path / "alone"], text=[str(tiny_text)])
    assert config_text([alone]) is None and commands([alone]) == []


def test_of_several_the_first_that_has_a_configuration_gives_it(
    home: Path, tmp_path: Path, tiny_text: Path
) -> None:
    (tmp_path / "alone").symlink_to(home / "runs" / "rnn" / "model")
    both = load_runs([tmp_path / "alone", Path("mixed")], text=[str(tiny_text)])
    assert config_text(both) == config_text(both[1:]) is not None
    assert commands(both) == commands(both[1:])


@pytest.fixture
def opened(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> list[LoadedRun]:
    monkeypatch.chdir(kinds)
    return load_runs([Path("mixed"), Path("counted"), Path("rnn")])


def test_a_network_is_told_of_with_its_text_and_its_training(opened: list[LoadedRun]) -> None:
    shown = dict(facts(opened[0]))
    config, log = opened[0].config, opened[0].log
    assert config is not None and log.result is not None
    assert opened[0].record is not None
    assert shown["text"] == "tiny.txt" and shown["its SHA-256"] == opened[0].record.text_sha256
    assert shown["network"].startswith("gru, 1 layer of 24 units, word vectors of ")
    assert shown["network"].endswith("parameters") and "n-grams" in shown["mixed with"]
    assert shown["budget"].startswith("1 pass, ") and "windows of" in shown["budget"]
    assert f"seed {config.training.seed}" in shown["optimizer"]
    assert shown["took"].startswith(f"{log.result.steps:,} steps, {log.words:,} words")
    assert shown["with"].startswith("nextword ") and "threads 1" in shown["with"]
    assert "held out" in shown and "unknown" in shown["training part"]


def test_counted_ngrams_have_no_training(opened: list[LoadedRun]) -> None:
    shown = dict(facts(opened[1]))
    assert shown["model"].startswith("n-grams of up to 5 words")
    assert not {"network", "budget", "optimizer", "loss", "mixed with"} & set(shown)
    assert "threads" not in shown["with"]


def test_the_kind_of_a_plain_rnn_has_its_activation(opened: list[LoadedRun]) -> None:
    assert dict(facts(opened[2]))["network"].startswith("rnn (tanh), ")
