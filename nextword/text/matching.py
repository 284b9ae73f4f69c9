"""Finds typed words in a vocabulary, whatever their quotes, dashes, letter forms and case.

A typed word that the vocabulary lacks is looked up once more in keyboard spelling (``don't`` finds
``don’t``), and then without regard to case. Only prompts are matched in this way: a text that is
measured keeps its own spelling.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from nextword.text.vocabulary import SPECIAL_WORDS, UNKNOWN_ID

SUGGESTIONS = 3
"""Spellings suggested for a word that the vocabulary lacks."""

_SINGLE = "'’‘ʼʻ‛´`′׳՚᾽"
_DOUBLE = '"“”„‟«»″״'
_HYPHENS = "-‐‑‒–—―−־"
_KEYBOARD = str.maketrans(
    {
        **dict.fromkeys(_SINGLE, "'"),
        **dict.fromkeys(_DOUBLE, '"'),
        **dict.fromkeys(_HYPHENS, "-"),
        **{"œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae"},
        **{"ي": "ی", "ى": "ی", "ك": "ک"},  # the Arabic and the Persian key for one letter
        **dict.fromkeys("\u200c\u200d\u0640"),  # joiners, and the stroke that stretches a word
    }
)
_POINTS = re.compile(r"[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652\u0670]")
"""Vowel points of Hebrew and Arabic, which few people type."""
_BARRED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h"})
"""Letters that Unicode does not take apart into a letter and an accent."""
_PARTED = re.compile(
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
        return _PARTED.sub(lambda parted: self._joined(parted[0]), text)

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

    def with_prefix(self, prefix: str) -> list[int]:
        """The ids of the words with this prefix in any typesetting; if none has it, in any case."""
        key, folded = keyboard_spelling(prefix), case_key(prefix)
        ids = [number for number, spelling in self._spellings if spelling.startswith(key)]
        return ids or [n for n, other in self._spellings if case_key(other).startswith(folded)]

    def suggestions(self, word: str) -> list[str]:
        """The words most similarly spelled, those that differ only in case and accents first."""
        bare = _without_accents(word)
        known = self.words[len(SPECIAL_WORDS) :]
        same = [other for other in known if case_key(other) == case_key(word)]
        same = same or [other for other in known if _without_accents(other) == bare]
        near = [other for other in known if abs(len(other) - len(word)) <= 2]
        close = difflib.get_close_matches(word, near, n=SUGGESTIONS, cutoff=0.7)
        return list(dict.fromkeys([*same, *close]))[:SUGGESTIONS]

    @cached_property
    def _spellings(self) -> list[tuple[int, str]]:
        """The id and the keyboard spelling of every word, without the special words."""
        first = len(SPECIAL_WORDS)
        return [
            (number, keyboard_spelling(word))
            for number, word in enumerate(self.words[first:], first)
        ]

    @cached_property
    def _by_keyboard(self) -> dict[str, int]:
        return _first_of_each(self._spellings)

    @cached_property
    def _by_case(self) -> dict[str, int]:
        return _first_of_each((number, case_key(spelling)) for number, spelling in self._spellings)


def _first_of_each(keys: Iterable[tuple[int, str]]) -> dict[str, int]:
    """The first id, that of the commonest word, of each key."""
    found: dict[str, int] = {}
    for number, key in keys:
        found.setdefault(key, number)
    return found


def keyboard_spelling(word: str) -> str:
    """The word with the quotes, dashes, digits and letter forms that a keyboard has."""
    typed = word.replace("`", "'")
    if not word.isascii():
        typed = unicodedata.normalize("NFKC", word.translate(_KEYBOARD))
        typed = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in typed)
    if len(typed) > 1 and not typed.strip("-."):
        return "-" if typed[0] == "-" else "..."  # a dash or an ellipsis of any length
    return typed


def case_key(word: str) -> str:
    """A key that words share if they differ only in typesetting, case and vowel points.

    That includes Turkish and Greek case.
    """
    bare = _POINTS.sub("", keyboard_spelling(word).casefold())
    return bare.replace("\u0307", "").replace("ı", "i")


def _without_accents(word: str) -> str:
    letters = unicodedata.normalize("NFD", case_key(word).translate(_BARRED))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
