"""The cache against the formula of Grave, Joulin and Usunier (2017), written out."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.inference.cache import Cache, CacheSettings
from nextword.inference.decoder import Distributions

WORDS, PLACES, FEATURES = 9, 40, 5

Array = NDArray[np.float32]
Text = tuple[NDArray[np.int64], Array, Array]


@pytest.fixture
def text() -> Text:
    """Ids, features of each place, and a forecast for places that have nothing before them."""
    draw = np.random.default_rng(8)
    ids = draw.integers(0, WORDS, PLACES)
    features = draw.normal(size=(PLACES, FEATURES)).astype(np.float32)
    return ids, features, draw.dirichlet(np.ones(WORDS), PLACES).astype(np.float32)


def network(probabilities: Array) -> Distributions:
    """The forecast of a network, whose own signs do not matter to a cache."""
    return Distributions(probabilities, np.zeros((len(probabilities), 2), dtype=np.float32))


def slow_cache(
    ids: NDArray[np.int64], features: Array, settings: CacheSettings
) -> list[list[float] | None]:
    """After each word, the share of every word; None before anything is kept."""
    rows: list[list[float] | None] = []
    for t in range(len(ids)):
        shares = [0.0] * WORDS
        earlier = range(t)[-settings.size :]
        for i in earlier:
            alike = sum(float(features[t, k]) * float(features[i, k]) for k in range(FEATURES))
            shares[int(ids[i + 1])] += math.exp(settings.sharpness * alike)
        rows.append([share / sum(shares) for share in shares] if earlier else None)
    return rows


@pytest.mark.parametrize("size", [1, 6, 1000])
@pytest.mark.parametrize("sharpness", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("piece", [1, 7, PLACES])
def test_shares_are_those_of_the_formula(
    text: Text, size: int, sharpness: float, piece: int
) -> None:
    ids, features, without = text
    settings = CacheSettings(size, sharpness)
    cache = Cache(settings)
    pieces = []
    for start in range(0, PLACES, piece):
        here = slice(start, start + piece)
        readout = cache.read(ids[here], features[here])
        pieces.append(readout.distributions(slice(None), network(without[here])))
    probabilities = np.concatenate([piece.probabilities for piece in pieces])
    first, *wanted = slow_cache(ids, features, settings)
    assert first is None
    np.testing.assert_array_equal(probabilities[0], without[0])
    np.testing.assert_allclose(probabilities[1:], np.array(wanted), atol=1e-5, rtol=1e-4)
    kept = np.minimum(np.arange(PLACES), size)
    greatest = np.log(probabilities.max(1))
    gate_features = np.concatenate([piece.gate_features for piece in pieces])
    np.testing.assert_allclose(
        gate_features, np.stack([greatest, np.log1p(kept)], 1), atol=1e-5, rtol=1.3e-6
    )


@pytest.mark.parametrize("size", [3, 1000])
def test_some_rows_are_as_they_are_among_all(text: Text, size: int) -> None:
    ids, features, without = text
    cache = Cache(CacheSettings(size))
    cache.read(ids[:15], features[:15])
    readout = cache.read(ids[15:], features[15:])
    every = readout.distributions(slice(None), network(without[15:]))
    for rows in (slice(0, 4), slice(4, 21), slice(24, None)):
        some = readout.distributions(rows, network(without[15:][rows]))
        np.testing.assert_allclose(some.probabilities, every.probabilities[rows], rtol=1e-5)
        np.testing.assert_allclose(some.gate_features, every.gate_features[rows], rtol=1e-5)


def test_a_word_that_did_not_come_has_no_share(text: Text) -> None:
    ids, features, without = text
    wide = np.pad(without, ((0, 0), (0, 1)), constant_values=0.1)
    result = Cache(CacheSettings()).read(ids, features).distributions(slice(None), network(wide))
    assert (result.probabilities[1:, WORDS] == 0).all()
    # nor has the first word of a text, which has no place before it
    once = Cache(CacheSettings()).read(np.arange(4), features[:4])
    shares = once.distributions(slice(None), network(without[:4])).probabilities
    assert (shares[1:, 0] == 0).all()


@pytest.mark.parametrize("value", [1e30, math.inf, math.nan])
def test_features_too_large_to_compare_leave_the_forecast_as_it_is(
    text: Text, value: float
) -> None:
    ids, features, without = text
    features = features.copy()
    features[20:23] = value
    readout = Cache(CacheSettings(size=3)).read(ids, features)
    result = readout.distributions(slice(None), network(without)).probabilities
    assert not np.isnan(result).any()
    np.testing.assert_array_equal(result[21:23], without[21:23])
    np.testing.assert_allclose(result.sum(1), np.ones(PLACES), rtol=1e-5)
    assert not np.array_equal(result[30:], without[30:])
