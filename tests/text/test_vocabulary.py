from __future__ import annotations

import numpy as np

from nextword.text.vocabulary import END, UNKNOWN, Vocabulary

WORDS = ["b", UNKNOWN, "a", END, "c", "rare", "never"]
COUNTS = np.array([3, 4, 3, 10, 7, 1, 0], dtype=np.int64)


def test_order_and_unknown_count() -> None:
    vocabulary = Vocabulary.from_counts(WORDS, COUNTS, max_size=100, min_count=2)
    assert vocabulary.words == (UNKNOWN, END, "c", "a", "b")
    assert vocabulary.counts.tolist() == [4 + 1, 10, 7, 3, 3]
    assert vocabulary.counts.dtype == np.int64
    assert vocabulary.index["a"] == 3
    assert len(vocabulary) == 5


def test_size_counts_the_special_words() -> None:
    vocabulary = Vocabulary.from_counts(WORDS, COUNTS, max_size=3, min_count=1)
    assert vocabulary.words == (UNKNOWN, END, "c")
    assert vocabulary.counts.sum() == COUNTS.sum()


def test_words_never_seen_are_left_out() -> None:
    assert "never" not in Vocabulary.from_counts(WORDS, COUNTS, max_size=9, min_count=1).index


def test_special_words_need_not_be_counted() -> None:
    vocabulary = Vocabulary.from_counts(["x"], np.array([2]), max_size=9, min_count=1)
    assert vocabulary.counts.tolist() == [0, 0, 2]
