"""Gives text that looks alike one spelling, before a text or a prompt is split into words.

Letters are composed (Unicode NFC), ligatures become their letters, and marks that nobody sees or
types are dropped. :mod:`nextword.text.matching` goes further for typed words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

INVISIBLE = (
    "\u00ad"  # soft hyphen
    "\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"  # marks of direction, separators without width
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
)
"""Characters that are dropped, for a regular expression's character class."""
# letters of two sounds (IJ, DZ with caron ...), of Latin, Armenian and Arabic typesetting
_JOINED = (
    (0x0132, 0x0133),
    (0x01C4, 0x01CC),
    (0x01F1, 0x01F3),
    (0xFB00, 0xFB06),
    (0xFB13, 0xFB17),
    (0xFB50, 0xFBB1),
    (0xFBD3, 0xFD3D),
    (0xFD50, 0xFDC7),
    (0xFE70, 0xFEFC),
)
_DOTTED_CAPITAL = "\u0130"


@cache
def _letters() -> dict[int, str]:
    """The letters of each joined form; forms that NFKC writes with a space stay as they are."""
    plain = {
        code: unicodedata.normalize("NFKC", chr(code))
        for first, last in _JOINED
        for code in range(first, last + 1)
    }
    return {code: text for code, text in plain.items() if " " not in text}


@cache
def _odd() -> re.Pattern[str]:
    return re.compile(f"[{INVISIBLE}{''.join(map(chr, _letters()))}]")


def clean(text: str) -> str:
    """The text in NFC, ligatures as letters, without invisible marks; idempotent.

    Joiners (U+200C, U+200D) and variation selectors stay: Persian, the Indic scripts and emoji are
    spelled with them. Lone surrogates, which stem from undecodable bytes in a shell, are replaced.
    """
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if _odd().search(text):
        text = _odd().sub(lambda match: _letters().get(ord(match[0]), ""), text)
    return unicodedata.normalize("NFC", text)


def normalize(text: str, lowercase: bool) -> str:
    """The text as a tokenizer splits it.

    Args:
        text: any text.
        lowercase: also fold case. A sigma at a word's end becomes the final one, and the dot of
            the Turkish capital İ is dropped. Turkish I becomes i, not ı: that needs the language.
    """
    text = clean(text)
    return text.replace(_DOTTED_CAPITAL, "i").lower() if lowercase else text
