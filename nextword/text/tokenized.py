"""A text as the ids of one tokenizer, with the unknown words and spaces that the ids lack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.text.detokenizer import Detokenizer
from nextword.text.matching import Match
from nextword.text.spacing import Spacing, SpacingCounter
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END_ID, UNKNOWN, UNKNOWN_ID
from nextword.text.written_ends import split_at_ends, written_end

SPACES = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""White space as in the tokenizer's regular expressions, for a character class; Python's has four
characters more."""
_RUN_OF_SPACES = re.compile(f"[{SPACES}]+")
_BEFORE_OPENING = frozenset("([{<“‘„‚«‹\"'—–-")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, eq=False)
class TokenizedText:
    """A text as token ids; an end follows every complete paragraph (or line of tokenized text).

    Raises:
        ValueError: ``unknown_words`` or ``spaced`` do not fit ``ids``.
    """

    ids: NDArray[np.integer]
    """``(tokens,)``"""
    spaced: NDArray[np.bool_]
    """``(tokens,)``: whether a space follows."""
    unknown_words: Sequence[str]
    """The spelling behind each unknown id, in the text's order; a literal ``<unk>`` is itself."""
    characters: int
    """Characters of the text, one for each end included."""
    name: str = ""
    """Where the text is from, for messages."""

    def __post_init__(self) -> None:
        unknown = int((self.ids == UNKNOWN_ID).sum())
        if len(self.unknown_words) != unknown or self.spaced.shape != self.ids.shape:
            raise ValueError("the unknown words or the spaces are not those of the ids")

    def words(self, vocabulary: Sequence[str]) -> list[str]:
        """The spelling of every token, known or not, ends included.

        Args:
            vocabulary: words by their ids.
        """
        words = [vocabulary[number] for number in self.ids.tolist()]
        positions = np.flatnonzero(self.ids == UNKNOWN_ID).tolist()
        for position, word in zip(positions, self.unknown_words, strict=True):
            words[position] = word
        return words

    def spelled_unknown(self) -> tuple[NDArray[np.int64], list[str]]:
        """Positions and spellings of the unknown words.

        A literal ``<unk>`` hides what stood there, so it has no spelling and is left out.
        """
        spelled = np.array([word != UNKNOWN for word in self.unknown_words], dtype=np.bool_)
        positions = np.flatnonzero(self.ids == UNKNOWN_ID)[spelled]
        return positions, [word for word in self.unknown_words if word != UNKNOWN]


def tokenize_paragraphs(
    tokenizer: Tokenizer, paragraphs: Iterable[str], name: str = ""
) -> TokenizedText:
    """The text of complete paragraphs (or lines), each followed by an end.

    Args:
        tokenizer: splits them.
        paragraphs: of the text; their words are taken as they are spelled.
        name: where the text is from, for messages.
    """
    return _joined((_measured(tokenizer, paragraph) for paragraph in paragraphs), name)


def read_prompt(tokenizer: Tokenizer, text: str) -> tuple[TokenizedText, list[Match]]:
    """The text of a typed string, and its distinct words that the vocabulary lacks.

    The string holds paragraphs between blank lines, or lines of tokenized text. Words are matched
    as :mod:`nextword.text.matching` says. The last paragraph has an end only where a blank line (or
    a line end) shows that it is complete.

    Returns:
        The text, and the words that the vocabulary lacks in any typesetting. Each has the id of
        the word that it is read as: one that differs in case, or the unknown word.
    """
    paragraphs, complete = _paragraphs(text, tokenizer)
    matched = [_matched(tokenizer, paragraph) for paragraph in paragraphs]
    unmatched = {m.typed: m for _, matches in matched for m in matches if not m.exact}
    tokenized = _joined(paragraph for paragraph, _ in matched)
    if not complete and paragraphs:
        tokenized = TokenizedText(
            tokenized.ids[:-1],
            tokenized.spaced[:-1],
            tokenized.unknown_words,
            tokenized.characters - 1,
        )
    return tokenized, list(unmatched.values())


def tokenize_string(tokenizer: Tokenizer, text: str) -> TokenizedText:
    """The text of a typed string: see :func:`read_prompt`."""
    return read_prompt(tokenizer, text)[0]


def detokenizer_after(tokenizer: Tokenizer, text: TokenizedText) -> Detokenizer:
    """A detokenizer at the end of a text, ready to continue it."""
    detokenizer = tokenizer.detokenizer()
    ends = np.flatnonzero(text.ids == END_ID)
    start = int(ends[-1]) + 1 if len(ends) else 0  # spaces depend on the last paragraph alone
    for word in text.words(tokenizer.words)[start:]:
        detokenizer.push(word)
    return detokenizer


def unmatched_words(tokenizer: Tokenizer, text: str) -> list[Match]:
    """The distinct words of a typed string that the vocabulary lacks: see :func:`read_prompt`."""
    return read_prompt(tokenizer, text)[1]


class _Paragraph(NamedTuple):
    """A paragraph or line, without its end."""

    normal: str
    words: list[str]
    ids: list[int]
    spaced: NDArray[np.bool_]


