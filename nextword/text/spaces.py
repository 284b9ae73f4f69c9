"""Where spaces stand between the words of a text: the tokenizer does not keep them."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

# what the tokenizer's regular expressions call a space; Python's own idea holds four more
_SPACES = re.compile(r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def spaces_behind(
    text: str, lengths: NDArray[np.integer], lowercase: bool = False
) -> NDArray[np.bool_]:
    """Whether a space follows each word of a paragraph or line, ``(words,)``.

    Args:
        text: the paragraph or line.
        lengths: letters of each of its words as the tokenizer spells them, ``(words,)``.
        lowercase: whether the tokenizer spells them small, which can change their length.
    """
    normal = unicodedata.normalize("NFC", text)
    normal = normal.lower() if lowercase else normal
    # numbers, not texts: a paragraph may be a whole book in one line
    places = (number for space in _SPACES.finditer(normal) for number in space.span())
    starts, ends = np.fromiter(places, dtype=np.int64).reshape(-1, 2).T
    letters = starts - np.cumsum(ends - starts) + (ends - starts)
    # words fill the text between spaces without a gap, so spaces aside their ends meet
    behind: NDArray[np.bool_] = np.isin(np.cumsum(lengths), letters)
    if len(behind):
        behind[-1] = len(ends) > 0 and ends[-1] == len(normal)  # the text ends in a space
    return behind
