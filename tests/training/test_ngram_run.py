"""Counted n-grams as a run: what it leaves, what it predicts, what it refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from nextword import load_model, train
from nextword.config.load import load_config
from nextword.errors import ConfigError, ModelError
from nextword.inference.decoder import Decoder
from nextword.inference.loaded_model import LoadedNgrams
from nextword.storage.run_folder import RunFolder
from nextword.text.prepare import prepare_text
from nextword.training.result import TrainingResult

if TYPE_CHECKING:
    from tests.training.conftest import Messages

Cli = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings(tiny_settings: dict[str, object]) -> dict[str, object]:
    return {**tiny_settings, "model.kind": "ngram", "model.order": 4}


@pytest.fixture
def measured(
    mean_surprisal: Callable[[Decoder, np.ndarray], float],
) -> Callable[[TrainingResult, str], float]:
    """The perplexity of a part, measured word by word with the stored model."""

    def perplexity(result: TrainingResult, part: str) -> float:
        config = load_config(result.path / "config.yaml", environ={})
        ids = prepare_text(config.text, config.vocabulary).parts[part].ids
        return math.exp(mean_surprisal(load_model(result.path).loaded.decoder(), ids))

    return perplexity


def test_a_run_counts_its_text(
    settings: dict[str, object], measured: Callable[[TrainingResult, str], float]
) -> None:
    result = train(settings)
    assert (result.run, result.steps, result.stopped) == ("tiny-ngram", 4, False)
    # a sentence's words follow from its first ones; what is left is which sentence comes
    assert result.valid_perplexity is not None and 1 < result.valid_perplexity < 2
    for part in ("valid", "test"):
        wanted = getattr(result, f"{part}_perplexity")
        assert measured(result, part) == pytest.approx(wanted, rel=1e-6)
        assert getattr(result, f"network_{part}_perplexity") == wanted
    assert train(settings).run == "tiny-ngram-2"


def test_a_run_folder_holds_what_the_contract_says(settings: dict[str, object]) -> None:
    result = train(settings, run="a")
    files = {str(file.relative_to(result.path)) for file in result.path.rglob("*.*")}
    assert files == {
        "config.yaml",
        "metrics.jsonl",
        "run.json",
        "model/README.md",
        "model/config.json",
        "model/model.safetensors",
        "model/spacing.json",
        "model/tokenizer.json",
    }
    (line,) = (result.path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line) == {"kind": "result", **result.as_dict()}
    card = (result.path / "model" / "README.md").read_text()
    assert "N-grams of up to 4 words" in card
    config = load_config(result.path / "config.yaml", environ={})
    assert (config.model.kind, config.model.order) == ("ngram", 4)
    assert RunFolder(result.path).read_record().vocabulary_size == len(result.model.words)


def test_the_stored_model_predicts_what_was_counted(settings: dict[str, object]) -> None:
    result = train(settings, run="a")
    model = load_model("a")
    assert isinstance(model.loaded, LoadedNgrams) and model.loaded.model.order == 4
    predictions = model.predict("Napoleon was the Emperor of", k=1000)
    assert predictions[0].word == "France" and predictions[0].probability > 0.9
    assert predictions == result.model.predict("Napoleon was the Emperor of", k=1000)
    assert model.session().probabilities().sum() == pytest.approx(1, abs=1e-4)
    with pytest.raises(ModelError, match="has no network"):
        _ = model.loaded.network


@pytest.mark.parametrize("adapt", ["cache", "dynamic", "both"])
def test_it_does_not_adapt_and_says_so(settings: dict[str, object], adapt: Any) -> None:
    model = train(settings).model
    with pytest.raises(ConfigError, match="does not adapt"):
        model.session(adapt)


def test_the_same_text_is_counted_the_same(settings: dict[str, object]) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    one, other = train(settings), train({**settings, "training.seed": 5})
    assert torch.equal(torch.get_rng_state(), before)
    left, right = (load_file(r.path / "model" / "model.safetensors") for r in (one, other))
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_longer_ngrams_predict_better(settings: dict[str, object]) -> None:
    results = [train({**settings, "model.order": order}) for order in (1, 2, 4)]
    perplexities = [r.test_perplexity for r in results if r.test_perplexity is not None]
    assert len(perplexities) == 3
    assert perplexities == sorted(perplexities, reverse=True)
    config = load_config(results[0].path / "config.yaml", environ={})
    train_ids = prepare_text(config.text, config.vocabulary).parts["train"].ids
    assert len(np.unique(train_ids)) > perplexities[0] > 3 * perplexities[1]


def test_it_is_not_resumed(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="a run of kind ngram cannot be resumed"):
        train(load_config(overrides=settings), run="none", resume=True)
    train(settings, run="a")
    with pytest.raises(ConfigError, match="runs/a: its state is gone"):
        train(run="a", resume=True)
    with pytest.raises(ConfigError, match="runs/a: its state is gone"):
        train({"model.kind": "lstm"}, run="a", resume=True)
    with pytest.raises(ConfigError, match="runs/a: exists already"):
        train(settings, run="a")
    assert [path.name for path in Path("runs").iterdir()] == ["a"]


@pytest.mark.parametrize("words", ["one two", "a", "one two one two one three"])
@pytest.mark.parametrize("order", [1, 9])
def test_a_text_of_a_few_words_will_do(words: str, order: int) -> None:
    Path("few.txt").write_text(words + "\n\n" + words + "\n")
    given = {
        "model.kind": "ngram",
        "model.order": order,
        "text.path": "few.txt",
        "text.holdout": {"valid": 0, "test": 0},
        "vocabulary.min_count": 1,
    }
    result = train(given, run="few")
    assert result.valid_perplexity is result.network_test_perplexity is None
    model = load_model("few")
    assert {p.word for p in model.predict(words)} == set(words.split())
    assert model.session().probabilities().sum() == pytest.approx(1, abs=1e-4)


def test_the_callback_receives_what_was_read_and_counted(
    settings: dict[str, object], screen: Messages
) -> None:
    result = train(settings, callback=screen)
    assert any("words to train on, vocabulary" in line for line in screen.lines)
    assert isinstance(result.model.loaded, LoadedNgrams)
    counts = ", ".join(f"{count:,}" for count in result.model.loaded.model.ngram_counts())
    assert screen.lines[-1] == f"n-grams of 1 to 4 words: {counts}"


def test_the_command_line_counts_and_predicts(cli: Cli, tiny_text: Path) -> None:
    given = ("--text", tiny_text, "--run", "a", "--set", "model.kind=ngram")
    held_out = ("--set", "text.holdout.valid=0.1", "--set", "text.holdout.test=0.1")
    called = cli("train", *given, *held_out, "--json")
    assert called.code == 0, called.err
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
    assert result["valid_perplexity"] < 2
    shown = cli("train", *given[:2], *given[4:], *held_out, "--set", "model.order=2")
    assert "network alone" not in shown.out and "validation perplexity" in shown.out
    resumed = cli("train", "--resume", "--run", "a")
    assert resumed.code == 2
    assert "not resumed; retrain under another --run" in resumed.err
