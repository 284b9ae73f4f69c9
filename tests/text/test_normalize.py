"""One spelling for what looks alike."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.text.normalize import clean, normalize
from nextword.text.tokenizer import Tokenizer


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ﬁrst ﬂour oﬃce ﬆone", "first flour office stone"),
        ("ĳs Ǆep", "ijs DŽep"),
        ("ﻼ ﮐﺘﺎﺏ", "لا کتاب"),
        ("lan\u00adtern", "lantern"),
        ("\ufeffThe\u200e \u2067cat\u2069 sat\u2060.\u200b", "The cat sat."),
        ("cafe\u0301", "café"),
        ("می\u200cخواهم 👨\u200d👩\u200d👧 ❤\ufe0f", "می\u200cخواهم 👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("a\udcffb", "a\ufffdb"),
        ("plain", "plain"),
    ],
)
def test_what_is_cleaned(text: str, wanted: str) -> None:
    assert clean(text) == wanted


@given(st.text(st.one_of(st.characters(), st.sampled_from("ﬁ\u00ad\u200e\u0301İﷺﻼ"))))
def test_cleaning_twice_changes_nothing_more_and_keeps_words_apart(text: str) -> None:
    once = clean(text)
    assert clean(once) == once == unicodedata.normalize("NFC", once)
    assert len(once.split()) <= len(text.split())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ΔΡΟΜΟΣ ΣΟΦΟΣ, ΟΔΟΣ", "δρομος σοφος, οδος"),
        ("İstanbul IŞIK DİYARBAKIR", "istanbul işik diyarbakir"),
        ("STRASSE Élan", "strasse élan"),
    ],
)
def test_lower_case_is_that_of_the_language(text: str, wanted: str) -> None:
    assert normalize(text, lowercase=True) == wanted
    assert Tokenizer.learn([text], "words", lowercase=True).unknown_words(wanted) == []


@given(st.lists(st.text("AÉΣİǅﬁ", min_size=1), min_size=1))
def test_words_of_any_case_are_one_word_in_a_tokenizer_without_case(words: list[str]) -> None:
    text = " ".join(words)
    tokenizer = Tokenizer.learn([text], "words", lowercase=True)
    assert tokenizer.unknown_words(text) == tokenizer.unknown_words(tokenizer.normalize(text)) == []
