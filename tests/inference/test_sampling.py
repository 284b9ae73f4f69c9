"""Top-k words and the filtered distribution, against cases worked out by hand; and sampling."""

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.errors import ConfigError, ModelError
from nextword.inference.sampling import Sampling, draw, filtered, top_words

ALL = Sampling(top_p=1.0)


def cut(shares: list[float], sampling: Sampling, barred: int | None = None) -> list[float]:
    allowed = np.ones(len(shares), dtype=np.bool_)
    if barred is not None:
        allowed[barred] = False
    with np.errstate(divide="ignore"):
        log_probabilities = np.log(np.array(shares, dtype=np.float32))
    found = filtered(log_probabilities, allowed, sampling)
    assert found.dtype == np.float64
    return [float(share) for share in found]


def test_without_settings_it_is_the_models_own_distribution() -> None:
    assert cut([0.1, 0.6, 0.3], ALL) == pytest.approx([0.1, 0.6, 0.3])


def test_what_is_barred_hands_its_share_to_the_others_in_proportion() -> None:
    assert cut([0.5, 0.2, 0.3], ALL, barred=0) == pytest.approx([0, 0.4, 0.6])


@pytest.mark.parametrize(
    ("temperature", "wanted"),
    [
        (0.5, [0.0625 / 0.375, 0.25 / 0.375, 0.0625 / 0.375]),  # squares
        (2.0, [0.5 / (1 + 0.5**0.5), 0.5**0.5 / (1 + 0.5**0.5), 0.5 / (1 + 0.5**0.5)]),  # roots
    ],
)
def test_temperature_is_a_power_of_the_probabilities(
    temperature: float, wanted: list[float]
) -> None:
    assert cut([0.25, 0.5, 0.25], Sampling(temperature, top_p=1)) == pytest.approx(wanted)


def test_temperature_zero_is_the_likeliest_the_first_of_equals() -> None:
    assert cut([0.2, 0.4, 0.4], Sampling(0)) == [0, 1, 0]
    assert cut([0.2, 0.4, 0.4], Sampling(0), barred=1) == [0, 0, 1]
    assert cut([0.2, 0.5, 0.3], Sampling(1e-300, top_p=1)) == [0, 1, 0]
    assert cut([0.2, 0.5, 0.3], Sampling(1e9, top_p=1)) == pytest.approx([1 / 3] * 3)


def test_top_k_keeps_that_many_even_of_equals() -> None:
    assert cut([0.1, 0.4, 0.3, 0.2], Sampling(top_k=2, top_p=1)) == pytest.approx(
        [0, 4 / 7, 3 / 7, 0]
    )
    assert cut([0.25] * 4, Sampling(top_k=3, top_p=1)) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert cut([0.5, 0.5], Sampling(top_k=99, top_p=1)) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("top_p", "wanted"),
    [
        (1e-9, [0, 1, 0, 0]),
        (0.49, [0, 1, 0, 0]),
        (0.51, [0, 0.625, 0.375, 0]),
        (0.79, [0, 0.625, 0.375, 0]),
        (0.81, [0, 0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95]),
        (0.96, [0.05, 0.5, 0.3, 0.15]),
    ],
)
def test_the_nucleus_is_the_fewest_words_that_reach_top_p(
    top_p: float, wanted: list[float]
) -> None:
    assert cut([0.05, 0.5, 0.3, 0.15], Sampling(top_p=top_p)) == pytest.approx(wanted)


def test_the_nucleus_is_that_of_the_words_which_top_k_and_temperature_leave() -> None:
    shares = [0.4, 0.3, 0.2, 0.1]
    # of two words the first has 4/7
    assert cut(shares, Sampling(top_k=2, top_p=0.5)) == [1, 0, 0, 0]
    assert cut(shares, Sampling(top_p=0.5)) == pytest.approx([4 / 7, 3 / 7, 0, 0])
    # squared they are 16, 9, 4 and 1 of 30
    assert cut(shares, Sampling(0.5, top_p=0.5)) == [1, 0, 0, 0]


@pytest.mark.parametrize("shares", [[math.nan, 0.5], [0.0, 0.0]])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_forecast_without_probabilities_is_a_damaged_model(
    shares: list[float], temperature: float
) -> None:
    with pytest.raises(ModelError, match="damaged"):
        cut(shares, Sampling(temperature))
    with pytest.raises(ModelError, match="damaged"):
        cut([1.0, 0.0], Sampling(temperature), barred=0)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_k": 0},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_p": math.nan},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings)).replace("_", "-")):
        Sampling(**settings)  # type: ignore[arg-type]


def test_words_are_drawn_as_often_as_they_are_likely() -> None:
    chance = random.Random(1)
    shares = np.array([0.0, 0.2, 0.0, 0.7, 0.1, 0.0])
    seen = Counter(draw(shares, chance) for _ in range(4000))
    assert set(seen) == {1, 3, 4}
    for word, count in seen.items():
        assert count / 4000 == pytest.approx(float(shares[word]), abs=0.03)


def test_rounding_leads_to_no_word_without_a_share() -> None:
    class Extreme(random.Random):
        def __init__(self, value: float) -> None:
            super().__init__(0)
            self.value = value

        def random(self) -> float:
            return self.value

    shares = np.array([0.0, 0.5, 0.5, 0.0])
    assert draw(shares, Extreme(0.0)) == 1
    assert draw(shares, Extreme(1.0)) == 2


PROBABILITIES = np.array([0.4, 0.1, 0.2, 0.1, 0.2], dtype=np.float32)
ALL_WORDS = np.ones(5, dtype=np.bool_)
ALL_IDS = np.arange(len(ALL_WORDS))


def test_the_likeliest_comes_first_with_its_probability() -> None:
    top = top_words(np.array([0.25, 0.5, 0.125, 0.125]), np.arange(4), 2)
    assert top == [(1, 0.5), (0, 0.25)]


def test_equal_ones_stand_in_order_of_their_ids_and_k_is_exact() -> None:
    assert [i for i, _ in top_words(PROBABILITIES, ALL_IDS, 4)] == [0, 2, 4, 1]
    even = top_words(np.full(300, 1 / 300), np.arange(300), 7)
    assert [i for i, _ in even] == [*range(7)]


def test_only_candidates_are_named() -> None:
    assert [i for i, _ in top_words(PROBABILITIES, np.array([1, 3, 4]), 5)] == [4, 1, 3]
    assert top_words(PROBABILITIES, np.empty(0, dtype=np.int64), 3) == []


def test_k_below_one_gives_nothing() -> None:
    assert top_words(PROBABILITIES, ALL_IDS, 0) == top_words(PROBABILITIES, ALL_IDS, -2) == []


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 40),
)
def test_agrees_with_sorting_everything(places: list[tuple[int, bool]], k: int) -> None:
    probabilities = np.array([float(weight) for weight, _ in places])
    allowed = np.array([may for _, may in places])
    wanted = sorted(
        (i for i, (_, may) in enumerate(places) if may), key=lambda i: (-places[i][0], i)
    )
    assert [i for i, _ in top_words(probabilities, np.flatnonzero(allowed), k)] == wanted[:k]
