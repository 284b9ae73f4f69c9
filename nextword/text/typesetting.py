"""Spellings that words share if they differ only in typesetting, in case, or in accents.

Every function takes one word, or many at once, one per line, which is far faster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

_SINGLE = "’‘ʼʻ‛´`′׳՚᾽"
_DOUBLE = "“”„‟«»″״"
_HYPHENS = "‐‑‒–—―−־"
_KEYBOARD = {
    **dict.fromkeys(_SINGLE, "'"),
    **dict.fromkeys(_DOUBLE, '"'),
    **dict.fromkeys(_HYPHENS, "-"),
    **{"œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae"},
    **{"ي": "ی", "ى": "ی", "ك": "ک"},  # the Arabic and the Persian key for one letter
    **dict.fromkeys("\u200c\u200d\u0640", ""),  # joiners, and the stroke that stretches a word
}
_DECIMAL = r"[^\D0-9]"
_DASHES_OR_DOTS = r"(?m:^[-.]{2,}$)"
_POINTS = r"[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652\u0670]"
"""Vowel points of Hebrew and Arabic, which few people type."""
_BARRED = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h"}
"""Letters that Unicode does not take apart into a letter and an accent."""


def keyboard_spelling(words: str) -> str:
    """The word with the quotes, dashes, digits and letter forms that a keyboard has."""
    typed = words.replace("`", "'")
    if not words.isascii():
        typed = unicodedata.normalize("NFKC", _replaced(typed, _KEYBOARD))
        typed = re.sub(_DECIMAL, lambda digit: str(unicodedata.decimal(digit[0])), typed)
    # a dash or an ellipsis of any length
    return re.sub(_DASHES_OR_DOTS, lambda run: "-" if run[0][0] == "-" else "...", typed)


def case_key(words: str) -> str:
    """A key that words share if they differ only in typesetting, case and vowel points.

    That includes Turkish and Greek case.
    """
    return case_key_of_spelling(keyboard_spelling(words))


def case_key_of_spelling(spellings: str) -> str:
    """The case key of a word in keyboard spelling."""
    folded = spellings.casefold()
    if folded.isascii():
        return folded
    return re.sub(_POINTS, "", folded).replace("\u0307", "").replace("ı", "i")


def without_accents(words: str) -> str:
    """The case key of the word without its accents and bars."""
    letters = unicodedata.normalize("NFD", _replaced(case_key(words), _BARRED))
    accents = filter(unicodedata.combining, set(letters))
    return _replaced(letters, dict.fromkeys(accents, ""))


def _replaced(text: str, table: Mapping[str, str]) -> str:
    """``text.translate``, but far faster for a small table, none of whose letters is a key."""
    for character, letters in table.items():
        text = text.replace(character, letters)
    return text


def each_line(spelling: Callable[[str], str], words: Sequence[str]) -> list[str]:
    """One of this module's spellings for each of many words."""
    lines = spelling("\n".join(words)).split("\n")
    if len(lines) == len(words):
        return lines
    return [spelling(word) for word in words]  # no words, or one with a line end
