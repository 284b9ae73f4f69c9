"""Text on a terminal: how many columns it takes, and whether colours are wanted."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextword.cli.terminal import is_terminal
from nextword.formatting import escape_control, percent

if TYPE_CHECKING:
    from nextword.inference.session import Prediction

PILCROW = "¶"
"""Shown for the end of a paragraph or line."""
MAX_LINE_WIDTH = 88
"""Columns of running text; longer lines are hard to read."""
BAR_WIDTH = 24
"""Columns of the longest bar in a list of predictions or neighbours."""
_NARROW = re.compile(r"[\x20-\x7e\xa0-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027]*")
"""Text of one column a character: Latin, Greek, Cyrillic, Armenian, and their marks."""


def shown_word(word: str) -> str:
    """A vocabulary word, made harmless; the end of a paragraph is a pilcrow."""
    from nextword.text.vocabulary import END

    return PILCROW if word == END else escape_control(word)


def quoted_mark(word: str) -> str:
    """A vocabulary word, made harmless; a mark of punctuation is put in quotation marks."""
    shown = shown_word(word)
    quote = "'" if '"' in shown else '"'
    return shown if any(map(str.isalnum, word)) else f"{quote}{shown}{quote}"


def columns_of(text: str) -> int:
    """How many columns a text takes: wide letters two, combining marks none."""
    if _NARROW.fullmatch(text):
        return len(text)
    from wcwidth import wcswidth  # its tables of all characters take a while to import

    return max(0, wcswidth(text))


def padded(text: str, width: int) -> str:
    """A text followed by spaces up to a width in columns."""
    return text + " " * (width - columns_of(text))


def prediction_lines(predictions: Sequence[Prediction]) -> list[str]:
    """Aligned lines of word, probability, and a bar relative to the likeliest word."""
    words = [quoted_mark(prediction.word) for prediction in predictions]
    width = max(map(columns_of, words), default=0)
    most = max((prediction.probability for prediction in predictions), default=1.0)
    return [
        f"{padded(word, width)}  {percent(prediction.probability):>7}  "
        f"{'█' * round(BAR_WIDTH * prediction.probability / most)}"
        for word, prediction in zip(words, predictions, strict=True)
    ]


def line_width() -> int:
    """Columns for running text on this terminal."""
    return max(20, min(shutil.get_terminal_size().columns, MAX_LINE_WIDTH))


def colours_wanted() -> bool:
    """Whether stdout is a terminal with colours and the user has not declined (no-color.org)."""
    without = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return is_terminal(sys.stdout) and not without
