from __future__ import annotations

import numpy as np

from nextword.ngram.counting import count_grams

END, A, B, C = 1, 2, 3, 4


def counted(ids: list[int], order: int) -> list[dict[tuple[int, ...], int]]:
    """The n-grams of each length, spelled out, with their adjusted counts."""
    found: list[dict[tuple[int, ...], int]] = []
    spelled: list[tuple[int, ...]] = [()]
    for grams, contexts in count_grams(np.array(ids, dtype=np.uint16), 5, order):
        assert contexts == len(spelled)
        columns = zip(grams.parents.tolist(), grams.words.tolist(), strict=True)
        spelled = [(*spelled[parent], word) for parent, word in columns]
        assert spelled == sorted(set(spelled))
        found.append(dict(zip(spelled, grams.counts.tolist(), strict=True)))
    return found


def test_the_longest_are_counted_and_the_shorter_by_what_stands_before() -> None:
    ones, twos, threes = counted([A, B, A, B, END, B, A, B, END], 3)
    # before an A stand a line's begin and B; before a B A and a line's begin; before the end B
    assert ones == {(0,): 0, (END,): 1, (A,): 2, (B,): 2, (C,): 0}
    assert twos == {
        (END, A): 1,  # at the begin of a line: the times it occurs
        (END, B): 1,
        (A, B): 2,
        (B, A): 2,
        (B, END): 1,
    }
    assert threes == {
        (END, A, B): 1,
        (END, B, A): 1,
        (A, B, A): 1,
        (A, B, END): 2,
        (B, A, B): 2,
    }


def test_begins_of_lines_are_counted_by_occurrence() -> None:
    ones, twos, threes = counted([A, B, END, A, B, END, A, C, END], 3)
    assert twos[END, A] == 3
    assert ones[A,] == 1
    assert twos[A, B] == 1
    assert threes[END, A, B] == 2


def test_nothing_reaches_across_an_end() -> None:
    ones, twos, threes, fours = counted([A, END, END, B], 4)
    assert ones == {(0,): 0, (END,): 2, (A,): 1, (B,): 1, (C,): 0}
    assert twos == {(END, END): 1, (END, A): 1, (END, B): 1, (A, END): 1}
    assert threes == {(END, A, END): 1}
    assert fours == {}


def test_single_words_alone_are_counted_by_occurrence() -> None:
    assert counted([A, A, END], 1) == [{(0,): 0, (END,): 1, (A,): 2, (B,): 0, (C,): 0}]
    assert counted([], 2) == [dict.fromkeys([(0,), (END,), (A,), (B,), (C,)], 0), {}]
