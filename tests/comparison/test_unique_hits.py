"""Words that one model alone gets, on a text of nine words worked out by hand."""

import math

import numpy as np
import pytest

from nextword.comparison.unique_hits import WordHits, find_unique_hits
from nextword.inference.scoring import TokenScores

VOCABULARY = ["<unk>", "<eos>", "the", "cat", "sat", ","]
TEXT = ["the", "cat", "sat", "<eos>", "the", "cat", ",", "zebra", "cat"]
SPACED = np.array([True, True, False, False, True, False, True, True, False])


def places(ranks: list[int], result: list[float]) -> TokenScores:
    ids = np.array([VOCABULARY.index(w) if w in VOCABULARY else 0 for w in TEXT])
    zeros = np.zeros(len(ids))
    return TokenScores(
        ids=ids,
        surprisals=-np.log(np.array(result)).astype(np.float32),
        ranks=np.array(ranks, dtype=np.int32),
        confidences=zeros.astype(np.float32),
        best=zeros.astype(np.int32),
        spellings=zeros,
        lengths=np.array([len(word) for word in TEXT]),
        spaced=SPACED,
    )


ONE = places([1, 1, 2, 1, 2, 1, 1, 1, 1], [0.4, 0.5, 0.1, 0.9, 0.1, 0.8, 0.9, 0.9, 0.3])
OTHER = places([1, 2, 1, 2, 1, 2, 2, 2, 2], [0.4, 0.2, 0.3, 0.1, 0.2, 0.1, 0.2, 0.1, 0.25])


def test_what_one_has_first_and_no_other() -> None:
    first, second = find_unique_hits([ONE, OTHER], [VOCABULARY, VOCABULARY], TEXT, SPACED)
    # cat three times, an end and a comma; that the zebra is unknown is no merit
    assert first.tokens == 5 and first.share == pytest.approx(5 / 9)
    assert first.words == [WordHits("cat", 3, 0)]
    assert second.words == [WordHits("sat", 1, 0), WordHits("the", 1, 0)] and second.tokens == 2
    # the greatest ratio, each word once; words before it from its own paragraph
    (example,) = first.examples
    assert (example.before, example.word) == ("the ", "cat")
    assert (example.probability, example.others) == pytest.approx((0.8, 0.1))
    assert [hit.before for hit in second.examples] == ["the cat ", ""]


def test_of_three_the_best_other_counts_and_shared_words_are_nobodys() -> None:
    none = places([2] * 9, [0.05] * 9)
    third = places([1, 1, 2, 2, 2, 2, 2, 2, 2], [0.4, 0.5] + [0.05] * 7)
    found = find_unique_hits([ONE, OTHER, third, none], [VOCABULARY] * 4, TEXT, SPACED)
    assert [each.tokens for each in found] == [4, 2, 0, 0]
    assert found[2].words == [] and found[2].examples == []
    assert found[0].words == [WordHits("cat", 2, 0)]


def test_a_word_that_was_impossible_to_the_others_is_the_first_example() -> None:
    nothing = places([2] * 9, [1e-300] * 5 + [0.5] * 4)
    nothing.surprisals[1] = math.inf
    (first, _) = find_unique_hits([ONE, nothing], [VOCABULARY] * 2, TEXT, SPACED)
    assert first.examples[0].others == 0 and first.examples[0].word == "cat"
