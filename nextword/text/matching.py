"""Finds typed words in a vocabulary, whatever their quotes, dashes, letter forms and case.

A typed word that the vocabulary lacks is looked up once more in keyboard spelling (``don't`` finds
``don’t``), and then without regard to case. Only prompts are matched in this way: a text that is
measured keeps its own spelling.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.text.typesetting import (
    case_key,
    case_key_of_spelling,
    each_line,
    keyboard_spelling,
    without_accents,
)
from nextword.text.vocabulary import SPECIAL_WORDS, UNKNOWN_ID

SUGGESTIONS = 3
"""Spellings suggested for a word that the vocabulary lacks."""
SIMILARITY = 0.7
"""The least similarity of a suggested spelling, as difflib measures it."""

_PARTED = (
    # only at the beginning of a word, so that time stays linear
    r"(?<![^\W\d_])[^\W\d_]+(?:['’‘‛´`′＇][^\W\d_]+)+"
    r"|(?<![\u05d0-\u05ea])[\u05d0-\u05ea]+(?:''|[“”„‟″])[\u05d0-\u05ea]+"
)
"""A word with an apostrophe, or with two in a Hebrew acronym, as some keyboards have them."""
_OPENING = {'"': "„«“", "'": "‚‹‘"}
"""Marks that open a quotation, by the key that types them."""
_CLOSING = {"„": "“”", "«": "»", "“": "”", "‚": "‘’", "‹": "›", "‘": "’"}
"""Marks that close a quotation, by the mark that opens it."""


@dataclass(frozen=True)
class Match:
    """A typed word and the vocabulary's word that it is read as."""

    typed: str
    id: int
    """The id of that word; the unknown word's if none matches."""
    exact: bool
    """Whether the two differ in typesetting at most, so that the user needs no notice."""


class WordMatcher:
    """Finds typed words in a vocabulary.

    Args:
        words: the vocabulary by ids.
        index: the id of each word.
    """

    def __init__(self, words: Sequence[str], index: dict[str, int]) -> None:
        self.words = words
        self.index = index

    def match(self, typed: Sequence[str], opens: Iterable[bool]) -> list[Match]:
        """The words of a prompt in the vocabulary.

        Args:
            typed: words as the tokenizer spells them.
            opens: for each word, whether a quotation mark in its place would open a quotation.
        """
        return [self._match(*pair) for pair in zip(typed, opens, strict=True)]

    def rejoined(self, text: str) -> str:
        """A typed text, in which ``don´t`` and ``don`t`` are spelled so as to be one word."""
        return re.sub(_PARTED, lambda parted: self._joined(parted[0]), text)

    def _joined(self, typed: str) -> str:
        """The word with a straight mark, which the tokenizer leaves whole, if it is known so."""
        word = keyboard_spelling(typed.replace("''", '"'))
        return word if self._typeset(word, False) is not None else typed

    def _match(self, word: str, opens: bool) -> Match:
        number = self.index.get(word)
        if number is None:
            number = self._typeset(word, opens)
        if number is not None:
            return Match(word, number, exact=True)
        return Match(word, self._by_case.get(case_key(word), UNKNOWN_ID), exact=False)

    def _typeset(self, word: str, opens: bool) -> int | None:
        """The id of the word in other typesetting."""
        key = keyboard_spelling(word)
        mark = self._quotation_mark(key, opens) if key in _OPENING else None
        return self._by_keyboard.get(key) if mark is None else mark

    def _quotation_mark(self, key: str, opens: bool) -> int | None:
        """The id of the text's own quotation mark; the commonest where it has several."""
        opening = self._commonest(_OPENING[key])
        if opening == "“" and self._rank("„") < self._rank("”"):
            opening = "„"  # German closes a quotation with the mark that opens one in English
        mark = opening if opens else self._commonest(_CLOSING.get(opening, ""))
        return self.index.get(mark)

    def _commonest(self, marks: str) -> str:
        """The mark with the smallest id; an empty string where the vocabulary has none of them."""
        known = [mark for mark in marks if mark in self.index]
        return min(known, key=self._rank, default="")

    def _rank(self, mark: str) -> int:
        return self.index.get(mark, len(self.words))

    def find(self, word: str) -> Match:
        """The match of a single word, spelled as the tokenizer spells it."""
        return self._match(word, True)

    def with_prefix(self, prefix: str) -> NDArray[np.int64]:
        """The ids of the words with this prefix in any typesetting; if none has it, in any case.

        In increasing order, without special words.
        """
        found = self._by_spelling.with_prefix(keyboard_spelling(prefix))
        return found if len(found) else self._by_folded.with_prefix(case_key(prefix))

    def begins_word(self, typed: str) -> bool:
        """Whether a word of the vocabulary begins with these letters, or is just these.

        Args:
            typed: as the tokenizer spells it.
        """
        return len(self.with_prefix(typed)) > 0

    def suggestions(self, word: str) -> list[str]:
        """The words most similarly spelled, those that differ only in case and accents first."""
        import difflib  # here, since most predictions suggest nothing

        known, key = self.words[len(SPECIAL_WORDS) :], case_key(word)
        same = [other for other, folded in zip(known, self._folded, strict=True) if folded == key]
        if not same:
            bare = without_accents(word)
            same = [
                other for other, letters in zip(known, self._bare, strict=True) if letters == bare
            ]
        near = _sharing_letters(word, known)
        close = difflib.get_close_matches(word, near, SUGGESTIONS, SIMILARITY)
        return list(dict.fromkeys([*same, *close]))[:SUGGESTIONS]

    @cached_property
    def _spellings(self) -> list[str]:
        """The keyboard spelling of every word, without the special words."""
        return each_line(keyboard_spelling, self.words[len(SPECIAL_WORDS) :])

    @cached_property
    def _folded(self) -> list[str]:
        """The case key of every word, without the special words."""
        return each_line(case_key_of_spelling, self._spellings)

    @cached_property
    def _bare(self) -> list[str]:
        """Every word without accents, without the special words."""
        return each_line(without_accents, self.words[len(SPECIAL_WORDS) :])

    @cached_property
    def _by_keyboard(self) -> dict[str, int]:
        return _first_of_each(self._spellings)

    @cached_property
    def _by_case(self) -> dict[str, int]:
        return _first_of_each(self._folded)

    @cached_property
    def _by_spelling(self) -> _Sorted:
        return _Sorted.of(self._spellings)

    @cached_property
    def _by_folded(self) -> _Sorted:
        return _Sorted.of(self._folded)


