"""The measures against a text worked out by hand, and a loop that reads word after word."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from nextword.errors import ModelError, TextError
from nextword.evaluation.evaluator import Evaluation, evaluate
from nextword.inference import decoder as base
from nextword.inference.decoder import Decoder
from nextword.inference.loaded_model import LoadedModel
from nextword.text.spelling import spelling_surprisals
from nextword.text.tokenized import TokenizedText
from nextword.text.tokenizer import Tokenizer

IDS = np.random.default_rng(2).integers(0, 14, 61).astype(np.uint16)
CHARACTERS = 250
FIGURES = (
    "perplexity",
    "perplexity_known",
    "perplexity_spelled_out",
    "bits_per_character",
    "tokens",
    "unknown_rate",
    "top_1",
    "top_3",
    "top_5",
    "mean_reciprocal_rank",
    "keystroke_savings",
    "keystroke_savings_limit",
)
Untrained = Callable[..., LoadedModel]
Texts = Callable[..., TokenizedText]


def output_bias(loaded: LoadedModel) -> torch.Tensor:
    bias = loaded.network.output.bias
    assert bias is not None
    return bias


def measure(loaded: LoadedModel, text: TokenizedText, **given: Any) -> Evaluation:
    return evaluate(loaded.decoder(), text, loaded.tokenizer, loaded.counts, **given)


def test_by_hand(script: type[Decoder]) -> None:
    """ "the cat, qz" and "cat": the second word of each pair of rows is what came."""
    words = ["<unk>", "<eos>", "the", "cat", ",", "can"]
    ids = [2, 3, 4, 0, 1, 3, 1]
    spaced = np.array([True, False, True, False, False, False, False])
    text = TokenizedText(np.array(ids), spaced, ["qz"], len("the cat, qz\ncat\n"))
    rows = [
        [1 / 8, 1 / 8, 1 / 2, 1 / 8, 1 / 16, 1 / 16],  # the: first, 1 bit
        [1 / 4, 1 / 8, 1 / 16, 1 / 16, 1 / 4, 1 / 4],  # cat: fifth, 4 bits
        [1 / 2, 1 / 16, 1 / 8, 1 / 16, 1 / 8, 1 / 8],  # the comma: second, 3 bits
        [1 / 8, 1 / 2, 1 / 8, 1 / 8, 1 / 16, 1 / 16],  # qz: second, 3 bits and its letters
        [1 / 16, 1 / 4, 1 / 16, 1 / 2, 1 / 16, 1 / 16],  # the end: second, 2 bits
        [1 / 16, 1 / 16, 1 / 16, 1 / 32, 1 / 4, 17 / 32],  # cat: last, 5 bits
        [1 / 8, 1 / 2, 1 / 8, 1 / 8, 1 / 16, 1 / 16],  # the end: first, 1 bit
    ]
    tokenizer = Tokenizer(words, "words", lowercase=False)
    counts = np.array([3, 200, 1500, 20, 1000, 2])
    answer = evaluate(script(rows), text, tokenizer, counts, suggestions=2)  # type: ignore[call-arg]
    letters = spelling_surprisals(words[2:], ["qz"])[0] / math.log(2)
    assert answer.perplexity == pytest.approx(2 ** (19 / 7))
    assert answer.perplexity_known == pytest.approx(2 ** (16 / 6))
    assert answer.perplexity_spelled_out == pytest.approx(2 ** ((19 + letters) / 7))
    assert answer.bits_per_character == pytest.approx((19 + letters) / 16)
    assert answer.bits_per_unknown_word == pytest.approx(letters)
    assert (answer.tokens, answer.characters) == (7, 16)
    assert answer.unknown_rate == pytest.approx(1 / 7)
    assert (answer.top_1, answer.top_3, answer.top_5) == pytest.approx((2 / 7, 5 / 7, 6 / 7))
    assert answer.mean_reciprocal_rank == pytest.approx((1 + 1 / 5 + 3 / 2 + 1 / 6 + 1) / 7)
    # of the and cat, cat
    assert answer.real_words.tokens == 3 and answer.real_words.top_1 == pytest.approx(1 / 3)
    assert (answer.real_words.top_3, answer.real_words.top_5) == pytest.approx((1 / 3, 2 / 3))
    # two shown. the: at once, 3 letters and the space for 1 key. cat: after the c, since can and
    # the comma stand before it; two letters for 1 key, as no space follows. The comma: at once, a
    # letter and the space for 1 key. Then cat after the c again, 1.
    assert answer.keystroke_savings == pytest.approx((3 + 1 + 1 + 1) / 16)
    assert answer.keystroke_savings_limit == pytest.approx((3 + 2 + 1 + 2) / 16)
    assert answer.suggestions == 2
    assert answer.calibration.confidence == pytest.approx((5 * 1 / 2 + 1 / 4 + 17 / 32) / 7)
    # one of a quarter that fails; six of a half and a bit more, two of which come
    assert answer.calibration.error == pytest.approx((0.25 + abs(5 / 2 + 17 / 32 - 2)) / 7)
    bands = {band.band: (band.tokens, band.perplexity) for band in answer.by_frequency}
    assert bands["unknown"] == pytest.approx((1, 8))
    assert bands["10-99"] == pytest.approx((2, 2**4.5))
    assert bands["100-999"] == pytest.approx((2, 2**1.5))
    assert bands["1000+"] == pytest.approx((2, 4))
    places = {band.band: (band.tokens, band.perplexity) for band in answer.by_position}
    assert places["1"] == pytest.approx((2, 2**3)) and places["2-5"] == pytest.approx((5, 2**2.6))
    assert (answer.costliest_words[0].word, answer.costliest_words[0].times) == ("cat", 2)
    assert answer.costliest_words[0].bits == pytest.approx(9)
    assert answer.blocks == 0 and set(answer.standard_errors.values()) == {None}


@torch.no_grad()
def word_by_word(loaded: LoadedModel, text: TokenizedText, saved_slowly: Callable[..., int]) -> Any:
    """All figures, the plain way: one word in, the next one scored, everything ranked."""
    model, words = loaded.network.eval(), loaded.tokenizer.words
    state, before = model.initial_state(1), loaded.tokenizer.end_id
    nats, saved, ranks, limit = [], 0, [], 0
    for target, spaced in zip(text.ids.tolist(), text.spaced.tolist(), strict=True):
        scores, state = model(torch.tensor([[before]]), state)
        scores = scores[0, 0].double()
        nats.append(-scores.log_softmax(0)[target].item())
        ranks.append(scores.argsort(descending=True).tolist().index(target))
        saved += saved_slowly(words, scores.tolist(), target, spaced)
        limit += len(words[target]) - 1 + spaced if target > 1 else 0
        before = target
    count = len(nats)
    known = [nat for nat, target in zip(nats, text.ids.tolist(), strict=True) if target != 0]
    spelled = sum(nats) + spelling_surprisals(words[2:], text.unknown_words).sum()
    return {
        "perplexity": math.exp(sum(nats) / count),
        "perplexity_known": math.exp(sum(known) / len(known)),
        "perplexity_spelled_out": math.exp(spelled / count),
        "bits_per_character": spelled / math.log(2) / CHARACTERS,
        "tokens": count,
        "unknown_rate": (count - len(known)) / count,
        **{f"top_{k}": sum(rank < k for rank in ranks) / count for k in (1, 3, 5)},
        "mean_reciprocal_rank": sum(1 / (rank + 1) for rank in ranks) / count,
        "keystroke_savings": saved / CHARACTERS,
        "keystroke_savings_limit": limit / CHARACTERS,
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
    untrained: Untrained,
    held_out: Texts,
    saved_slowly: Callable[..., int],
    settings: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded, text = untrained(**settings), held_out(IDS)
    wanted = word_by_word(loaded, text, saved_slowly)
    assert 0 < wanted["top_1"] < wanted["top_5"] and wanted["keystroke_savings"] > 0
    for places in (256, 1, 7, 60, 61):
        monkeypatch.setattr(base, "CHUNK_TOKENS", places)
        measured = measure(loaded, text).as_dict()
        for name in FIGURES:
            assert measured[name] == pytest.approx(wanted[name], rel=1e-5), (name, places)


def shuffled_rows(count: int, words: int = 30) -> np.ndarray:
    """Distributions over a vocabulary, like those of words: a few are likely."""
    draws = np.random.default_rng(5).gumbel(size=(count, words)) - 2 * np.log(
        np.arange(1, words + 1)
    )
    exponentials = np.exp(draws)
    probabilities: np.ndarray = exponentials / exponentials.sum(1, keepdims=True)
    return probabilities


@pytest.fixture
def long(held_out: Texts) -> Iterator[tuple[np.ndarray, TokenizedText, Tokenizer, np.ndarray]]:
    """Distributions, a text of three thousand words, and what else is measured with."""
    words = ["<unk>", "<eos>", *(f"{a}{b}" for a in "abcdefg" for b in "wxyz")]
    rows = shuffled_rows(3000)
    ids = [np.random.default_rng(i).choice(30, p=row) for i, row in enumerate(rows)]
    yield (
        rows,
        held_out(ids, 9000),
        Tokenizer(words, "words", lowercase=False),
        np.arange(0, 30 * 60, 60),
    )


def test_no_figure_depends_on_how_the_text_is_cut(
    script: Any, long: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, *rest = long
    answer = []
    for places in (256, 100, 3000, 1):
        monkeypatch.setattr(base, "CHUNK_TOKENS", places)
        figures = evaluate(script(rows), *rest).as_dict()
        assert figures.pop("seconds") > 0
        answer.append(figures)
    assert answer[0] == answer[1] == answer[2] == answer[3]


def test_a_long_text_has_standard_errors(script: Any, long: Any) -> None:
    rows, *rest = long
    answer = evaluate(script(rows), *rest)
    assert answer.blocks == 50
    errors = answer.standard_errors
    assert set(errors) == {
        "perplexity",
        "perplexity_known",
        "perplexity_spelled_out",
        "bits_per_character",
        "top_1",
        "top_3",
        "top_5",
        "mean_reciprocal_rank",
        "keystroke_savings",
    }
    # the words were drawn independently of one another, so plain formulas hold
    nats = answer.scores.surprisals.astype(np.float64)
    plain = answer.perplexity * nats.std() / math.sqrt(3000)
    assert errors["perplexity"] == pytest.approx(plain, rel=0.3)
    share = answer.top_1
    assert errors["top_1"] == pytest.approx(math.sqrt(share * (1 - share) / 3000), rel=0.3)
    # a model that knows from what words are drawn is calibrated, and its surprisal the entropy
    entropy = -(rows * np.log(rows)).sum(1).mean()
    assert errors["perplexity"] is not None
    assert abs(math.log(answer.perplexity) - entropy) < 4 * errors["perplexity"] / answer.perplexity
    assert answer.calibration.error < 0.04


def test_places_let_two_models_be_compared(script: Any, long: Any) -> None:
    rows, *rest = long
    better = evaluate(script(rows), *rest).scores
    worse = evaluate(script((rows + 1 / 30) / 2), *rest).scores
    assert (better.ids == worse.ids).all() and len(better.ids) == 3000
    assert better.surprisals.mean() < worse.surprisals.mean()
    assert better.characters.sum() == 2 * (better.ids > 1).sum() + better.spaced.sum() + (
        5 * (better.ids == 0).sum() + (better.ids == 1).sum()
    )


def finite(value: Any) -> Iterator[bool]:
    """Whether each number in some JSON is one."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from finite(inner)
    elif isinstance(value, float):
        yield math.isfinite(value)


