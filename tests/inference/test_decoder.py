"""Every decoder gives probabilities, looks back only, and does not depend on how a text is cut."""

import gc
import weakref
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.inference import ADAPTATIONS
from nextword.inference import decoder as base
from nextword.inference.cache import CacheSettings
from nextword.inference.decoder import (
    Decoder,
    Distributions,
    NgramDecoder,
    softmax_distributions,
    tokens_per_chunk,
)
from nextword.inference.gating import GatingWeights
from nextword.inference.mixture import (
    Mixture,
    combinations,
    mixture_decoder,
    num_gate_features,
)
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.scoring import score_stream
from nextword.inference.torch_decoder import TorchDecoder
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

Ids = NDArray[np.int64]
MakeNetwork = Callable[..., TorchNetwork]
Open = Callable[[], Decoder]

NETWORKS: dict[str, dict[str, object]] = {
    **{kind: {"kind": kind} for kind in ("lstm", "gru", "rnn", "feedforward")},
    "sigmoid": {"kind": "rnn", "activation": "sigmoid", "bias": False},
    "relu": {"kind": "rnn", "activation": "relu", "tie_weights": False},
    "two layers": {"kind": "lstm", "layers": 2, "input": "one_hot"},
    "one-hot window": {"kind": "feedforward", "input": "one_hot"},
}
READINGS = [
    *NETWORKS,
    "ngram",
    *(f"{kind}, torch" for kind in NETWORKS),
    *(f"{kind}, dynamic" for kind in NETWORKS),
    *(f"mixture, {adapt}" for adapt in ADAPTATIONS),
    *(f"alone, {adapt}" for adapt in ADAPTATIONS),
    "mixture, torch",
    "unweighed, both",
]


def some_weights(order: int) -> dict[str, GatingWeights]:
    """Weights that follow all evidence."""
    draw = np.random.default_rng(6)
    found = {}
    for names in combinations(order > 0):
        parts, num_features = len(names.split("+")), num_gate_features(names, order)
        found[names] = GatingWeights(
            np.ones(num_features),
            np.full(num_features, 2.0),
            draw.normal(size=(parts, num_features)),
            np.zeros(parts),
        )
    return found


@pytest.fixture(params=READINGS)
def opened(request: pytest.FixtureRequest, make_network: MakeNetwork, ngram: NgramModel) -> Open:
    """Opens one of the readings at the beginning of a text."""
    kind, _, adapt = request.param.partition(", ")
    if kind == "ngram":
        return lambda: NgramDecoder(ngram)
    cache = CacheSettings(size=20, sharpness=0.5)
    mixture = {
        "mixture": Mixture(ngram, cache, some_weights(ngram.order)),
        "alone": Mixture(None, cache, some_weights(0)),
        "unweighed": Mixture(ngram, cache),
    }.get(kind, Mixture())
    loaded = make_network(**NETWORKS.get(kind, {"kind": "gru"}))
    if adapt == "torch" and kind == "mixture":
        return lambda: mixture_decoder(TorchDecoder(loaded.model), mixture, cached=True)
    if adapt == "torch":
        return lambda: TorchDecoder(loaded.model)
    mixed = loaded.with_mixture(mixture)
    return lambda: mixed.decoder(adapt or "none")


def read_in(decoder: Decoder, ids: Ids, cuts: Sequence[int]) -> Distributions:
    """The forecasts of a text that is read in pieces which end at some places."""
    forecasts = [decoder.read(piece).distributions() for piece in np.split(ids, cuts)]
    return Distributions(
        np.concatenate([each.probabilities for each in forecasts]),
        np.concatenate([each.gate_features for each in forecasts]),
        np.concatenate([each.log_probabilities for each in forecasts]),
    )


def assert_same(
    one: Distributions, other: Distributions, atol: float = 1e-5, rtol: float = 1.3e-6
) -> None:
    """Forecasts and what they rest on are the same but for rounding."""
    for first, second in (
        (one.probabilities, other.probabilities),
        (one.log_probabilities, other.log_probabilities),
        (one.gate_features, other.gate_features),
    ):
        assert first.dtype == second.dtype == np.float32
        np.testing.assert_allclose(first, second, atol=atol, rtol=rtol)


def test_each_forecast_sums_to_one(opened: Open, ids: Ids, size: int) -> None:
    result = opened().read(ids).distributions()
    assert result.probabilities.shape == result.log_probabilities.shape == (len(ids), size)
    for shares in (result.probabilities, np.exp(result.log_probabilities)):
        np.testing.assert_allclose(shares.sum(1), np.ones(len(ids)), atol=1e-4, rtol=0)
    np.testing.assert_array_equal(
        result.log_probabilities_of(ids), result.log_probabilities[np.arange(len(ids)), ids]
    )


