"""Metrics counted by hand, and the one table of them that every surface reads."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nextword.comparison.loaded_run import load_runs
from nextword.evaluation.metrics import (
    METRICS,
    Metric,
    MetricValues,
    Sample,
    calibration,
    compute_metrics,
    real_words,
)
from nextword.inference.scoring import TokenScores
from nextword.interpret.memory import MemorySettings
from nextword.report.data import collect
from nextword.report.page import render


def accuracy(ranks: np.ndarray, counted: np.ndarray | None = None) -> MetricValues:
    """The metrics of ranks, over all positions or some."""
    count = len(ranks)
    scores = TokenScores(
        ids=np.zeros(count, np.int64),
        surprisals=np.zeros(count, np.float32),
        ranks=ranks.astype(np.int32),
        confidences=np.zeros(count, np.float32),
        best=np.zeros(count, np.int32),
        spellings=np.zeros(count),
        lengths=np.zeros(count, np.int64),
        spaced=np.zeros(count, np.bool_),
    )
    sample = Sample(
        scores,
        np.zeros(count, np.int32),
        np.ones(count, np.bool_) if counted is None else counted,
        1,
    )
    return compute_metrics(sample, [m for m in METRICS.values() if m.of_real_words])


def test_ranks_by_hand() -> None:
    result = accuracy(np.array([1, 2, 4, 10]))
    assert (result.tokens, result.top_1, result.top_3, result.top_5) == (4, 0.25, 0.5, 0.75)
    assert result.mean_reciprocal_rank == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 10) / 4)
    assert set(result.standard_errors.values()) == {None}


def test_some_places_only() -> None:
    result = accuracy(np.array([1, 2, 4, 10]), np.array([False, True, True, False]))
    assert (result.tokens, result.top_1, result.top_3, result.top_5) == (2, 0, 0.5, 1)
    assert result.mean_reciprocal_rank == pytest.approx(3 / 8)


def test_no_places_have_no_shares() -> None:
    result = accuracy(np.array([1, 2]), np.zeros(2, dtype=np.bool_))
    assert (
        result.tokens == 0 and math.isnan(result.top_1) and math.isnan(result.mean_reciprocal_rank)
    )


def test_standard_errors_are_those_of_the_counted_places() -> None:
    # every block of a hundred words has fifty that count, half of them right: no spread
    ranks = np.tile([1, 2, 1, 1], 500)
    even = accuracy(ranks, np.tile([True, True, False, False], 500))
    assert even.top_1 == 0.5 and even.standard_errors["top_1"] == 0
    # all right in one half of the text, all wrong in the other: 20 blocks each 0.5 away
    halves = accuracy(np.repeat([1, 9], 1000))
    assert halves.standard_errors["top_1"] == pytest.approx(0.5 / math.sqrt(39))
    assert halves.standard_errors["mean_reciprocal_rank"] == pytest.approx(
        (1 - 1 / 9) / 2 / math.sqrt(39)
    )


def test_real_words_hold_a_letter_or_digit() -> None:
    words = ["<unk>", "<eos>", "the", "1812", ",", "--", "d'Artagnan", "語", "☞", "<b>"]
    assert real_words(words).tolist() == [False] * 2 + [True] * 2 + [False] * 2 + [
        True,
        True,
        False,
        True,
    ]


def test_calibration_by_hand() -> None:
    sure = np.array([0.1, 0.2, 0.25, 0.6, 0.75, 1.0], dtype=np.float32)
    hits = np.array([False, False, True, True, False, True])
    result = calibration(sure, hits, bins=4)
    # bounds belong to the bin below them
    assert [part.tokens for part in result.bins] == [3, 0, 2, 1]
    assert [(part.above, part.up_to) for part in result.bins] == [
        (0, 0.25),
        (0.25, 0.5),
        (0.5, 0.75),
        (0.75, 1),
    ]
    assert result.bins[0].confidence == pytest.approx(0.55 / 3)
    assert result.bins[0].accuracy == pytest.approx(1 / 3)
    assert math.isnan(result.bins[1].confidence) and math.isnan(result.bins[1].accuracy)
    assert result.confidence == pytest.approx(2.9 / 6)
    # 3 words 0.15 off, 2 words 0.175 off, one that is right
    assert result.error == pytest.approx((3 * 0.15 + 2 * 0.175) / 6)


def test_a_model_that_says_what_it_knows_has_hardly_an_error() -> None:
    draw = np.random.default_rng(1)
    sure = draw.uniform(size=200_000)
    hits = draw.uniform(size=200_000) < sure
    assert calibration(sure, hits).error < 0.005
    assert calibration(np.sqrt(sure), hits).error == pytest.approx(1 / 6, abs=0.01)
    assert len(calibration(sure, hits).bins) == 15


def test_nothing_falls_out_at_the_ends() -> None:
    result = calibration(np.array([0.0, 1.0, 1.0000001]), np.ones(3, dtype=np.bool_))
    assert [result.bins[i].tokens for i in (0, 14)] == [1, 2]


@pytest.fixture
def novel(monkeypatch: pytest.MonkeyPatch) -> Metric:
    """A metric that a reader of the docs might add: a row and the function that computes it."""

    def sure(sample: Sample) -> tuple[float, float | None]:
        return sample.mean(sample.scores.confidences > 0.5)

    metric = Metric("sure_rate", "sure of the next word", "sure", sure)
    monkeypatch.setitem(METRICS, metric.key, metric)
    return metric


def test_a_new_metric_is_one_row(
    novel: Metric,
    cli: Callable[..., SimpleNamespace],
    kinds: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    monkeypatch.chdir(kinds)
    measured = json.loads(cli("eval", "--model", "rnn", "--json").out)
    assert 0 <= measured["sure_rate"] <= 1 and "sure_rate" in measured["standard_errors"]
    shown = novel.format(measured["sure_rate"], measured["standard_errors"]["sure_rate"])
    for args in (("eval", "--model", "rnn"), ("compare", "rnn", "tiny")):
        (row,) = (line for line in cli(*args).out.splitlines() if line.startswith(novel.title))
        assert row[len(novel.title) :].strip().startswith(shown)
    page = render(collect(load_runs([Path("rnn")]), MemorySettings(reach=10, places=5)))
    assert f'<th scope="row">{novel.title}</th><td>{shown}</td>' in page
