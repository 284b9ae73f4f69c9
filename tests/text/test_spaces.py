"""Where spaces stand, against the text itself."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.text.tokenized import spaces_after
from nextword.text.tokenizer import Kind, Tokenizer

TOKENIZERS = {
    (kind, lowercase): Tokenizer(["<unk>", "<eos>"], kind, lowercase)
    for kind in ("words", "whitespace")
    for lowercase in (False, True)
}


def marked(text: str, kind: Kind = "words", lowercase: bool = False) -> str:
    """The words of a text, each with an underscore where a space follows."""
    words = TOKENIZERS[kind, lowercase].split(text)
    behind = spaces_after(text, np.array([len(word) for word in words]), lowercase)
    assert len(behind) == len(words)
    return "|".join(word + "_" * int(space) for word, space in zip(words, behind, strict=True))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('He said: "Go, go!"', 'He_|said|:_|"|Go|,_|go|!|"'),
        ("a  b\u00a0c", "a_|b_|c"),
        ("twenty-two -- or three", "twenty-two_|--_|or_|three"),
        ("日本 語", "日|本_|語"),
        ("ends in a space ", "ends_|in_|a_|space_"),
        ("cafe\u0301 noir", "café_|noir"),  # the tokenizer joins letter and accent
        ("a\x1cb c", "a|\x1c|b_|c"),  # a space to Python, a word to the tokenizer
        ("word", "word"),
        ("", ""),
    ],
)
def test_examples(text: str, wanted: str) -> None:
    assert marked(text) == wanted


def test_tokens_between_spaces() -> None:
    assert marked(" no it was n't .\t", "whitespace") == "no_|it_|was_|n't_|._"


def test_small_letters_may_be_more() -> None:
    assert marked("İ x,y İ", lowercase=True) == "i̇_|x|,|y_|i̇"


@given(st.lists(st.text("aİé,.' \u2009—日", max_size=8), max_size=6), st.booleans())
def test_the_text_between_spaces_is_whole(pieces: list[str], lowercase: bool) -> None:
    text = " ".join(pieces)
    told = marked(text, "words", lowercase).replace("|", "").replace("_", " ")
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).removeprefix(" ")
    assert told == (plain.lower() if lowercase else plain)


def test_what_is_a_space_is_what_the_tokenizer_takes_for_one() -> None:
    everything = [chr(i) for i in range(0x3100) if unicodedata.category(chr(i)) in ("Cc", "Cf")]
    everything += [chr(i) for i in range(0x3100) if unicodedata.category(chr(i))[0] == "Z"]
    for character in everything:
        text = f"a{character}b"
        parts = TOKENIZERS["whitespace", False].split(text)
        spaced = spaces_after(text, np.array([len(part) for part in parts]))
        assert spaced.tolist() == ([True, False] if len(parts) == 2 else [False]), repr(character)
