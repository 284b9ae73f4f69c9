"""The vectorised typist presses the keys that a slow one presses."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.evaluation.keystrokes import Typist, most_saved

SPECIAL = ["<unk>", "<eos>"]


def saved(
    words: list[str],
    scores: list[list[float]],
    targets: list[int],
    spaced: list[bool] | None = None,
    suggestions: int = 3,
) -> list[int]:
    """Keys saved at some places, by the scores of all words there."""
    all_scores = np.array(scores)
    likelier = all_scores > all_scores[np.arange(len(targets)), targets][:, None]
    behind = np.array([True] * len(targets) if spaced is None else spaced)
    keys: list[int] = Typist(words, suggestions).saved(likelier, np.array(targets), behind).tolist()
    return keys


@pytest.mark.parametrize(
    ("words", "scores", "word", "wanted"),
    [
        # the second likeliest: chosen before a letter is typed, "tea" and the space for one key
        (["tea", "ten", "the", "was"], [3, 4, 1, 2], "tea", 3),
        # the fourth: a letter has to tell it from the three others
        (["tea", "ten", "the", "was"], [4, 3, 2, 1], "was", 2),
        # three likelier words begin alike up to the last letter
        (["aab", "aac", "aad", "aae"], [4, 3, 2, 1], "aae", 0),
        # a word that another begins with: it never gets a letter of its own
        (["a", "ab", "ac", "ad"], [1, 4, 3, 2], "a", 0),
        (["a", "ab", "ac", "ad"], [2, 4, 3, 1], "a", 1),
    ],
)
def test_examples_counted_by_hand(
    words: list[str], scores: list[float], word: str, wanted: int
) -> None:
    place = 2 + words.index(word)
    # special words are never shown, however likely
    assert saved([*SPECIAL, *words], [[9.0, 9.0, *scores]], [place]) == [wanted]
    # no space stands behind: only letters are saved, and never fewer than none
    without = saved([*SPECIAL, *words], [[9.0, 9.0, *scores]], [place], [False])
    assert without == [max(wanted - 1, 0)]


@pytest.mark.parametrize(("suggestions", "wanted"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_more_suggestions_save_more(suggestions: int, wanted: int) -> None:
    words = [*SPECIAL, "tea", "ten", "the"]
    # two are likelier than "the" and begin with t as well: it has to be typed up to th
    assert saved(words, [[0.0, 0.0, 3, 2, 1]], [4], suggestions=suggestions) == [wanted]


@given(st.data())
def test_agrees_with_the_slow_typist(saved_slowly: Callable[..., int], data: st.DataObject) -> None:
    text = st.text("abé\U0001f993", min_size=1, max_size=4)
    words = [*SPECIAL, *data.draw(st.lists(text, min_size=1, max_size=14, unique=True))]
    shown = data.draw(st.integers(1, 4))
    places = data.draw(st.integers(1, 5))
    scores = [data.draw(st.permutations(range(len(words)))) for _ in range(places)]
    targets = [data.draw(st.integers(0, len(words) - 1)) for _ in range(places)]
    spaced = [data.draw(st.booleans()) for _ in range(places)]
    wanted = [
        saved_slowly(words, row, target, space, shown)
        for row, target, space in zip(scores, targets, spaced, strict=True)
    ]
    assert saved(words, [list(map(float, row)) for row in scores], targets, spaced, shown) == wanted


def test_nothing_is_saved_on_what_is_no_word() -> None:
    words = [*SPECIAL, "word"]
    assert saved(words, [[5.0, 4.0, 3.0]] * 3, [0, 1, 2]) == [0, 0, 4]
    assert saved(SPECIAL, [[0.0, 0.0]] * 2, [0, 1]) == [0, 0]


def test_the_limit_is_one_key_a_word() -> None:
    lengths = np.array([0, 5, 5, 1, 1])
    spaced = np.array([False, True, False, True, False])
    assert most_saved(lengths, spaced).tolist() == [0, 5, 4, 1, 0]
