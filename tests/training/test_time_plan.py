"""A budget of time is the wait, shared out by what is measured."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from nextword.config.load import load_config
from nextword.config.schema import Config
from nextword.inference.cache import CacheSettings
from nextword.inference.pytorch import TorchNetwork
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.dataset import EncodedText
from nextword.text.prepare import prepare_text
from nextword.training import time_plan
from nextword.training.callbacks import Callback
from nextword.training.clock import Clock
from nextword.training.fit_mixture import Components
from nextword.training.run import train
from nextword.training.time_plan import FEWEST_WORDS, Reach, TimePlan, plan_time, training_speed

CPU = torch.device("cpu")


@pytest.fixture
def config(tiny_settings: dict[str, object]) -> Config:
    return load_config(None, {**tiny_settings, "training.minutes": 1}, {})


@pytest.fixture
def text(config: Config) -> EncodedText:
    return prepare_text(config.text, config.vocabulary)


@pytest.fixture
def network(config: Config, text: EncodedText) -> TorchNetwork:
    model = build_network(config.model, len(text.tokenizer))
    settings = config.model.model_dump(mode="json")
    return TorchNetwork(model, text.tokenizer, settings, text.vocabulary.counts)


def test_the_speed_is_that_of_real_steps(
    config: Config, text: EncodedText, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([10.0, 14.0])
    monkeypatch.setattr(time_plan, "time", SimpleNamespace(perf_counter=lambda: next(now)))
    words = config.training.batch_size * config.windows.length
    assert training_speed(config, text, CPU) == time_plan.PROBE_STEPS * words / 4


def test_measuring_leaves_the_random_numbers_of_the_run_alone(
    config: Config, text: EncodedText
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    training_speed(config, text, CPU)
    assert torch.equal(torch.rand(5), expected)


def planned(total: float, network: TorchNetwork, text: EncodedText) -> TimePlan:
    ngram = NgramModel.fit(text.parts["train"].ids, len(text.tokenizer), 3)
    return plan_time(total, network, Components(ngram, [CacheSettings()]), text, 4)


def test_a_longer_wait_affords_more_words_and_a_tenth_of_it_for_the_close(
    network: TorchNetwork, text: EncodedText
) -> None:
    short, long = (planned(total, network, text) for total in (0.01, 10_000.0))
    assert short.look_words <= long.look_words
    assert short.fit_words == short.final_words == FEWEST_WORDS
    held_out = sum(len(text.parts[part].ids) for part in ("valid", "test"))
    assert long.fit_words > held_out and long.final_words > held_out
    # no more is reserved than all of the held-out text takes
    assert long.closing_seconds < 0.5 * time_plan.CLOSING_SHARE * 10_000


def test_a_text_without_held_out_parts_needs_no_time_for_them(
    network: TorchNetwork, text: EncodedText
) -> None:
    alone = EncodedText(**{**vars(text), "parts": {"train": text.parts["train"]}})
    plan = plan_time(60.0, network, Components(), alone, 4)
    assert plan.closing_seconds == time_plan.WRITING_SECONDS


def reach_of(config: Config, text: EncodedText, waited: float = 0.0, **run: Any) -> Reach:
    context = SimpleNamespace(
        config=config,
        clock=Clock(before=waited),
        callback=Callback(),
        resumed=False,
        reason="",
    )
    vars(context).update(run)
    return Reach(context, text, CPU)  # type: ignore[arg-type]


def test_the_words_in_reach_are_those_of_the_time_that_is_left(
    config: Config, text: EncodedText, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_plan, "training_speed", lambda *parts: 1_000.0)
    reach = reach_of(config, text, waited=20.0)
    assert reach(config) == pytest.approx(1_000 * time_plan.STEPS_SHARE * 40, rel=0.01)
    assert " learn 1,000 words/s here, " in reach.run.reason
    assert reach.run.reason.startswith("24 units and word vectors of ")
    assert reach_of(config, text, waited=70.0)(config) == 0


def test_the_reason_is_that_of_the_chosen_size_though_a_larger_one_was_measured_last(
    config: Config, text: EncodedText, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_plan, "training_speed", lambda *parts: 1_000.0)
    reach = reach_of(config, text)
    for size in (256, 512):
        model = config.model.model_copy(update={"hidden_size": size})
        reach(config.model_copy(update={"model": model}))
    vectors = config.model.embedding_size
    assert [reach.reasons[size, vectors].split()[0] for size in (256, 512)] == ["256", "512"]


def test_start_vectors_are_left_out_where_they_would_take_too_long(
    config: Config, text: EncodedText, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach = reach_of(config, text)
    assert reach.has_time_for_start_vectors  # nothing is known yet
    for speed, expected in ((1.0, False), (1e6, True)):
        monkeypatch.setattr(time_plan, "training_speed", lambda *parts, speed=speed: speed)
        reach(config)
        assert reach.has_time_for_start_vectors is expected


@pytest.mark.parametrize(("minutes", "resumed", "timed"), [(1, False, True), (1, True, False)])
def test_only_a_new_run_with_a_budget_measures(
    config: Config, text: EncodedText, minutes: float, resumed: bool, timed: bool
) -> None:
    assert reach_of(config, text, resumed=resumed).timed is timed
    without = config.model_copy(
        update={"training": config.training.model_copy(update={"minutes": None})}
    )
    assert not reach_of(without, text).timed


def test_the_budget_is_the_wait_from_start_to_the_final_figures(
    tiny_settings: dict[str, object], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []

    class Screen(Callback):
        def on_message(self, line: str) -> None:
            lines.append(line)

    monkeypatch.setattr(time_plan, "FEWEST_WORDS", 64)
    settings = {
        **{key: value for key, value in tiny_settings.items() if key != "training.epochs"},
        "training.minutes": 0.1,
        "training.epochs": 10**6,
    }
    started = time.monotonic() - 1.0
    result = train(settings, callback=Screen(), started=started)
    waited = time.monotonic() - started
    assert result.seconds == pytest.approx(waited, abs=0.5)
    assert 4.0 <= waited <= 12.0  # six seconds, and as much again on a busy machine
    assert result.valid_perplexity is not None and result.valid_perplexity < 20
    assert result.steps > 20
    record = (result.path / "run.json").read_text(encoding="utf-8")
    reasons = [line for line in lines if "words/s here" in line]
    assert not reasons or reasons[0] in record


def bounded(full: bool, tiny_settings: dict[str, object]) -> tuple[list[str], int]:
    lines: list[str] = []
    measured = 0

    class Screen(Callback):
        def on_message(self, line: str) -> None:
            lines.append(line)

        def on_progress(self, label: str, done: int, total: int) -> None:
            nonlocal measured
            if label == "measuring on the test part":
                measured = total

    train({**tiny_settings, "training.minutes": 10}, callback=Screen(), full=full)
    return lines, measured


@pytest.mark.parametrize("full", [False, True])
def test_final_figures_take_as_many_words_as_the_time_allows_unless_all_are_wanted(
    tiny_settings: dict[str, object],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    full: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    plan: Callable[..., TimePlan] = lambda *parts: TimePlan(1.0, 64, 10_000, 48)  # noqa: E731
    monkeypatch.setattr("nextword.training.network.plan_time", plan)
    lines, measured = bounded(full, tiny_settings)
    said = [line for line in lines if line.startswith("measuring the best model")]
    if full:
        assert said == ["measuring the best model on the held-out parts"] and measured > 100
    else:
        assert "on 48 words of each held-out part" in said[0] and measured == 48


def test_the_words_of_a_plan_are_numbers_of_a_text(
    network: TorchNetwork, text: EncodedText
) -> None:
    plan = planned(30.0, network, text)
    assert all(isinstance(words, int) for words in (plan.look_words, plan.fit_words))
    assert np.isfinite(plan.closing_seconds) and plan.closing_seconds > 0