def kinds(values: Iterable[Any]) -> set[type]:
    return {type(value) for value in values}


def test_the_fields_are_those_of_the_contract_and_fit_json(
    untrained: Untrained, held_out: Texts
) -> None:
    measured = measure(untrained(), held_out(IDS)).as_dict()
    assert set(measured) >= {*FIGURES, "seconds", "suggestions", "calibration", "standard_errors"}
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured
    assert all(finite(measured)) and measured["seconds"] > 0
    assert kinds(measured[name] for name in ("tokens", "characters", "suggestions")) == {int}
    assert measured["calibration"]["bins"][0].keys() == {
        "above",
        "up_to",
        "tokens",
        "confidence",
        "accuracy",
    }
    assert sum(band["tokens"] for band in measured["by_frequency"]) == 61
    assert sum(band["tokens"] for band in measured["by_position"]) == 61
    assert "scores" not in measured


def test_a_literal_unknown_word_costs_no_letters(untrained: Untrained) -> None:
    loaded = untrained()
    answer = {}
    for name in ("<unk>", "zebra"):
        ids, spaced = np.array([2, 0, 1]), np.array([True, False, False])
        answer[name] = measure(loaded, TokenizedText(ids, spaced, [name], 10))
    hidden, spelled = answer["<unk>"], answer["zebra"]
    assert hidden.perplexity == spelled.perplexity == hidden.perplexity_spelled_out
    assert math.isnan(hidden.bits_per_unknown_word)
    extra = spelling_surprisals(loaded.tokenizer.words[2:], ["zebra"])[0]
    wanted = hidden.bits_per_character + extra / math.log(2) / 10
    assert spelled.bits_per_character == pytest.approx(wanted)
    both = TokenizedText(
        np.array([0, 0, 1]), np.array([True, False, False]), ["<unk>", "zebra"], 12
    )
    assert measure(loaded, both).scores.spellings.tolist() == [0, extra, 0]


