"""What was trained on what, and how, in words."""

from pathlib import Path

import pytest

from nextword.comparison.loaded_run import LoadedRun, load_runs
from nextword.report.facts import facts


@pytest.fixture
def opened(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> list[LoadedRun]:
    monkeypatch.chdir(kinds)
    return load_runs([Path("mixed"), Path("counted"), Path("rnn")])


def test_a_network_is_told_of_with_its_text_and_its_training(opened: list[LoadedRun]) -> None:
    told = dict(facts(opened[0]))
    config, log = opened[0].config, opened[0].log
    assert config is not None and log.result is not None
    assert opened[0].record is not None
    assert told["text"] == "tiny.txt" and told["its SHA-256"] == opened[0].record.text_sha256
    assert told["network"].startswith("gru, 1 layer of 24 units, word vectors of ")
    assert told["network"].endswith("learned numbers") and "n-grams" in told["mixed with"]
    assert told["budget"].startswith("1 pass, ") and "windows of" in told["budget"]
    assert f"seed {config.training.seed}" in told["optimizer"]
    assert told["took"].startswith(f"{log.result.steps:,} steps, {log.words:,} words")
    assert told["with"].startswith("nextword ") and "threads 1" in told["with"]
    assert "held out" in told and "unknown" in told["training part"]


def test_counted_ngrams_have_no_training(opened: list[LoadedRun]) -> None:
    told = dict(facts(opened[1]))
    assert told["model"].startswith("n-grams of up to 5 words")
    assert not {"network", "budget", "optimizer", "loss", "mixed with"} & set(told)
    assert "threads" not in told["with"]


def test_the_kind_of_a_plain_rnn_has_its_activation(opened: list[LoadedRun]) -> None:
    assert dict(facts(opened[2]))["network"].startswith("rnn (tanh), ")
