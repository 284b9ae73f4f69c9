"""Differences between models, against cases worked out by hand."""

import math

import numpy as np
import pytest

from nextword.comparison.paired import Change, bits_by_letter, bits_change, perplexity_change
from nextword.evaluation.places import Places


def places(words: list[int], bits: list[float], letters: list[int]) -> Places:
    count = len(words)
    nats = np.array(bits, dtype=np.float32) * math.log(2)
    zeros = np.zeros(count)
    return Places(
        words=np.array(words),
        surprisals=nats.astype(np.float32),
        ranks=np.ones(count, np.int32),
        confidences=zeros.astype(np.float32),
        saved=np.zeros(count, np.int32),
        spellings=zeros,
        letters=np.array(letters),
        spaced=np.ones(count, np.bool_),
    )


def test_a_tenth_more_perplexity_at_every_place() -> None:
    nats = np.random.default_rng(1).uniform(0, 8, 2000)
    found = perplexity_change(nats + math.log(1.1), nats)
    assert found.share == pytest.approx(0.1)
    assert found.standard_error == pytest.approx(0, abs=1e-12)
    assert found.sign == 1 and perplexity_change(nats, nats + math.log(1.1)).sign == -1


def test_the_error_is_that_of_the_difference_and_not_of_the_text() -> None:
    draw = np.random.default_rng(2)
    nats, noise = draw.uniform(0, 8, 5000), draw.normal(0, 0.1, 5000)
    found = perplexity_change(nats + noise, nats)
    assert found.standard_error == pytest.approx(0.1 / math.sqrt(5000), rel=0.3)
    assert perplexity_change(nats[:500] + noise[:500], nats[:500]).standard_error is None


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (Change(0.1, 0.04), 1),
        (Change(-0.1, 0.04), -1),
        (Change(0.1, 0.06), 0),
        (Change(0.5, None), 0),
        (Change(0.0, 0.0), 0),
    ],
)
def test_only_what_is_beyond_two_errors_is_sure(change: Change, sign: int) -> None:
    assert change.sign == sign


def test_bits_are_spread_over_letters_and_ends_count_with_the_last() -> None:
    one = places([1, 5, 1, 1, 6], [0.5, 6.0, 2.0, 1.0, 4.0], [0, 3, 0, 0, 2])
    assert bits_by_letter(one).tolist() == pytest.approx([2.5, 2.0, 5.0, 2.0, 2.0])
    assert len(bits_by_letter(places([1], [3.0], [0]))) == 0


def test_texts_split_otherwise_are_compared_letter_by_letter() -> None:
    # "don't" as one word of 5 letters, and as three of 3, 1 and 1
    whole = places([5] * 600, [8.0] * 600, [5] * 600)
    parts = places([6, 7, 8] * 600, [5.0, 1.0, 4.0] * 600, [3, 1, 1] * 600)
    found = bits_change(parts, whole)
    assert found.share == pytest.approx(0.25)
    assert found.standard_error == pytest.approx(0, abs=1e-12) and found.sign == 1
    assert bits_change(whole, parts).share == pytest.approx(-0.2)
