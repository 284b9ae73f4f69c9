"""Chooses the column of a table, or the key of records, that holds the running text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from nextword.errors import TextError
from nextword.text.scripts import is_unspaced_letter

SAMPLE = 1000
"""Rows that the choice is made from."""
ADVICE = "name the one to read: --set text.column=NAME"
"""The end of every error about columns."""
_NO_TEXT = re.compile(
    r"[-+]?[\d.,:/\s%€$£()-]+"  # numbers, dates, times
    r"|\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[-+][\d:]+| UTC)?"
    r"|(?:https?|ftp)://\S+|[^\s@]+@[^\s@]+"
    r"|[0-9a-fA-F-]{8,}|(?i:true|false|yes|no|null|none|nan|n/a)"
)
_TAG = re.compile(r"</\w+>|<\w+ */?>")
_FEWEST_WORDS = 3


def is_data(value: str) -> bool:
    """Whether a value is a number, a date, an address or an identifier rather than words."""
    return _NO_TEXT.fullmatch(value.strip()) is not None


def count_running_text(values: Iterable[str]) -> int:
    """Characters of running text in a column's sample; the same value counts once.

    None of it counts where more than half of the values are data; text with tags counts half.
    """
    distinct = {value for value in values if value.strip()}
    words = [value for value in distinct if not is_data(value)]
    if 2 * len(words) < len(distinct):
        return 0
    return sum(_weight(value) for value in words)


def is_running(values: Iterable[str]) -> bool:
    """Whether a column's values are mostly of several words."""
    filled = [value for value in values if value.strip()]
    return 2 * sum(map(_runs, filled)) > len(filled)


def _weight(value: str) -> int:
    if not _runs(value):
        return 1
    return len(value) // 2 if _TAG.search(value) else len(value)


def _runs(value: str) -> bool:
    """Whether a value is of several words, or of several letters of a script without spaces."""
    words = len(value.split(None, _FEWEST_WORDS))
    return words >= _FEWEST_WORDS or sum(map(is_unspaced_letter, value[:20])) >= _FEWEST_WORDS


def choose(sample: Mapping[str, Sequence[str]], what: str) -> str:
    """The name of the column with the most running text.

    Args:
        sample: values by column name.
        what: the beginning of the error: the file's name, and "none of its columns" or the like.

    Raises:
        TextError: no column holds text.
    """
    scores = {name: count_running_text(values) for name, values in sample.items()}
    best = max(scores, key=lambda name: scores[name], default=None)
    if best is None or scores[best] == 0:
        raise TextError(f"{what} hold running text ({listed(sample)}); {ADVICE}")
    return best


def listed(names: Iterable[str], most: int = 12) -> str:
    """Column names for a message; the rest of many is left out."""
    shown = [repr(name if len(name) <= 40 else f"{name[:39]}…") for name in names]
    return ", ".join(shown[:most] + ["..."] * (len(shown) > most)) or "none"
