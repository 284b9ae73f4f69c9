"""Typed texts cut into the pieces of their tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.text.slices import token_slices
from nextword.text.tokenized import read_prompt
from nextword.text.tokenizer import Kind, Tokenizer

WORDS = "the cat don’t café 1,000 ( ) , . Andrew fi".split()


def slices(text: str, kind: Kind = "words", lowercase: bool = False) -> list[str]:
    tokenizer = Tokenizer(["<unk>", "<eos>", *WORDS], kind, lowercase)
    return token_slices(tokenizer, text, read_prompt(tokenizer, text)[0])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("the cat", ["the", " cat"]),
        ("  the\ncat, ", ["  the", "\ncat", ", "]),
        ("the (cat) zebra.", ["the", " (", "cat", ")", " zebra", "."]),
        ("the cat\n\nthe", ["the", " cat", "\n\n", "the"]),
        ("the cat\n \n  the\n\n", ["the", " cat", "\n \n", "  the", "\n\n"]),
        ("don't, cat", ["don't", ",", " cat"]),
        ("don´t, cat", ["don´t", ",", " cat"]),
        ("DON'T cat", ["DON'T", " cat"]),
        ("cafe\u0301, cat", ["cafe\u0301", ",", " cat"]),
        ("the\u200b, cat", ["the\u200b", ",", " cat"]),
        ("ﬁ, cat", ["ﬁ", ",", " cat"]),
        ("the\u3000cat", ["the", "\u3000cat"]),
    ],
)
def test_each_token_has_what_was_typed_and_the_space_before(text: str, pieces: list[str]) -> None:
    assert slices(text) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("the , cat\nthe", ["the", " ,", " cat", "\n", "the"]),
        ("the cat <eos> the", ["the", " cat", " <eos>", " the"]),
        ("the cat\n", ["the", " cat", "\n"]),
    ],
)
def test_lines_of_tokenized_text(text: str, pieces: list[str]) -> None:
    assert slices(text, "whitespace") == pieces


@given(
    st.text(st.sampled_from("thecaf don'´t.,(\n\r \u00e9\u0301\u200bﬁ1<>eos\x85İß")) | st.text(),
    st.sampled_from(["words", "whitespace"]),
    st.booleans(),
)
def test_together_they_are_the_text(text: str, kind: Kind, lowercase: bool) -> None:
    pieces = slices(text, kind, lowercase)
    assert "".join(pieces) == (text if pieces else "")
