"""Passages by how surprising they are, on a text whose bits were chosen."""

import math

import numpy as np
import pytest

from nextword.inference.scoring import TokenScores
from nextword.report.passages import hardest_passages, ordinary_passage


def text_of(*paragraphs: list[float]) -> tuple[TokenScores, list[str]]:
    """A word a number, which is its bits; an end behind each paragraph but the last."""
    words: list[str] = []
    bits: list[float] = []
    for number, paragraph in enumerate(paragraphs):
        words += [f"w{number}_{i}" for i in range(len(paragraph))] + ["<eos>"]
        bits += [*paragraph, 1.0]
    words, bits = words[:-1], bits[:-1]
    count = len(words)
    places = TokenScores(
        ids=np.array([1 if word == "<eos>" else 2 + i for i, word in enumerate(words)]),
        surprisals=(np.array(bits) * math.log(2)).astype(np.float32),
        ranks=np.arange(1, count + 1, dtype=np.int32),
        confidences=np.zeros(count, np.float32),
        best=np.zeros(count, np.int32),
        spellings=np.zeros(count),
        lengths=np.full(count, 3),
        spaced=np.array([word != "<eos>" for word in words]),
    )
    places.ids[0] = 0  # unknown
    return places, words


def test_the_hardest_come_first_and_short_paragraphs_never() -> None:
    places, words = text_of([3.0] * 20, [15.0] * 11, [5.0] * 12, [9.0] * 30)
    found = hardest_passages(places, words)
    assert [passage.bits for passage in found] == pytest.approx([9.0, 5.0, 3.0])
    assert [word.text for word in found[1].words] == [f"w2_{i}" for i in range(12)]
    assert all(passage.cut == (False, False) for passage in found)
    assert len(hardest_passages(places, words, 2)) == 2
    middling = ordinary_passage(places, words)
    assert middling is not None and middling.bits == pytest.approx(5.0)
    assert ordinary_passage(*text_of([3.0] * 11)) is None


def test_of_a_long_paragraph_the_hardest_stretch_is_told() -> None:
    places, words = text_of([1.0] * 40 + [8.0] * 60 + [1.0] * 40, [2.0] * 100)
    first, second = hardest_passages(places, words)
    assert first.bits == pytest.approx(8.0) and first.cut == (True, True)
    assert (first.words[0].text, first.words[-1].text) == ("w0_40", "w0_99")
    assert len(second.words) == 60 and second.cut == (False, True)


def test_words_tell_their_bits_and_wear_their_shade() -> None:
    bits = [1.0, 3.0, 5.0, 8.0, 12.0, 20.0] * 2
    places, words = text_of(bits)
    (passage,) = hardest_passages(places, words)
    assert [word.shade for word in passage.words] == [0, 1, 2, 3, 4, 5] * 2
    first, second = passage.words[:2]
    assert (
        not first.known and first.description == "1.0 bits, 50.0 %, rank 1, not in the vocabulary"
    )
    assert second.known and second.description == "3.0 bits, 12.5 %, rank 2"
