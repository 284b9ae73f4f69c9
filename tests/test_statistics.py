"""Standard errors where they are known, and where there can be none."""

import math

import numpy as np
import pytest

from nextword.statistics import block_count, standard_error


@pytest.mark.parametrize(
    ("words", "blocks"),
    [(0, 0), (749, 0), (750, 15), (1049, 20), (1050, 21), (2500, 50), (90_000, 50)],
)
def test_blocks_are_fifteen_to_fifty_of_fifty_words_or_more(words: int, blocks: int) -> None:
    assert block_count(words) == blocks


def test_by_hand() -> None:
    # twenty blocks of fifty ones or threes: the mean of the means is 2, each is 1 away from it
    values = np.repeat([1.0, 3.0] * 10, 50)
    assert standard_error(values) == pytest.approx(math.sqrt(20 / 19) / math.sqrt(20))


def test_a_ratio_by_hand() -> None:
    # blocks hold 10 of 20 or 30 of 40: the ratio is 2 / 3, the residues 10/3 less and more
    over = np.zeros((20, 50))
    under = np.zeros((20, 50))
    over[::2, 0], under[::2, 0] = 10, 20
    over[1::2, 3], under[1::2, 3] = 30, 40
    wanted = math.sqrt(20 / 19 * 20 * (10 / 3) ** 2) / 600
    assert standard_error(over.ravel(), under.ravel()) == pytest.approx(wanted)


def test_independent_words_err_like_a_mean() -> None:
    values = np.random.default_rng(1).exponential(size=100_000)
    assert standard_error(values) == pytest.approx(values.std() / math.sqrt(100_000), rel=0.25)


def test_words_that_hang_together_err_more() -> None:
    draws = np.random.default_rng(1).normal(size=1000)
    alone = standard_error(np.tile(draws, 10))
    together = standard_error(np.repeat(draws, 10))
    assert alone is not None and together is not None
    # ten equal neighbours say no more than one word does
    assert together == pytest.approx(draws.std() / math.sqrt(1000), rel=0.25)
    assert alone < 0.6 * together


def test_it_covers_the_truth_as_often_as_it_should() -> None:
    # a chain in which each word is much like the one before; its mean is zero
    draw = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        chain = np.convolve(draw.normal(size=10_039), np.ones(40), "valid")
        error = standard_error(chain)
        assert error is not None
        covered += abs(chain.mean()) < 1.96 * error
    assert 0.88 < covered / 300 < 0.99


def test_nothing_is_said_of_what_is_too_short_or_too_rare() -> None:
    assert standard_error(np.ones(749)) is None
    assert standard_error(np.ones(750)) == 0
    under = np.zeros(1000)
    under[: 14 * 50] = 1
    assert standard_error(under, under) is None
    under[14 * 50] = 1
    assert standard_error(under, under) == 0


def test_places_that_are_no_words_have_blocks_of_so_many_words() -> None:
    letters = np.random.default_rng(3).normal(size=3990)
    assert standard_error(letters, words=749) is None
    fifteen = letters.reshape(15, 266).mean(1)
    wanted = fifteen.std(ddof=1) / math.sqrt(15)
    assert standard_error(letters, words=750) == pytest.approx(wanted)
