"""The cache against the formula of Grave, Joulin and Usunier (2017), written out."""

import math

import pytest
import torch

from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import Distributions

WORDS, PLACES, FEATURES = 9, 40, 5


@pytest.fixture
def text() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, features of each place, and a forecast for places that have nothing before them."""
    draw = torch.Generator().manual_seed(8)
    ids = torch.randint(0, WORDS, (PLACES,), generator=draw)
    features = torch.randn(PLACES, FEATURES, generator=draw)
    return ids, features, torch.randn(PLACES, WORDS, generator=draw).log_softmax(1)


def slow_cache(
    ids: torch.Tensor, features: torch.Tensor, settings: CacheSettings
) -> list[list[float] | None]:
    """After each word, the share of every word; None before anything is kept."""
    rows: list[list[float] | None] = []
    for t in range(len(ids)):
        shares = [0.0] * WORDS
        earlier = range(t)[-settings.size :]
        for i in earlier:
            alike = sum((features[t, k] * features[i, k]).item() for k in range(FEATURES))
            shares[int(ids[i + 1])] += math.exp(settings.sharpness * alike)
        rows.append([share / sum(shares) for share in shares] if earlier else None)
    return rows


@pytest.mark.parametrize("size", [1, 6, 1000])
@pytest.mark.parametrize("sharpness", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("piece", [1, 7, PLACES])
def test_shares_are_those_of_the_formula(
    text: tuple[torch.Tensor, torch.Tensor, torch.Tensor], size: int, sharpness: float, piece: int
) -> None:
    ids, features, without = text
    settings = CacheSettings(size, sharpness)
    cache = Cache(settings, WORDS)
    pieces = [
        cache.read(*parts)
        for parts in zip(
            *(torch.split(part, piece) for part in (ids, features, without)), strict=True
        )
    ]
    result = Distributions(*(torch.cat(parts) for parts in zip(*pieces, strict=True)))
    first, *wanted = slow_cache(ids, features, settings)
    assert first is None
    assert torch.equal(result.log_probabilities[0], without[0])
    torch.testing.assert_close(
        result.log_probabilities[1:].exp(), torch.tensor(wanted), atol=1e-5, rtol=1e-4
    )
    kept = torch.arange(PLACES).clamp_max(size)
    greatest = result.log_probabilities.max(1).values
    torch.testing.assert_close(result.gate_features, torch.stack([greatest, kept.log1p()], 1))


def test_a_word_that_did_not_come_has_no_share(
    text: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    ids, features, without = text
    result = Cache(CacheSettings(), WORDS + 1).read(
        ids, features, torch.nn.functional.pad(without, (0, 1), value=-9.0)
    )
    assert (result.log_probabilities[1:, WORDS] == -math.inf).all()
    # nor has the first word of a text, which has no place before it
    once = Cache(CacheSettings(), WORDS).read(torch.arange(4), features[:4], without[:4])
    assert (once.log_probabilities[1:, 0] == -math.inf).all()


@pytest.mark.parametrize("value", [1e30, math.inf, math.nan])
def test_features_too_large_to_compare_leave_the_forecast_as_it_is(
    text: tuple[torch.Tensor, torch.Tensor, torch.Tensor], value: float
) -> None:
    ids, features, without = text
    features = features.clone()
    features[20:23] = value
    result = Cache(CacheSettings(size=3), WORDS).read(ids, features, without)
    assert not result.log_probabilities.isnan().any()
    assert torch.equal(result.log_probabilities[21:23], without[21:23])
    torch.testing.assert_close(result.log_probabilities.exp().sum(1), torch.ones(PLACES))
    assert not torch.equal(result.log_probabilities[30:], without[30:])