def test_a_smaller_vocabulary_does_not_look_better_spelled_out(script: Any) -> None:
    """The same model of words; the second has forgotten a few and gives their share to <unk>."""
    rows = shuffled_rows(2000)
    words = [f"{a}{b}{c}" for a in "abc" for b in "eio" for c in "rst"] + ["zero"]
    full = ["<unk>", "<eos>", *words]
    ids = np.array([np.random.default_rng(i).choice(30, p=row) for i, row in enumerate(rows)])
    ids[ids == 0] = 1
    few = rows[:, :12].copy()
    few[:, 0] += rows[:, 12:].sum(1)
    answer = []
    for kept, said in ((full, rows), (full[:12], few)):
        strange = [full[i] for i in ids if i >= len(kept)]
        text = TokenizedText(np.where(ids < len(kept), ids, 0), np.ones(2000, bool), strange, 6000)
        tokenizer = Tokenizer(kept, "words", lowercase=False)
        counts = np.ones(len(kept), dtype=np.int64)
        answer.append(evaluate(script(said), text, tokenizer, counts))
    assert answer[1].unknown_rate > 0.05
    assert answer[1].perplexity < answer[0].perplexity
    assert answer[1].perplexity_spelled_out > answer[0].perplexity_spelled_out
    assert answer[1].bits_per_character > answer[0].bits_per_character


