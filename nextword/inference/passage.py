"""A text at hand in a model's words, its paragraphs and spaces kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.text.detokenizer import Kind
from nextword.text.readers import read_units, text_files
from nextword.text.tokenized import in_words
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import UNKNOWN, UNKNOWN_ID

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, eq=False)
class Passage:
    """A text as words, an end behind each paragraph (or line) that is over."""

    words: list[str]
    """As the tokenizer spells them, known or not."""
    ids: NDArray[np.int64]
    """``(words,)``"""
    spaced: NDArray[np.bool_]
    """``(words,)``: whether a space follows."""
    characters: int
    """Characters of the text, one for each end included."""

    @property
    def unknown_words(self) -> list[str]:
        """The words that the vocabulary lacks, one for each time, in the text's order.

        A text that came with ``<unk>`` in it hides what stood there.
        """
        return [self.words[i] for i in np.flatnonzero(self.hidden)]

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """``(words,)``: whether the word is unknown and has a spelling that can be told."""
        spelled = np.array([word != UNKNOWN for word in self.words], dtype=np.bool_)
        hidden: NDArray[np.bool_] = (self.ids == UNKNOWN_ID) & spelled
        return hidden


def passage_of(tokenizer: Tokenizer, text: str) -> Passage:
    """A text that is a string; its last paragraph is over only if a blank line (or end) shows so.

    Prose has paragraphs between blank lines, text that came tokenized has lines.
    """
    paragraphs, over = _parts(text, tokenizer.kind)
    return _passage(tokenizer, paragraphs, over)


def passage_in(tokenizer: Tokenizer, path: str, encoding: str) -> Passage:
    """A file, a folder or ``-`` for standard input, read as for training; all of it is over.

    Raises:
        TextError: it cannot be read.
        ConfigError: there is no such encoding.
    """
    return _passage(tokenizer, read_units(tokenizer.kind, text_files(path), encoding), over=True)


def _parts(text: str, kind: Kind) -> tuple[list[str], bool]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if kind == "whitespace":
        *lines, last = text.split("\n")
        return (lines, bool(lines)) if not last.strip() else ([*lines, last], False)
    pieces = _BLANK_LINES.split(text)
    joined = [" ".join(line.strip() for line in piece.strip().split("\n")) for piece in pieces]
    paragraphs = [paragraph for paragraph in joined if paragraph]
    return paragraphs, bool(paragraphs) and not joined[-1]


def _passage(tokenizer: Tokenizer, paragraphs: Iterable[str], over: bool) -> Passage:
    words: list[str] = []
    ids = [np.zeros(0, np.int64)]
    spaced = [np.zeros(0, np.bool_)]
    characters = 0
    for paragraph in in_words(tokenizer, paragraphs):
        words += paragraph.words
        ids.append(paragraph.ids)
        spaced.append(paragraph.spaced)
        characters += paragraph.characters
    if words and not over:
        cut = slice(-1)
        return Passage(
            words[cut], np.concatenate(ids)[cut], np.concatenate(spaced)[cut], characters - 1
        )
    return Passage(words, np.concatenate(ids), np.concatenate(spaced), characters)
