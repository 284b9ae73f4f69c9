"""The likeliest words: exactly k, the likeliest first, equal ones in the vocabulary's order."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from nextword.inference.sampling import top_words

PROBABILITIES = torch.tensor([0.4, 0.1, 0.2, 0.1, 0.2])
EVERY = torch.ones(5, dtype=torch.bool)


def test_the_likeliest_comes_first_with_its_probability() -> None:
    found = top_words(torch.tensor([0.25, 0.5, 0.125, 0.125]), torch.ones(4).bool(), 2)
    assert found == [(1, 0.5), (0, 0.25)]


def test_equal_ones_stand_in_order_of_their_ids_and_k_is_exact() -> None:
    assert [i for i, _ in top_words(PROBABILITIES, EVERY, 4)] == [0, 2, 4, 1]
    assert [i for i, _ in top_words(torch.full((300,), 1 / 300), torch.ones(300).bool(), 7)] == [
        *range(7)
    ]


def test_only_allowed_words_are_named() -> None:
    allowed = torch.tensor([False, True, False, True, True])
    assert [i for i, _ in top_words(PROBABILITIES, allowed, 5)] == [4, 1, 3]
    assert top_words(PROBABILITIES, ~EVERY, 3) == []


def test_k_below_one_gives_nothing() -> None:
    assert top_words(PROBABILITIES, EVERY, 0) == top_words(PROBABILITIES, EVERY, -2) == []


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 40),
)
def test_agrees_with_sorting_everything(places: list[tuple[int, bool]], k: int) -> None:
    probabilities = torch.tensor([float(weight) for weight, _ in places])
    allowed = torch.tensor([may for _, may in places])
    wanted = sorted(
        (i for i, (_, may) in enumerate(places) if may), key=lambda i: (-places[i][0], i)
    )
    assert [i for i, _ in top_words(probabilities, allowed, k)] == wanted[:k]
