"""Words, ids and spaces of a text, from paragraphs, strings and files."""

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.evaluation.held_out import read_text
from nextword.text.tokenized import (
    TokenizedText,
    read_prompt,
    spaces_after,
    tokenize_files,
    tokenize_paragraphs,
    tokenize_string,
    visible_lengths,
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


def test_a_prompt_is_split_once_for_its_text_and_its_unmatched_words() -> None:
    tokenizer = Tokenizer([*VOCABULARY, "Don’t"], "words", lowercase=False)
    text, unmatched = read_prompt(tokenizer, "A zoo, don't b\n\nDon't zoo")
    assert text.words(tokenizer.words) == "a zoo , Don’t b <eos> Don’t zoo".split()
    words = [(match.typed, tokenizer.words[match.id]) for match in unmatched]
    assert words == [("A", "a"), ("zoo", "<unk>"), (",", "<unk>"), ("don't", "Don’t")]
    assert read_prompt(tokenizer, "")[1] == []


LIGHT = """
import sys
from pathlib import Path
from nextword.text.tokenized import read_prompt
from nextword.text.tokenizer import Tokenizer
tokenizer = Tokenizer.load(Path(sys.argv[1]))
assert len(read_prompt(tokenizer, "The café’s “cat” said")[1]) == 1
tokenizer.matcher.with_prefix("T")
tokenizer.decode([2, 3, 4])
assert not {*sys.argv[2:]} & {*sys.modules}, {*sys.argv[2:]} & {*sys.modules}
assert len(tokenizer.split("日本")) == 2
"""


def test_a_prompt_is_read_without_heavy_imports(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    Tokenizer.learn(["The café’s “cat”"], "words", lowercase=False).save(path)
    heavy = ["torch", "pydantic", "jinja2", "markdown", "yaml", "tokenizers", "safetensors"]
    heavy += ["nextword.text.readers", "nextword.text.formats", "nextword.text.division"]
    command = [sys.executable, "-c", LIGHT, str(path), *heavy]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


TOKENIZERS = {
    (kind, lowercase): Tokenizer(["<unk>", "<eos>"], kind, lowercase)
    for kind in ("words", "whitespace")
    for lowercase in (False, True)
}


def marked(text: str, kind: Kind = "words", lowercase: bool = False) -> str:
    """The words of a text, each with an underscore where a space follows."""
    tokenizer = TOKENIZERS[kind, lowercase]
    words = tokenizer.split(text)
    behind = spaces_after(tokenizer.normalize(text), visible_lengths(words))
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
        ("a \u0600 b c", "a_|\u0600 _|b_|c"),  # a mark that forms a cluster with its space
        ("\u0600 \u0301b c", "\u0600 \u0301|b_|c"),
        ("word", "word"),
        ("", ""),
    ],
)
def test_examples(text: str, wanted: str) -> None:
    assert marked(text) == wanted


def test_tokens_between_spaces() -> None:
    assert marked(" no it was n't .\t", "whitespace") == "no_|it_|was_|n't_|._"


def test_small_letters_may_be_more() -> None:
    assert marked("ŉ x,y ŉ", lowercase=True) == "ŉ_|x|,|y_|ŉ"
    assert marked("İ x,y İ", lowercase=True) == "i_|x|,|y_|i"


@given(st.lists(st.text("aİé,.' \u2009—日", max_size=8), max_size=6), st.booleans())
def test_the_text_between_spaces_is_whole(pieces: list[str], lowercase: bool) -> None:
    text = " ".join(pieces)
    result = marked(text, "words", lowercase).replace("|", "").replace("_", " ")
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).removeprefix(" ")
    assert result == (plain.replace("İ", "i").lower() if lowercase else plain)


def test_what_is_a_space_is_what_the_tokenizer_takes_for_one() -> None:
    everything = [chr(i) for i in range(0x3100) if unicodedata.category(chr(i)) in ("Cc", "Cf")]
    everything += [chr(i) for i in range(0x3100) if unicodedata.category(chr(i))[0] == "Z"]
    for character in everything:
        text = f"a{character}b"
        parts = TOKENIZERS["whitespace", False].split(text)
        spaced = spaces_after(text, visible_lengths(parts))
        assert spaced.tolist() == ([True, False] if len(parts) == 2 else [False]), repr(character)
