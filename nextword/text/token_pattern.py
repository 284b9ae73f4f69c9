"""The regular expressions that split text into tokens.

Python's ``re`` splits text of Western European characters. All other text needs a library with full
Unicode support, whose import takes longer than a prediction.
"""

from __future__ import annotations

import re
from functools import cache

from nextword.text.detokenizer import Kind
from nextword.text.scripts import UNSPACED_LETTERS

_MARK = r"[\p{M}\u200c\u200d]"
_SPACED = rf"[[\p{{L}}\p{{N}}]&&[^{UNSPACED_LETTERS}]]"
_LETTER = rf"[\p{{L}}&&[^{UNSPACED_LETTERS}]]"
_RUNS = r"\.{2,}|-{2,}|‐{2,}|–{2,}|—{2,}|―{2,}|…+"
_WORD_PARTS = (
    rf"{_SPACED}{_MARK}*",
    rf"['’·](?={_SPACED})",  # don't, d'Artagnan
    rf"[-‐‑־](?={_LETTER})",  # absent-minded, 22-year-old, and the Hebrew maqaf
    r"(?<=\p{Hebrew})[\"״׳](?=\p{Hebrew})",  # acronyms and sounds that Hebrew has no letter for
    r"(?<=\p{Armenian})[՛՜՞](?=\p{Armenian})",  # the question mark stands after its vowel
    r"(?<=[\p{L}\p{M}])[-‐‑](?=\p{N})",  # mid-1805, but not 1805-1812
    r"(?<=\p{Nd})[.,:٫٬](?=\p{Nd})",  # 1,000 3.14 12:30 ٣٫١٤
)
PATTERNS: dict[Kind, str] = {
    "words": "|".join(
        (
            rf"[{UNSPACED_LETTERS}]{_MARK}*",  # a Han, kana or Thai character is a token
            rf"{_SPACED}{_MARK}*(?:{'|'.join(_WORD_PARTS)})*",
            _RUNS,
            r"(?!\s)\X",  # punctuation, symbols, emoji: one grapheme cluster
        )
    ),
    "whitespace": r"\S+",
}
"""Regular expressions of a token, in the syntax of Oniguruma."""

_WESTERN = "\x00-\x7f\xa1-\xac\xae-\u024f‐-―‘-‟…"
"""Characters that are each a grapheme cluster; the only white space among them is ASCII."""
_WESTERN_LETTER = "A-Za-zªµºÀ-ÖØ-öø-\u024f"
_WESTERN_NUMBER = "0-9²³¹¼½¾"
_BLANK = r"\t-\r "
_WESTERN_PATTERNS: dict[Kind, str] = {
    "words": (
        rf"[{_WESTERN_LETTER}{_WESTERN_NUMBER}]"
        rf"(?:[{_WESTERN_LETTER}{_WESTERN_NUMBER}]"
        rf"|['’·](?=[{_WESTERN_LETTER}{_WESTERN_NUMBER}])"
        rf"|[-‐‑](?=[{_WESTERN_LETTER}])"
        rf"|(?<=[{_WESTERN_LETTER}])[-‐‑](?=[{_WESTERN_NUMBER}])"
        r"|(?<=[0-9])[.,:](?=[0-9]))*"
        rf"|{_RUNS}|[^{_BLANK}]"
    ),
    "whitespace": rf"[^{_BLANK}]+",
}
""":data:`PATTERNS` for Western European characters alone, in Python's syntax."""


@cache
def _western(kind: Kind) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(f"[{_WESTERN}]*"), re.compile(_WESTERN_PATTERNS[kind])


def split_western(text: str, kind: Kind) -> list[str] | None:
    """The tokens of a normalised text; None if it has a character that is not Western European."""
    all_western, token = _western(kind)
    return token.findall(text) if all_western.fullmatch(text) else None
