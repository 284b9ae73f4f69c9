"""Perplexity by words of context, against networks read the slow way."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nextword.inference.loaded_model import LoadedModel
from nextword.interpret.context import (
    ContextCost,
    context_costs,
    contexts_up_to,
    read_text,
    surprisals_within,
    words_needed,
)
from nextword.interpret.memory import measure_memory
from nextword.text.tokenized import TokenizedText


def test_contexts_are_close_at_first() -> None:
    assert contexts_up_to(100) == [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 100]
    assert contexts_up_to(2) == [1, 2] and contexts_up_to(1) == [1]


@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_short_and_whole_contexts_are_those_of_reading_so_many_words(
    untrained: Callable[..., LoadedModel], random_text: Callable[..., TokenizedText], kind: str
) -> None:
    model = untrained(kind=kind).network
    ids = random_text(300).ids.astype(np.int64)
    places, kept = np.array([20, 21, 150, 280]), np.array([3, 127, 128, 290])

    def slowly(place: int, words: int) -> float:
        with torch.no_grad():
            scores, _ = model(torch.from_numpy(ids[None, place + 1 - words : place + 1]))
        return -float(scores[0, -1].log_softmax(0)[ids[place + 1]])

    read = read_text(model, ids, places, kept)
    np.testing.assert_allclose(read.surprisals, [slowly(p, p + 1) for p in places], rtol=1e-4)
    for row, place in enumerate(kept):
        with torch.no_grad():
            _, state = model.features(
                torch.from_numpy(ids[None, : place + 1]), model.initial_state(1)
            )
        for found, wanted in zip(read.states, state, strict=True):
            torch.testing.assert_close(found[row], wanted[0], rtol=1e-4, atol=1e-5)
    for words in (1, 4):
        np.testing.assert_allclose(
            surprisals_within(model, ids, places, words),
            [slowly(p, words) for p in places],
            rtol=1e-4,
        )


def test_costs_are_perplexities_beside_that_with_all_words() -> None:
    everything = np.full(2000, math.log(50))
    noise = np.random.default_rng(1).normal(0, 0.1, 2000)
    costs = context_costs({1: everything + math.log(2) + noise, 8: everything + noise}, everything)
    assert [cost.words for cost in costs] == [1, 8, None]
    assert costs[0].perplexity == pytest.approx(100, rel=0.01)
    assert costs[0].above == pytest.approx(2 * math.exp(noise.mean()) - 1)
    assert costs[2].perplexity == pytest.approx(50) and costs[2].above == 0
    assert costs[1].standard_error == pytest.approx(0.1 / math.sqrt(2000), rel=0.3)
    assert costs[1].standard_error is not None
    assert costs[0].standard_error == pytest.approx(2 * costs[1].standard_error)
    assert context_costs({1: everything[:10]}, everything[:10])[0].standard_error is None


@pytest.mark.parametrize(
    ("above", "needed"),
    [
        ([0.5, 0.02, 0.01, 0.0], 3),
        ([0.5, 0.005, 0.02, 0.001], 5),
        ([0.5, 0.4, 0.3, 0.2], None),
        ([0.0, 0.0, -0.1, 0.0], 1),
    ],
)
def test_enough_is_what_stays_enough(above: list[float], needed: int | None) -> None:
    costs = [
        ContextCost(n, 10 * (1 + each), each, None)
        for n, each in zip([1, 2, 3, 5], above, strict=True)
    ]
    assert words_needed([*costs, ContextCost(None, 10, 0, 0)]) == needed


def test_a_network_without_memory_needs_its_window_and_no_more(
    untrained: Callable[..., LoadedModel], random_text: Callable[..., TokenizedText]
) -> None:
    memory = measure_memory(untrained(kind="feedforward"), "ff", random_text(400), 8, 30)
    assert memory.words_needed == 3 and memory.whole is None and memory.hidden is None
    assert [cost.words for cost in memory.costs] == [1, 2, 3, 5, 8, None]
    for cost in memory.costs[2:]:
        assert cost.above == pytest.approx(0, abs=1e-5)
