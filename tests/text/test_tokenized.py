"""Words, ids and spaces of a text, against what the tokenizer itself says."""

import pytest

from nextword.text.tokenized import in_words
from nextword.text.tokenizer import Tokenizer


@pytest.mark.parametrize("lowercase", [False, True])
def test_paragraphs_in_words(lowercase: bool) -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "the", "cat", "."], "words", lowercase)
    first, empty, last = in_words(tokenizer, ["The cat sat.", "", "the  cat "])
    assert first.words == [*tokenizer.split("The cat sat."), "<eos>"]
    assert first.ids.tolist() == [*tokenizer.encode("The cat sat."), 1]
    assert first.spaced.tolist() == [True, True, False, False, False]
    assert first.characters == len("The cat sat.") + 1
    assert (empty.words, empty.ids.tolist(), empty.characters) == (["<eos>"], [1], 1)
    assert last.ids.tolist() == [2, 3, 1] and last.spaced.tolist() == [True, True, False]
