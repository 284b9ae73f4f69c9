"""Bands and the costliest words, counted by hand."""

import math

import numpy as np
import pytest

from nextword.evaluation.breakdown import by_frequency, by_position, costliest, positions

LN2 = math.log(2)


def test_positions_begin_anew_behind_each_end() -> None:
    assert positions(np.array([5, 6, 1, 1, 7, 8, 9])).tolist() == [1, 2, 3, 1, 1, 2, 3]
    assert positions(np.array([], dtype=np.int64)).tolist() == []


def test_by_frequency_by_hand() -> None:
    counts = np.array([500, 2000, 1, 9, 10, 0])
    words = np.array([0, 1, 2, 3, 4, 5, 3])
    bits = np.array([1.0, 2.0, 3.0, 5.0, 6.0, 4.0, 4.0])
    result = by_frequency(words, bits * LN2, counts)
    assert [band.band for band in result] == ["unknown", "1-9", "10-99", "100-999", "1000+"]
    assert [band.tokens for band in result] == [1, 4, 1, 0, 1]
    # the unknown word's own count is no matter; a known word counts as read once at least
    assert result[0].perplexity == pytest.approx(2)
    assert result[1].perplexity == pytest.approx(2 ** ((3 + 5 + 4 + 4) / 4))
    assert result[2].perplexity == pytest.approx(64)
    assert math.isnan(result[3].perplexity) and result[3].standard_error is None
    assert result[4].perplexity == pytest.approx(4)


def test_by_position_by_hand() -> None:
    words = np.array([2] * 59 + [1] + [3, 1])
    bits = np.concatenate([np.arange(60), [10, 21]])
    result = {band.band: band for band in by_position(words, bits * LN2)}
    assert list(result) == ["1", "2-5", "6-10", "11-20", "21-50", "51+"]
    assert [band.tokens for band in result.values()] == [2, 5, 5, 10, 30, 10]
    assert result["1"].perplexity == pytest.approx(2**5)
    assert result["2-5"].perplexity == pytest.approx(2 ** ((1 + 2 + 3 + 4 + 21) / 5))
    assert result["51+"].perplexity == pytest.approx(2**54.5)


def test_bands_have_standard_errors_where_the_text_is_long_enough() -> None:
    # paragraphs of two words; the first costs 1 bit in one half of the text, 3 in the other
    words = np.tile([2, 1], 1000)
    bits = np.stack([np.repeat([1, 3], 500), np.full(1000, 7)], 1).ravel()
    result = by_position(words, bits * LN2)
    assert result[0].perplexity == pytest.approx(4)
    # forty blocks, each a bit away from the mean
    assert result[0].standard_error == pytest.approx(4 * LN2 / math.sqrt(39))
    assert result[1].standard_error == pytest.approx(0, abs=1e-9)


def test_the_costliest_words_come_first() -> None:
    words = np.array([3, 4, 3, 5, 4, 3])
    bits = np.array([1.0, 2.0, 1.5, 9.0, 2.25, 2.0])
    vocabulary = ["<unk>", "<eos>", "never", "often", "twice", "once"]
    result = costliest(words, bits * LN2, vocabulary)
    assert [(cost.word, cost.times) for cost in result] == [("once", 1), ("often", 3), ("twice", 2)]
    assert [cost.bits for cost in result] == pytest.approx([9, 4.5, 4.25])
    assert [cost.mean_bits for cost in result] == pytest.approx([9, 1.5, 2.125])
    assert [cost.word for cost in costliest(words, bits, vocabulary, most=1)] == ["once"]
