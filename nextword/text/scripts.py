"""Scripts that are written without spaces between words."""

from __future__ import annotations

from bisect import bisect_right

_LETTERS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1980, 0x19FF),  # New Tai Lue, Khmer symbols
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3021, 0x3035),  # Hangzhou numerals, kana repeat marks
    (0x3038, 0x303C),
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # Bopomofo and Katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar extensions
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),  # Han compatibility forms
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x1AFF0, 0x1B16F),  # Kana extensions
    (0x20000, 0x3FFFD),  # Han extensions B and later
)
_PUNCTUATION = (
    (0x3001, 0x3004),
    (0x3008, 0x3020),
    (0x3036, 0x3037),
    (0x303D, 0x303F),
    (0xFE30, 0xFE4F),
    (0xFF01, 0xFF0F),
    (0xFF1A, 0xFF20),
    (0xFF3B, 0xFF40),
    (0xFF5B, 0xFF65),
)


def _ranges(pairs: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in pairs)


UNSPACED_LETTERS = _ranges(_LETTERS)
"""For a regular expression's character class: letters that are a token each."""


def _bounds(pairs: tuple[tuple[int, int], ...]) -> list[int]:
    """The beginning of each range and of each gap behind one, in order."""
    return [bound for first, last in sorted(pairs) for bound in (first, last + 1)]


_UNSPACED, _UNSPACED_LETTER = _bounds(_LETTERS + _PUNCTUATION), _bounds(_LETTERS)


def is_unspaced(character: str) -> bool:
    """Whether the character is a letter or wide punctuation of a script without spaces."""
    return bisect_right(_UNSPACED, ord(character)) % 2 == 1


def is_unspaced_letter(character: str) -> bool:
    """Whether the character is a letter of a script without spaces."""
    return bisect_right(_UNSPACED_LETTER, ord(character)) % 2 == 1
