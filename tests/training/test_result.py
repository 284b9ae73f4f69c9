"""Prompts come from text that was held out, and can be read."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nextword.text.tokenizer import Tokenizer
from nextword.training.result import ARTICLE_PROMPT, default_prompts

WORDS = ["<unk>", "<eos>", *ARTICLE_PROMPT.split(), "a", "b", "c", ",", "."]
TOKENIZER = Tokenizer(WORDS, "words", lowercase=False)
OTHER = Tokenizer(["<unk>", "<eos>", *"abcdefgh"], "words", lowercase=False)


def ids(tokenizer: Tokenizer, *paragraphs: str) -> np.ndarray:
    encoded = [[*tokenizer.encode(paragraph), tokenizer.end_id] for paragraph in paragraphs]
    return np.array(sum(encoded, []), dtype=np.uint16)


def test_the_articles_prompt_comes_first_where_its_words_are_known() -> None:
    held_out = ids(TOKENIZER, "a b, c a b c", "b b b b b b")
    assert default_prompts(TOKENIZER, held_out) == [ARTICLE_PROMPT, "a b, c a", "b b b b b"]
    assert ARTICLE_PROMPT not in default_prompts(OTHER, ids(OTHER, "a b c d e f"))


def test_only_beginnings_of_paragraphs_without_unknown_words_serve() -> None:
    held_out = ids(OTHER, "a b", "a b unknown c d e", "h g f e d c", "a b c d")
    assert default_prompts(OTHER, held_out) == ["h g f e d"]


def test_prompts_are_spread_over_the_text_and_never_alike() -> None:
    beginnings = ["a a a a a", "b a a a a", "c a a a a", "d a a a a", "e a a a a"]
    held_out = ids(OTHER, *(f"{text} h" for text in beginnings))
    assert default_prompts(OTHER, held_out) == [beginnings[0], beginnings[2], beginnings[4]]
    assert default_prompts(OTHER, held_out, wanted=1) == [beginnings[0]]
    assert default_prompts(OTHER, ids(OTHER, *["a a a a a a"] * 4)) == ["a a a a a"]


def test_a_text_without_five_known_words_in_a_row_gives_its_longest_beginning() -> None:
    assert default_prompts(OTHER, ids(OTHER, "a b", "c", "a b c unknown d", "d")) == ["a b c"]
    assert default_prompts(OTHER, np.array([2, 3, 4], dtype=np.uint16)) == ["a b c"]


def test_a_text_without_a_known_beginning_gives_its_most_frequent_word() -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", ".", "d", "e"], "words", lowercase=False)
    assert default_prompts(tokenizer, ids(tokenizer, "x d", "x y z")) == ["d"]
    assert default_prompts(tokenizer, np.array([], dtype=np.uint16)) == ["d"]
    marks = Tokenizer(["<unk>", "<eos>", "."], "words", lowercase=False)
    assert default_prompts(marks, ids(marks, "x", "y")) == ["."]
    assert default_prompts(Tokenizer(["<unk>", "<eos>"], "words", False), ids(marks, "x")) == []


@given(st.lists(st.text("abcxyz. \n", min_size=1), min_size=1), st.text("abc.", max_size=4))
def test_prompts_never_have_words_that_the_vocabulary_lacks(
    paragraphs: list[str], letters: str
) -> None:
    words = list(dict.fromkeys(letters))
    tokenizer = Tokenizer(["<unk>", "<eos>", *words], "words", lowercase=False)
    prompts = default_prompts(tokenizer, ids(tokenizer, *paragraphs))
    assert bool(prompts) == bool(words)
    assert not any(tokenizer.unknown_words(prompt) for prompt in prompts)
