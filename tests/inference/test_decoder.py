"""What every reading keeps to: it tells probabilities, looks back only, and cuts do not matter."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from nextword.inference import ADAPTATIONS
from nextword.inference import decoder as base
from nextword.inference.cache import CacheSettings
from nextword.inference.decoder import (
    Decoder,
    Distributions,
    NetworkDecoder,
    NgramDecoder,
    score_stream,
    tokens_per_chunk,
)
from nextword.inference.gating import GatingWeights
from nextword.inference.mixture import Mixture, combinations, num_gate_features, open_decoder
from nextword.models.base import LanguageModel
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

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
    *(f"{kind}, dynamic" for kind in NETWORKS),
    *(f"mixture, {adapt}" for adapt in ADAPTATIONS),
    *(f"alone, {adapt}" for adapt in ADAPTATIONS),
    "unweighed, both",
]


def some_weights(order: int) -> dict[str, GatingWeights]:
    """Weights that follow all evidence."""
    draw = torch.Generator().manual_seed(6)
    found = {}
    for names in combinations(order > 0):
        parts, num_features = len(names.split("+")), num_gate_features(names, order)
        slopes, biases = torch.randn(parts, num_features, generator=draw), torch.zeros(parts)
        found[names] = GatingWeights(
            torch.ones(num_features), torch.full((num_features,), 2.0), slopes, biases
        )
    return found


@pytest.fixture(params=READINGS)
def opened(
    request: pytest.FixtureRequest,
    make_network: Callable[..., LanguageModel],
    ngram: NgramModel,
    size: int,
) -> Open:
    """Opens one of the readings at the beginning of a text."""
    kind, _, adapt = request.param.partition(", ")
    if kind == "ngram":
        return lambda: NgramDecoder(ngram, torch.device("cpu"))
    cache = CacheSettings(size=20, sharpness=0.5)
    mixture = {
        "mixture": Mixture(ngram, cache, some_weights(ngram.order)),
        "alone": Mixture(None, cache, some_weights(0)),
        "unweighed": Mixture(ngram, cache),
    }.get(kind, Mixture())
    network = make_network(**NETWORKS.get(kind, {"kind": "gru"}))
    return lambda: open_decoder(network, mixture, size, adapt or "none")


def read_in(decoder: Decoder, ids: torch.Tensor, cuts: Sequence[int]) -> Distributions:
    forecasts = [decoder.read(piece) for piece in torch.split(ids, list(cuts))]
    return Distributions(*(torch.cat(parts) for parts in zip(*forecasts, strict=True)))


def test_each_forecast_sums_to_one(opened: Open, ids: torch.Tensor, size: int) -> None:
    result = opened().read(ids).log_probabilities
    assert result.shape == (len(ids), size)
    torch.testing.assert_close(result.exp().sum(1), torch.ones(len(ids)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("piece", [1, 7, 16, 37])
def test_how_a_text_is_cut_changes_nothing(opened: Open, ids: torch.Tensor, piece: int) -> None:
    whole = opened().read(ids)
    rest = [len(ids) % piece] if len(ids) % piece else []
    cut = read_in(opened(), ids, [piece] * (len(ids) // piece) + rest)
    for one, other in zip(whole, cut, strict=True):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("place", [0, 37, 64])
def test_later_words_change_no_earlier_forecast(
    opened: Open, ids: torch.Tensor, place: int, size: int
) -> None:
    changed = ids.clone()
    changed[place:] = (changed[place:] + 3) % size
    one, other = opened().read(ids), opened().read(changed)
    torch.testing.assert_close(one.log_probabilities[:place], other.log_probabilities[:place])
    torch.testing.assert_close(one.gate_features[:place], other.gate_features[:place])
    assert not torch.allclose(one.log_probabilities[place], other.log_probabilities[place])


def test_every_word_is_foreseen_once_the_first_from_an_end(
    make_network: Callable[..., LanguageModel], ids: torch.Tensor, size: int
) -> None:
    network = make_network()
    stored = ids.numpy().astype(np.uint16)
    (seen,) = score_stream(NetworkDecoder(network), stored, size)
    assert torch.equal(seen.targets, ids)
    before = torch.cat([torch.tensor([END_ID]), ids[:-1]])
    alone = NetworkDecoder(network).read(before)
    assert torch.equal(seen.log_probabilities, alone.log_probabilities)
    assert list(score_stream(NetworkDecoder(network), stored[:0], size)) == []


def test_a_walk_in_small_steps_is_the_same_walk(
    make_network: Callable[..., LanguageModel],
    ids: torch.Tensor,
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = make_network()
    (whole,) = score_stream(NetworkDecoder(network), ids.numpy(), size)
    monkeypatch.setattr(base, "CHUNK_NUMBERS", 9 * size)
    steps = list(score_stream(NetworkDecoder(network), ids.numpy(), size))
    assert [len(step.targets) for step in steps] == [9] * 7 + [7]
    assert torch.equal(torch.cat([step.targets for step in steps]), whole.targets)
    result = torch.cat([step.log_probabilities for step in steps])
    torch.testing.assert_close(result, whole.log_probabilities)


def test_fewer_words_are_read_at_once_the_larger_the_vocabulary() -> None:
    assert tokens_per_chunk(10) == base.CHUNK_TOKENS
    assert tokens_per_chunk(1_000_000) == 8
    assert tokens_per_chunk(10**9) == 1
