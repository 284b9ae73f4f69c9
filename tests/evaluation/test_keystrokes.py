"""The vectorised typist presses the keys that a slow one presses."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextword.evaluation.keystrokes import Typist

SPECIAL = ["<unk>", "<eos>"]


@pytest.mark.parametrize(
    ("words", "scores", "word", "saved"),
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
    words: list[str], scores: list[float], word: str, saved: int
) -> None:
    typist = Typist([*SPECIAL, *words])
    target = torch.tensor([2 + words.index(word)])
    # special words are never shown, however likely
    assert typist.saved(torch.tensor([[9.0, 9.0, *scores]]), target) == saved


@given(st.data())
def test_agrees_with_the_slow_typist(saved_slowly: Callable[..., int], data: st.DataObject) -> None:
    text = st.text("abé\U0001f993", min_size=1, max_size=4)
    words = [*SPECIAL, *data.draw(st.lists(text, min_size=1, max_size=14, unique=True))]
    shown = data.draw(st.integers(1, 4))
    places = data.draw(st.integers(1, 5))
    scores = [data.draw(st.permutations(range(len(words)))) for _ in range(places)]
    targets = [data.draw(st.integers(0, len(words) - 1)) for _ in range(places)]
    wanted = sum(
        saved_slowly(words, row, target, shown) for row, target in zip(scores, targets, strict=True)
    )
    typist = Typist(words, shown)
    assert typist.saved(torch.tensor(scores).float(), torch.tensor(targets)) == wanted


def test_nothing_is_saved_on_what_is_no_word() -> None:
    typist = Typist([*SPECIAL, "word"])
    scores = torch.tensor([[5.0, 4.0, 3.0]]).expand(2, 3)
    assert typist.saved(scores, torch.tensor([0, 1])) == 0
    assert typist.saved(scores, torch.tensor([0, 2])) == 4
    assert Typist(SPECIAL).saved(torch.zeros(2, 2), torch.tensor([0, 1])) == 0
