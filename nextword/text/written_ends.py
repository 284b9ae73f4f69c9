"""Ends of lines that are written out in tokenized text, such as ``<eos>`` or ``</s>``."""

from __future__ import annotations

import re

from nextword.text.vocabulary import END

_LITERAL_END = rf"(?i)(?<!\S)(?:{END}|</?s>|<bos>|<\|endoftext\|>)(?!\S)"
"""Marks around a line that other programs write, in tokenized text."""


def split_at_ends(line: str) -> list[str]:
    """A line of tokenized text cut at each literal ``<eos>``, ``</s>`` or the like.

    Each part is one line. A mark at the line's beginning or end, or twice in a row, is the line's
    own and counts once.

    Args:
        line: without its line end.
    """
    if "<" not in line:
        return [line]
    first, *others = re.split(_LITERAL_END, line)
    if not others:
        return [line]
    return [part.strip() for part in (first, *others) if part.strip()] or [""]


def written_end(line: str) -> str:
    """The mark of an end at the end of a line, such as ``<eos>``; empty where there is none."""
    last = line.rsplit(maxsplit=1)[-1:]
    return last[0] if last and re.fullmatch(_LITERAL_END, last[0]) else ""
