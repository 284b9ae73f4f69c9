"""The letter model is a probability over all strings, and a good one of words."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.text import spelling
from nextword.text.spelling import letter_probabilities, spelling_surprisals

FEW = ["ab", "aab", "ba", "abab", "bb"]


def last(
    vocabulary: list[str], begun: str, letter: str, characters: int = spelling.UNICODE
) -> float:
    """The probability of a letter, or of the end if it is empty, behind a beginning."""
    result = letter_probabilities(vocabulary, [begun + letter], characters)
    return float(result[len(begun)])


def slowly(vocabulary: list[str], word: str, characters: int) -> list[float]:
    """The letter model as it is written down in books, with sets and dictionaries."""
    longest = spelling.ORDER - 1
    every = Counter[str]()
    for text in (f"^{known}$" for known in vocabulary):
        places = itertools.product(range(len(text)), range(1, len(text)))
        every.update(text[begin : end + 1] for begin, end in places if begin <= end)

    def count(string: str) -> int:
        if len(string) == longest + 1 or string[0] == "^":
            return every[string]
        return sum(1 for longer in every if longer[1:] == string)

    def probability(before: str, letter: str) -> float:
        shorter = probability(before[1:], letter) if before else 1 / (characters + 1)
        follow = {string[-1] for string in every if len(string) == len(before) + 1}
        counts = {each: count(before + each) for each in follow if every[before + each]}
        if not counts:
            return shorter
        kept = max(counts.get(letter, 0) - spelling.DISCOUNT, 0)
        spared = spelling.DISCOUNT * len(counts)
        return (kept + spared * shorter) / sum(counts.values())

    text = f"^{word}$"
    ends = range(1, len(text))
    return [probability(text[max(0, end - longest) : end], text[end]) for end in ends]


@settings(deadline=None)
@given(
    st.lists(st.text("abc", min_size=1, max_size=5), max_size=5, unique=True),
    st.text("abcd", max_size=6),
    st.integers(1, 4),
)
def test_agrees_with_the_slow_letter_model(vocabulary: list[str], word: str, order: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spelling, "ORDER", order)
        result = letter_probabilities(vocabulary, [word], 4)
        assert result.tolist() == pytest.approx(slowly(vocabulary, word, 4), rel=1e-12)


def test_one_word_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "ORDER", 2)
    # learned from "a": behind the beginning stands a, behind a stands the end, each once
    # no letter before: a and the end each follow one kind of letter, 0.75 is taken off each
    uniform = 1 / 11
    alone = (0.25 + 0.75 * 2 * uniform) / 2
    never = 0.75 * 2 * uniform / 2
    result = letter_probabilities(["a"], ["a", "ba"], characters=10)
    behind_begin, behind_a = 0.25 + 0.75 * alone, 0.25 + 0.75 * alone
    # b was never seen, so nothing is known of what follows it
    assert result == pytest.approx([behind_begin, behind_a, 0.75 * never, alone, behind_a])
    words = spelling_surprisals(["a"], ["ba"], characters=10)
    impossible = behind_begin * behind_a + 0.75 * alone  # "a" itself, and no letter at all
    assert words == pytest.approx([-math.log(0.75 * never * alone * behind_a / (1 - impossible))])


@given(st.lists(st.text("ab", min_size=1, max_size=5), max_size=8, unique=True), st.text("abc"))
def test_what_follows_a_beginning_adds_up_to_one(vocabulary: list[str], begun: str) -> None:
    result = sum(last(vocabulary, begun, letter, 3) for letter in ("a", "b", "c", ""))
    assert result == pytest.approx(1)


def test_with_all_of_unicode_too() -> None:
    never = last(FEW, "ab", "\U0001f993")
    seen = sum(last(FEW, "ab", letter) for letter in ("a", "b", ""))
    assert seen + (spelling.UNICODE - 2) * never == pytest.approx(1)
    assert seen > 0.3


def test_strings_that_are_no_words_add_up_to_one() -> None:
    def mass(longest: int) -> float:
        every = (itertools.product("ab", repeat=n) for n in range(1, longest + 1))
        strings = {"".join(letters) for letters in itertools.chain(*every)} - set(FEW)
        return float(np.exp(-spelling_surprisals(FEW, sorted(strings), characters=2)).sum())

    masses = [mass(longest) for longest in (6, 10, 14)]
    assert masses == sorted(masses) and masses[-1] < 1
    # what is missing is spelled with more letters, and less the longer they are
    assert 1 - masses[-1] < 0.2 * (1 - masses[0]) < 0.1


@given(
    st.lists(st.text(min_size=1, max_size=6), max_size=6, unique=True),
    st.lists(st.text(min_size=1), min_size=1, max_size=4),
)
def test_no_word_is_impossible_or_certain(vocabulary: list[str], words: list[str]) -> None:
    strange = [word for word in words if word not in vocabulary] or ["\U0010ffff" * 9]
    result = spelling_surprisals(vocabulary, strange)
    assert result.shape == (len(strange),)
    assert np.isfinite(result).all() and (result > 0).all()


def test_words_do_not_depend_on_those_beside_them() -> None:
    words = ["abba", "c", "baab"]
    together = spelling_surprisals(FEW, words)
    alone = [spelling_surprisals(FEW, [word])[0] for word in words]
    assert together.tolist() == pytest.approx(alone, rel=1e-12)
    assert spelling_surprisals(FEW, []).shape == (0,)


def test_what_is_spelled_like_the_vocabulary_costs_less() -> None:
    vocabulary = [begin + end for begin in ("walk", "talk", "jump") for end in ("ing", "ed", "s")]
    result = spelling_surprisals(vocabulary, ["walkings", "gsnkliwa", "jumpk", "jumpж"]) / math.log(
        2
    )
    assert result[0] < 0.5 * result[1]
    # a letter that no word has is one of a million
    assert result[3] > result[2] and result[3] > 20


def test_kinds_of_letters_before_count_not_times(monkeypatch: pytest.MonkeyPatch) -> None:
    # z stands in four words, always behind y; q in three, behind three letters
    monkeypatch.setattr(spelling, "ORDER", 2)
    vocabulary = ["yz", "ayz", "byz", "cyz", "aq", "bq", "cq"]
    assert last(vocabulary, "x", "q") > 2 * last(vocabulary, "x", "z")