@pytest.mark.parametrize("piece", [1, 7, 16, 37])
def test_how_a_text_is_cut_changes_nothing(opened: Open, ids: Ids, piece: int) -> None:
    whole = opened().read(ids).distributions()
    cut = read_in(opened(), ids, range(piece, len(ids), piece))
    assert_same(whole, cut, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("place", [0, 37, 64])
def test_later_words_change_no_earlier_forecast(
    opened: Open, ids: Ids, place: int, size: int
) -> None:
    changed = ids.copy()
    changed[place:] = (changed[place:] + 3) % size
    one, other = (opened().read(text).distributions() for text in (ids, changed))
    for first, second in (
        (one.log_probabilities, other.log_probabilities),
        (one.gate_features, other.gate_features),
    ):
        np.testing.assert_allclose(first[:place], second[:place], atol=1e-5, rtol=1.3e-6)
    assert not np.allclose(one.log_probabilities[place], other.log_probabilities[place])


@pytest.mark.parametrize("rows", [slice(0, 1), slice(3, 40), slice(40, None), slice(69, None)])
def test_some_rows_are_as_they_are_among_all(opened: Open, ids: Ids, rows: slice) -> None:
    readout = opened().read(ids)
    every, some = readout.distributions(), readout.distributions(rows)
    assert_same(
        some,
        Distributions(
            every.probabilities[rows], every.gate_features[rows], every.log_probabilities[rows]
        ),
    )
    np.testing.assert_allclose(
        some.unmixed.log_probabilities, every.unmixed.log_probabilities[rows], atol=1e-5, rtol=1e-5
    )


def test_what_is_computed_after_reading_on_is_the_same(opened: Open, ids: Ids) -> None:
    early, late = opened(), opened()
    early.read(ids[:21])
    wanted = early.read(ids[21:40]).distributions()
    late.read(ids[:21])
    readout = late.read(ids[21:40])
    late.read(ids[40:])
    assert_same(readout.distributions(), wanted)
    # asking once does not use it up
    assert_same(readout.distributions(), wanted)


@pytest.mark.parametrize("place", [0, 1, 16, 21])
def test_forks_read_on_by_themselves(opened: Open, ids: Ids, place: int, size: int) -> None:
    before, text = ids[:place], ids[place:]
    other = (text + 3) % size
    wanted = [opened(), opened()]
    result = [opened()]
    for decoder in (*wanted, *result):
        if place:
            decoder.read(before)
    result.append(result[0].fork())
    assert type(result[1]) is type(result[0])
    # they take turns, and neither notices the other
    for here in (slice(0, 5), slice(5, 30), slice(30, None)):
        for words, alone, fork in zip((text, other), wanted, result, strict=True):
            assert_same(
                fork.read(words[here]).distributions(), alone.read(words[here]).distributions()
            )


def test_a_fork_of_a_fork_is_where_they_were(opened: Open, ids: Ids) -> None:
    decoder, alone = opened(), opened()
    decoder.read(ids[:20])
    second = decoder.fork().fork()
    decoder.read(ids[30:])
    alone.read(ids[:20])
    assert_same(second.read(ids[20:]).distributions(), alone.read(ids[20:]).distributions())


def seen_by(
    distributions: Distributions, targets: Ids, here: slice
) -> tuple[NDArray[np.float32], Ids, slice]:
    """All that a measure of a stream is given."""
    return distributions.log_probabilities, targets, here


def test_every_word_is_foreseen_once_the_first_from_an_end(
    make_network: MakeNetwork, ids: Ids, size: int
) -> None:
    loaded = make_network()
    stored = ids.astype(np.uint16)
    seen = list(score_stream(loaded.network_decoder().read, stored, size, seen_by))
    np.testing.assert_array_equal(np.concatenate([targets for _, targets, _ in seen]), ids)
    np.testing.assert_array_equal(
        np.concatenate([np.arange(len(ids))[here] for _, _, here in seen]), np.arange(len(ids))
    )
    alone = loaded.network_decoder().read(np.concatenate([[END_ID], ids[:-1]]))
    for log_probabilities, targets, here in seen:
        np.testing.assert_array_equal(targets, ids[here])
        wanted = alone.distributions(here).log_probabilities
        np.testing.assert_array_equal(log_probabilities, wanted)
    assert list(score_stream(loaded.network_decoder().read, stored[:0], size, seen_by)) == []


def test_a_walk_in_small_steps_is_the_same_walk(
    make_network: MakeNetwork, ids: Ids, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = make_network()
    whole = list(score_stream(loaded.network_decoder().read, ids, size, seen_by))
    monkeypatch.setattr(base, "CHUNK_NUMBERS", 9 * size)
    steps = list(score_stream(loaded.network_decoder().read, ids, size, seen_by))
    assert [len(targets) for _, targets, _ in steps] == [9] * 7 + [7]
    np.testing.assert_array_equal(np.concatenate([targets for _, targets, _ in steps]), ids)
    result, wanted = (np.concatenate([rows for rows, _, _ in each]) for each in (steps, whole))
    np.testing.assert_allclose(result, wanted, atol=1e-5, rtol=1.3e-6)


def test_fewer_words_are_read_at_once_the_larger_the_vocabulary() -> None:
    assert tokens_per_chunk(10) == base.CHUNK_TOKENS
    assert tokens_per_chunk(1_000_000) == 8
    assert tokens_per_chunk(10**9) == 1


def test_distributions_take_no_memory_once_they_are_used() -> None:
    """Some of 100 MB are computed a second: none may wait for a garbage collection."""
    gc.disable()
    try:
        alone = softmax_distributions(np.zeros((2, 5), dtype=np.float32))
        mixed = Distributions(alone.probabilities, alone.gate_features, unmixed=alone.unmixed)
        references = [weakref.ref(alone), weakref.ref(mixed)]
        del alone, mixed
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()
