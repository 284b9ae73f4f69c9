"""What a model is set beside: the same words, simpler models."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nextword import load_model, train
from nextword.evaluation.evaluator import simpler_models
from nextword.evaluation.held_out import held_out_part, text_of_run
from nextword.inference.decoder import Decoder

Measure = Callable[[Decoder, np.ndarray], float]


def test_unigrams_say_what_the_training_part_counts(
    tiny_run: SimpleNamespace, mean_surprisal: Measure
) -> None:
    loaded = load_model(tiny_run.path).loaded
    folder = tiny_run.path / "model"
    found = simpler_models(loaded, folder)
    assert list(found) == ["unigram", "Kneser-Ney 5-gram"]
    ids = held_out_part(folder, loaded.tokenizer, "valid").ids
    unigram = mean_surprisal(found["unigram"](), ids)
    counts = np.bincount(
        text_of_run(folder, loaded.tokenizer).parts["train"].ids, minlength=len(loaded.tokenizer)
    )
    shares = counts / counts.sum()
    # a unigram of contexts of no word is close to plain shares where all words are common
    assert unigram == pytest.approx(-np.log(shares[ids]).mean(), abs=0.5)
    assert mean_surprisal(found["Kneser-Ney 5-gram"](), ids) < unigram


def test_each_opener_begins_afresh(tiny_run: SimpleNamespace, mean_surprisal: Measure) -> None:
    loaded = load_model(tiny_run.path).loaded
    opener = simpler_models(loaded, tiny_run.path / "model")["Kneser-Ney 5-gram"]
    ids = held_out_part(tiny_run.path / "model", loaded.tokenizer, "test").ids
    first = mean_surprisal(opener(), ids)
    assert mean_surprisal(opener(), ids) == first < math.log(len(loaded.tokenizer))


def test_the_network_alone_stands_beside_a_mixture(
    tiny_settings: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mean_surprisal: Measure,
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {**tiny_settings, "mixture.ngram": True, "training.epochs": 1}
    result = train(settings, run="mixed")
    loaded = load_model(result.path).loaded
    found = simpler_models(loaded, result.path / "model")
    ids = held_out_part(result.path / "model", loaded.tokenizer, "test").ids
    alone = math.exp(mean_surprisal(found["network alone"](), ids))
    assert alone == pytest.approx(result.network_test_perplexity, rel=1e-5)
    assert math.exp(mean_surprisal(loaded.decoder(), ids)) == pytest.approx(
        result.test_perplexity, rel=1e-5
    )