class _Sorted(NamedTuple):
    """Spellings of the vocabulary in order, without the special words."""

    spellings: list[str]
    ids: NDArray[np.int64]

    @classmethod
    def of(cls, spellings: list[str]) -> _Sorted:
        """Sort spellings that are in the order of their words' ids."""
        order = sorted(range(len(spellings)), key=spellings.__getitem__)
        ids = np.array(order, dtype=np.int64) + len(SPECIAL_WORDS)
        return cls([spellings[place] for place in order], ids)

    def with_prefix(self, prefix: str) -> NDArray[np.int64]:
        """The ids of the spellings with this prefix, in increasing order."""
        first = bisect_left(self.spellings, prefix)
        last = bisect_right(
            self.spellings, prefix, first, key=lambda spelling: spelling[: len(prefix)]
        )
        return np.sort(self.ids[first:last])


def _first_of_each(spellings: list[str]) -> dict[str, int]:
    """The first id, that of the commonest word, of each spelling."""
    ids = range(len(spellings) + len(SPECIAL_WORDS) - 1, len(SPECIAL_WORDS) - 1, -1)
    return dict(zip(reversed(spellings), ids, strict=True))


def _sharing_letters(word: str, known: Sequence[str]) -> list[str]:
    """The words of nearly the same length with enough of the same letters to be similar.

    The test on letters is difflib's ``quick_ratio``, for all words at once.
    """
    lengths = np.fromiter(map(len, known), dtype=np.int64, count=len(known))
    letters = np.frombuffer("".join(known).encode("utf-32-le"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(known)), lengths)
    shared = np.zeros(len(known), dtype=np.int64)
    for letter, count in Counter(word).items():
        owned = np.bincount(owner[letters == ord(letter)], minlength=len(known))
        shared += np.minimum(owned, count)
    similar = 2 * shared >= SIMILARITY * (lengths + len(word))
    return [known[i] for i in np.flatnonzero(similar & (np.abs(lengths - len(word)) <= 2)).tolist()]
