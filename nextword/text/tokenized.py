"""A text in a tokenizer's words, paragraph by paragraph, with what the ids do not tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.text.spaces import spaces_behind
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END, END_ID, UNKNOWN_ID


class Paragraph(NamedTuple):
    """A paragraph of prose or a line of text that came tokenized, its end included."""

    words: list[str]
    """As the tokenizer spells them, known or not."""
    ids: NDArray[np.int64]
    """``(words,)``"""
    spaced: NDArray[np.bool_]
    """``(words,)``: whether a space follows."""
    characters: int
    """Characters, one for the end included."""


def in_words(tokenizer: Tokenizer, paragraphs: Iterable[str]) -> Iterator[Paragraph]:
    """Each paragraph in a tokenizer's words."""
    index = {word: number for number, word in enumerate(tokenizer.words)}
    for paragraph in paragraphs:
        words = tokenizer.split(paragraph)
        ids = [index.get(word, UNKNOWN_ID) for word in words]
        lengths = np.array([len(word) for word in words], dtype=np.int64)
        spaced = np.zeros(len(words) + 1, dtype=np.bool_)
        spaced[:-1] = spaces_behind(paragraph, lengths, tokenizer.lowercase)
        yield Paragraph(
            [*words, END], np.array([*ids, END_ID], dtype=np.int64), spaced, len(paragraph) + 1
        )