def test_progress_adds_up_to_the_words(
    untrained: Untrained, held_out: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: list[int] = []
    monkeypatch.setattr(base, "CHUNK_TOKENS", 10)
    measure(untrained(), held_out(IDS), progress=answer.append)
    assert sum(answer) == len(IDS) and len(answer) == 7


def test_a_text_without_words_cannot_be_measured_on(untrained: Untrained, held_out: Texts) -> None:
    with pytest.raises(TextError, match="no word"):
        measure(untrained(), held_out(IDS[:0]))


def test_a_hopeless_model_has_a_huge_perplexity_not_an_overflow(
    untrained: Untrained, held_out: Texts
) -> None:
    loaded = untrained()
    with torch.no_grad():
        output_bias(loaded)[3] = 1e6
    answer = measure(loaded, held_out(IDS))
    assert 1e100 < answer.perplexity < math.inf
    assert all(finite(answer.as_dict()))


def test_an_impossible_word_does_not_break_the_sums(script: Any, held_out: Texts) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "a"], "words", lowercase=False)
    rows = np.array([[0.5, 0.5, 0], [0.2, 0.6, 0.2]])
    answer = evaluate(script(rows), held_out([2, 1]), tokenizer, np.ones(3, dtype=np.int64))
    assert all(finite(answer.as_dict())) and answer.perplexity > 1e100
    assert np.isfinite(answer.scores.surprisals).all() and answer.top_1 == 0.5


def test_a_model_that_says_no_numbers_is_refused(untrained: Untrained, held_out: Texts) -> None:
    loaded = untrained()
    with torch.no_grad():
        output_bias(loaded)[3] = math.nan
    with pytest.raises(ModelError, match="not numbers"):
        measure(loaded, held_out(IDS))


def test_a_trained_model_measures_better_than_chance(tiny_run: SimpleNamespace) -> None:
    loaded = tiny_run.result.model.loaded
    ids = np.array(loaded.tokenizer.encode("Napoleon was the Emperor of France ."))
    spaced = np.array([True] * 6 + [False])
    answer = measure(loaded, TokenizedText(ids, spaced, [], 37))
    assert answer.perplexity < 2.5
    assert answer.top_1 >= 6 / 7
    assert answer.keystroke_savings > 0.5
    assert answer.keystroke_savings <= answer.keystroke_savings_limit