def _joined(paragraphs: Iterable[_Paragraph], name: str = "") -> TokenizedText:
    ids: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    spaced: list[NDArray[np.bool_]] = [np.zeros(0, dtype=np.bool_)]
    unknown: list[str] = []
    characters = 0
    for normal, words, numbers, follows in paragraphs:
        unknown += [w for w, n in zip(words, numbers, strict=True) if n == UNKNOWN_ID]
        ids.append(np.array([*numbers, END_ID], dtype=np.int64))
        spaced.append(np.append(follows, False))
        characters += len(normal) + 1
    return TokenizedText(np.concatenate(ids), np.concatenate(spaced), unknown, characters, name)


def _measured(tokenizer: Tokenizer, paragraph: str) -> _Paragraph:
    """A paragraph as it is spelled."""
    normal = tokenizer.normalize(paragraph)
    words = tokenizer.split(normal)
    ids = [tokenizer.index.get(word, UNKNOWN_ID) for word in words]
    return _Paragraph(normal, words, ids, _spaces_after(normal, words))


def _matched(tokenizer: Tokenizer, paragraph: str) -> tuple[_Paragraph, list[Match]]:
    """A typed paragraph, and the vocabulary's words behind its words."""
    normal = tokenizer.normalize(paragraph)
    words = tokenizer.split(normal)
    if tokenizer.kind == "words" and not all(word in tokenizer.index for word in words):
        rejoined = tokenizer.normalize(tokenizer.matcher.rejoined(normal))
        if rejoined != normal:
            normal, words = rejoined, tokenizer.split(rejoined)
    spaced = _spaces_after(normal, words)
    matches = _matches(tokenizer, words, spaced)
    return _Paragraph(normal, words, [match.id for match in matches], spaced), matches


def _matches(tokenizer: Tokenizer, words: Sequence[str], spaced: NDArray[np.bool_]) -> list[Match]:
    """The vocabulary's words behind those of a typed paragraph.

    Args:
        tokenizer: has split the paragraph.
        words: of the paragraph.
        spaced: whether a space follows each, ``(words,)``.
    """
    if all(word in tokenizer.index for word in words):  # spares the matcher its preparation
        return [Match(word, tokenizer.index[word], exact=True) for word in words]
    opens = [
        number == 0 or bool(spaced[number - 1]) or words[number - 1] in _BEFORE_OPENING
        for number in range(len(words))
    ]
    return tokenizer.matcher.match(words, opens)


def learn_spacing(tokenizer: Tokenizer, paragraphs: Iterable[str]) -> Spacing:
    """What paragraphs show about spaces between a tokenizer's words."""
    counter = SpacingCounter(tokenizer.words)
    for paragraph in paragraphs:
        text = tokenize_paragraphs(tokenizer, [paragraph])
        counter.add(text.ids[:-1], text.spaced[:-1])
    return counter.spacing()


def tokenize_files(
    tokenizer: Tokenizer, paths: str | Sequence[str], encoding: str
) -> TokenizedText:
    """The text of files, folders or ``-`` for standard input, read as for training.

    Raises:
        TextError: a file cannot be read.
        ConfigError: there is no such encoding.
    """
    # a prompt needs no file formats, and is answered sooner without them
    from nextword.text.readers import read_units
    from nextword.text.sources import text_files

    paths = [paths] if isinstance(paths, str) else list(paths)
    units = read_units(tokenizer.kind, text_files(paths), encoding)
    return tokenize_paragraphs(tokenizer, units, ", ".join(paths))


def _paragraphs(text: str, tokenizer: Tokenizer) -> tuple[list[str], bool]:
    """The paragraphs or lines of a string, and whether the last one is complete."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if tokenizer.kind == "whitespace":
        *lines, last = text.split("\n")
        complete = bool(lines) and not last.strip()
        lines += [] if complete else [last]
        # an end that is written out ends a line too
        complete |= bool(written_end(last)) and len(last.split()) > 1
        parts = [part for line in lines for part in split_at_ends(line)]
        return (parts if text.strip() else []), complete
    pieces = _BLANK_LINES.split(text)
    joined = [" ".join(line.strip() for line in piece.strip().split("\n")) for piece in pieces]
    paragraphs = [paragraph for paragraph in joined if paragraph]
    return paragraphs, bool(paragraphs) and not joined[-1]


def _spaces_after(normal: str, words: Sequence[str]) -> NDArray[np.bool_]:
    return spaces_after(normal, visible_lengths(words))


def visible_lengths(words: Iterable[str]) -> NDArray[np.int64]:
    """Characters of each word that are no white space, ``(words,)``.

    A few Arabic, Syriac and Kaithi marks form one grapheme cluster with the space behind them.
    """
    return np.array([len(_RUN_OF_SPACES.sub("", word)) for word in words], dtype=np.int64)


def spaces_after(normal: str, lengths: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether a space follows each word of a paragraph or line, or ends it, ``(words,)``.

    Args:
        normal: the paragraph or line, as :meth:`Tokenizer.normalize` spells it.
        lengths: of each word, as :func:`visible_lengths` counts them, ``(words,)``.
    """
    # numbers, not strings: a paragraph may be a whole book in one line
    bounds = (number for space in _RUN_OF_SPACES.finditer(normal) for number in space.span())
    starts, ends = np.fromiter(bounds, dtype=np.int64).reshape(-1, 2).T
    before = starts - np.cumsum(ends - starts) + (ends - starts)  # other characters
    # words fill the text between spaces, so counted without spaces their ends coincide with spaces
    after: NDArray[np.bool_] = np.isin(np.cumsum(lengths), before)
    if len(after):
        after[-1] = len(ends) > 0 and ends[-1] == len(normal)  # the text ends in a space
    return after
