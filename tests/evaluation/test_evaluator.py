"""The measures against a loop that reads one word after the other."""

import json
import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nextword.errors import TextError
from nextword.evaluation.evaluator import evaluate
from nextword.models.folder import LoadedModel

IDS = np.random.default_rng(2).integers(0, 14, 61).astype(np.uint16)
CHARACTERS = 250
MEASURES = (
    "perplexity",
    "bits_per_character",
    "tokens",
    "unknown_rate",
    "top_1",
    "top_3",
    "top_5",
    "keystroke_savings",
)
Untrained = Callable[..., LoadedModel]


@torch.no_grad()
def word_by_word(loaded: LoadedModel, saved_slowly: Callable[..., int]) -> dict[str, float]:
    """All measures, the plain way: one word in, the next one scored, everything ranked."""
    model, words = loaded.model.eval(), loaded.tokenizer.words
    state, before = model.initial_state(1), loaded.tokenizer.end_id
    nats, saved, ranks = 0.0, 0, []
    for target in IDS.tolist():
        scores, state = model(torch.tensor([[before]]), state)
        scores = scores[0, 0].double()
        nats -= scores.log_softmax(0)[target].item()
        ranks.append(scores.argsort(descending=True).tolist().index(target))
        saved += saved_slowly(words, scores.tolist(), target)
        before = target
    count = len(IDS)
    return {
        "perplexity": math.exp(nats / count),
        "bits_per_character": nats / math.log(2) / CHARACTERS,
        "tokens": count,
        "unknown_rate": IDS.tolist().count(0) / count,
        **{f"top_{k}": sum(rank < k for rank in ranks) / count for k in (1, 3, 5)},
        "keystroke_savings": saved / CHARACTERS,
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "lstm"},
        {"kind": "gru", "tie_weights": False},
        {"kind": "rnn", "activation": "sigmoid", "bias": False},
        {"kind": "rnn", "activation": "relu", "input": "one_hot"},
        {"kind": "feedforward"},
    ],
)
def test_every_measure_is_that_of_reading_word_by_word(
    untrained: Untrained, saved_slowly: Callable[..., int], settings: dict[str, object]
) -> None:
    loaded = untrained(**settings)
    wanted = word_by_word(loaded, saved_slowly)
    assert 0 < wanted["top_1"] < wanted["top_5"] and wanted["keystroke_savings"] > 0
    for window, rows in [(256, 256), (1, 256), (7, 3), (60, 1), (61, 64)]:
        measured = evaluate(loaded, IDS, CHARACTERS, window, rows).as_dict()
        for name in MEASURES:
            assert measured[name] == pytest.approx(wanted[name], rel=1e-5), (name, window, rows)


def test_the_fields_are_those_of_the_contract_and_fit_json(untrained: Untrained) -> None:
    measured = evaluate(untrained(), IDS, CHARACTERS).as_dict()
    assert set(measured) >= {*MEASURES, "seconds"}
    assert json.loads(json.dumps(measured)) == measured
    assert measured["seconds"] > 0


def test_progress_adds_up_to_the_words(untrained: Untrained) -> None:
    told: list[int] = []
    evaluate(untrained(), IDS, CHARACTERS, window=10, rows=4, progress=told.append)
    assert sum(told) == len(IDS) and len(told) > 6


def test_a_text_without_words_cannot_be_measured_on(untrained: Untrained) -> None:
    with pytest.raises(TextError, match="no word"):
        evaluate(untrained(), IDS[:0], 0)


def test_a_hopeless_model_has_a_huge_perplexity_not_an_overflow(untrained: Untrained) -> None:
    loaded = untrained()
    with torch.no_grad():
        loaded.model.output.bias[3] = 1e6
    assert 1e100 < evaluate(loaded, IDS, CHARACTERS).perplexity < math.inf


def test_a_trained_model_measures_better_than_chance(tiny_run: SimpleNamespace) -> None:
    loaded = tiny_run.result.predictor.loaded
    ids = np.array(loaded.tokenizer.encode("Napoleon was the Emperor of France ."))
    measured = evaluate(loaded, ids, 37)
    assert measured.perplexity < 2.5
    assert measured.top_1 >= 6 / 7
    assert measured.keystroke_savings > 0.5
