"""Words, ids and spaces of a text, from paragraphs, strings and files."""

from pathlib import Path

import numpy as np
import pytest

from nextword.evaluation.held_out import read_text
from nextword.text.tokenized import (
    TokenizedText,
    tokenize_files,
    tokenize_paragraphs,
    tokenize_string,
)
from nextword.text.tokenizer import Kind, Tokenizer

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


VOCABULARY = ["<unk>", "<eos>", "a", "b", "."]


def tokenizer(kind: Kind = "words") -> Tokenizer:
    return Tokenizer(VOCABULARY, kind, lowercase=False)


def shown(passage: TokenizedText) -> str:
    return " ".join(passage.words(VOCABULARY)).replace("<eos>", "|")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        (" \n\n ", ""),
        ("a b.", "a b ."),
        ("a\nb.\n", "a b ."),
        ("a\n\nb.", "a | b ."),
        ("\n\na\r\n \r\n\r\nb.\n\n", "a | b . |"),
    ],
)
def test_paragraphs_stand_between_blank_lines(text: str, wanted: str) -> None:
    assert shown(tokenize_string(tokenizer(), text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"), [("", ""), ("a b", "a b"), ("a\nb\n", "a | b |"), ("a\n\nb", "a | | b")]
)
def test_text_that_came_tokenized_has_lines(text: str, wanted: str) -> None:
    assert shown(tokenize_string(tokenizer("whitespace"), text)) == wanted


def test_letters_spaces_and_unknown_words_are_kept() -> None:
    passage = tokenize_string(tokenizer(), "a zoo,\n  b zoo.")
    assert passage.words(VOCABULARY) == ["a", "zoo", ",", "b", "zoo", "."]
    assert passage.ids.tolist() == [2, 0, 0, 3, 0, 4]
    assert passage.spaced.tolist() == [True, False, True, True, False, False]
    assert passage.unknown_words == ["zoo", ",", "zoo"]
    assert passage.characters == len("a zoo, b zoo.")


def test_an_unknown_word_of_the_text_itself_has_no_letters_to_tell() -> None:
    passage = tokenize_string(tokenizer("whitespace"), "a <unk> zoo")
    assert passage.ids.tolist() == [2, 0, 0]
    assert passage.unknown_words == ["<unk>", "zoo"]
    positions, words = passage.spelled_unknown()
    assert (positions.tolist(), words) == ([2], ["zoo"])


@pytest.mark.parametrize("kind", ["words", "whitespace"])
def test_a_file_is_read_as_a_text_that_is_measured(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a zoo, b\n\nb -- a.\n")
    read, measured = (
        tokenize_files(tokenizer(kind), [str(path)], "utf-8"),
        read_text(tokenizer(kind), [str(path)], "utf-8"),
    )
    assert np.array_equal(read.ids, measured.ids)
    assert np.array_equal(read.spaced, measured.spaced)
    assert (read.characters, read.unknown_words) == (measured.characters, measured.unknown_words)
