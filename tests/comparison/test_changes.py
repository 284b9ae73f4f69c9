"""Differences between models, against cases worked out by hand."""

import math

import numpy as np
import pytest

from nextword.comparison.comparison import bits_by_letter, bits_change
from nextword.inference.scoring import TokenScores
from nextword.statistics import Change, perplexity_change


def places(words: list[int], bits: list[float], letters: list[int]) -> TokenScores:
    count = len(words)
    nats = np.array(bits, dtype=np.float32) * math.log(2)
    zeros = np.zeros(count)
    return TokenScores(
        ids=np.array(words),
        surprisals=nats.astype(np.float32),
        ranks=np.ones(count, np.int32),
        confidences=zeros.astype(np.float32),
        best=np.zeros(count, np.int32),
        spellings=zeros,
        lengths=np.array(letters),
        spaced=np.ones(count, np.bool_),
    )


def test_a_tenth_more_perplexity_at_every_place() -> None:
    nats = np.random.default_rng(1).uniform(0, 8, 2000)
    change = perplexity_change(nats + math.log(1.1), nats)
    assert change.share == pytest.approx(0.1)
    assert change.standard_error == pytest.approx(0, abs=1e-12)
    assert change.sign == 1 and perplexity_change(nats, nats + math.log(1.1)).sign == -1


def test_the_error_is_that_of_the_difference_and_not_of_the_text() -> None:
    draw = np.random.default_rng(2)
    nats, noise = draw.uniform(0, 8, 5000), draw.normal(0, 0.1, 5000)
    change = perplexity_change(nats + noise, nats)
    assert change.standard_error == pytest.approx(0.1 / math.sqrt(5000), rel=0.3)
    assert perplexity_change(nats[:500] + noise[:500], nats[:500]).standard_error is None


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (Change(0.1, 0.04), 1),
        (Change(-0.1, 0.04), -1),
        (Change(0.1, 0.06), 0),
        (Change(0.5, None), 0),
        (Change(0.0, 0.0), 0),
        (Change(900.0, 1.0), 1),
    ],
)
def test_only_what_is_beyond_two_errors_is_sure(change: Change, sign: int) -> None:
    assert change.sign == sign


def test_a_change_is_told_as_a_share_with_the_error_of_that() -> None:
    half = Change(math.log(0.5), 0.01)
    assert half.share == pytest.approx(-0.5) and half.standard_error == pytest.approx(0.005)
    assert math.isfinite(Change(900.0, 1.0).share)
    # against many texts: the spread of what is found is the error that is told
    draw = np.random.default_rng(4)
    nats = draw.uniform(0, 8, (200, 3000))
    noise = draw.normal(0.5, 3, nats.shape)
    changes = [perplexity_change(one, other) for one, other in zip(nats + noise, nats, strict=True)]
    errors = [change.standard_error for change in changes if change.standard_error is not None]
    assert len(errors) == len(changes)
    spread = np.std([change.share for change in changes])
    assert np.mean(errors) == pytest.approx(spread, rel=0.15)


def test_what_is_sure_of_one_is_sure_of_the_other() -> None:
    draw, signs = np.random.default_rng(6), set()
    for _ in range(300):
        nats, noise = draw.uniform(0, 8, 1000), draw.normal(0.25, 4, 1000)
        change, reverse = (
            perplexity_change(nats + noise, nats),
            perplexity_change(nats, nats + noise),
        )
        assert change.sign == -reverse.sign
        signs.add(change.sign)
        bits = [np.exp(draw.normal(mean, 1, 1000)).tolist() for mean in (1.0, 1.1)]
        one, other = (places([5] * 1000, sample, [4] * 1000) for sample in bits)
        assert bits_change(one, other).sign == -bits_change(other, one).sign
        assert bits_change(one, other).log == pytest.approx(-bits_change(other, one).log)
    assert signs == {0, 1}


def test_the_error_of_bits_is_that_of_blocks_of_words() -> None:
    draw, changes = np.random.default_rng(7), []
    for _ in range(200):
        hard = np.repeat(draw.uniform(2, 10, 80), 25)  # where one finds it hard the other does
        one, other = (
            places([5] * 2000, (hard * draw.uniform(0.8, 1.2, 2000)).tolist(), [4] * 2000)
            for _ in range(2)
        )
        changes.append(bits_change(one, other))
    errors = [change.standard_error for change in changes if change.standard_error is not None]
    assert len(errors) == len(changes)
    spread = np.std([change.share for change in changes])
    assert np.mean(errors) == pytest.approx(spread, rel=0.15)
    short = places([5] * 749, [8.0] * 749, [9] * 749)
    assert bits_change(short, short).standard_error is None


def test_bits_are_spread_over_letters_and_ends_count_with_the_last() -> None:
    one = places([1, 5, 1, 1, 6], [0.5, 6.0, 2.0, 1.0, 4.0], [0, 3, 0, 0, 2])
    assert bits_by_letter(one).tolist() == pytest.approx([2.5, 2.0, 5.0, 2.0, 2.0])
    assert len(bits_by_letter(places([1], [3.0], [0]))) == 0


def test_texts_split_otherwise_are_compared_letter_by_letter() -> None:
    # "don't" as one word of 5 letters, and as three of 3, 1 and 1
    whole = places([5] * 900, [8.0] * 900, [5] * 900)
    parts = places([6, 7, 8] * 900, [5.0, 1.0, 4.0] * 900, [3, 1, 1] * 900)
    change = bits_change(parts, whole)
    assert change.share == pytest.approx(0.25)
    assert change.standard_error == pytest.approx(0, abs=1e-12) and change.sign == 1
    assert bits_change(whole, parts).share == pytest.approx(-0.2)
