"""Words, ids and spaces of a text, against the tokenizer itself."""

import pytest

from nextword.text.tokenized import tokenize_paragraphs
from nextword.text.tokenizer import Tokenizer

WORDS = ["<unk>", "<eos>", "the", "cat", "."]


@pytest.mark.parametrize("lowercase", [False, True])
def test_paragraphs_in_words(lowercase: bool) -> None:
    tokenizer = Tokenizer(WORDS, "words", lowercase)
    first, empty, last = (
        tokenize_paragraphs(tokenizer, [text]) for text in ("The cat sat.", "", "the  cat ")
    )
    assert first.words(WORDS) == [*tokenizer.split("The cat sat."), "<eos>"]
    assert first.ids.tolist() == [*tokenizer.encode("The cat sat."), 1]
    assert first.spaced.tolist() == [True, True, False, False, False]
    assert first.characters == len("The cat sat.") + 1
    assert (empty.words(WORDS), empty.ids.tolist(), empty.characters) == (["<eos>"], [1], 1)
    assert last.ids.tolist() == [2, 3, 1] and last.spaced.tolist() == [True, True, False]
    both = tokenize_paragraphs(tokenizer, ["The cat sat.", "the  cat "], "two")
    assert both.ids.tolist() == [*first.ids.tolist(), *last.ids.tolist()]
    assert both.characters == first.characters + last.characters and both.name == "two"
