"""The letters being typed at the end of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.inference.typed import MOST_CHARACTERS, split_typed
from nextword.text.tokenizer import Tokenizer

WORDS = "the them don’t well-known café 1,000 cat-o’-nine-tails ( ' Andrew".split()
TOKENIZER = Tokenizer(["<unk>", "<eos>", *WORDS], "words", lowercase=False)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("", ""),
        ("the ", ""),
        ("the\n", ""),
        ("the\u3000", ""),
        ("in th", "th"),
        ("in the", "the"),  # may become them
        ("in THE", "THE"),
        ("in don't", "don't"),
        ("don'", "don'"),
        ("a well-k", "well-k"),
        ("a very-well-k", "well-k"),
        ("a well-x", "x"),  # none begins so: the letters alone
        ("in (the", "the"),
        ("in (", ""),
        ("in th,", ""),
        ("it is 1,0", "1,0"),
        ("it is 2,0", "0"),
        ("cafe\u0301", "cafe\u0301"),  # reported as typed, looked up as it is read
        ("the\u200b", "the\u200b"),
        ("zebra", "zebra"),
        ("'th", "th"),
        ("xthe", "xthe"),  # no word begins inside letters
    ],
)
def test_the_letters_are_the_longest_beginning_of_a_word(text: str, letters: str) -> None:
    assert split_typed(TOKENIZER, text) == (text.removesuffix(letters), letters)


def test_no_more_than_the_end_of_a_long_run_is_looked_at() -> None:
    assert split_typed(TOKENIZER, "x" * 1000) == ("x" * (1000 - MOST_CHARACTERS),) + (
        "x" * MOST_CHARACTERS,
    )


@given(st.text(st.sampled_from("thedon’'-k \n\u00e9\u0301\u200b1,0("), max_size=80) | st.text())
def test_the_two_parts_are_the_text(text: str) -> None:
    before, letters = split_typed(TOKENIZER, text)
    assert before + letters == text
    assert len(letters) <= MOST_CHARACTERS and not any(map(str.isspace, letters))
    if letters:
        assert letters[0].isalnum()
    else:
        assert not text or not text[-1].isalnum()
