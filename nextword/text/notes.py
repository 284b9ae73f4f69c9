"""Lines for the user about a text: how it begins, what is held out, and warnings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nextword.config.schema import Holdout, TextConfig
from nextword.formatting import counted, escape_control
from nextword.text.readers import TextReader

FIRST_WORDS = 10
"""Words of a text that are shown."""
_FIRST_CHARACTERS = 80
"""Characters of a text that are shown at most."""


def beginning(words: list[str]) -> str:
    """A line with the text's first words, of bounded length."""
    shown = " ".join(words[:FIRST_WORDS])
    if len(shown) > _FIRST_CHARACTERS:
        shown = shown[:_FIRST_CHARACTERS].rpartition(" ")[0] or shown[:_FIRST_CHARACTERS]
    return f"it begins: {escape_control(shown)} ..."


def finer_division(text: TextConfig, reader: TextReader) -> str:
    """Advice on dividing the text into more paragraphs; empty if there is no other way.

    Args:
        text: the ``text`` section.
        reader: has read the whole text.
    """
    if text.tokenizer == "whitespace" or "lines" in reader.modes:
        return ""
    others = " or ".join(mode for mode in ("lines", "indents") if mode not in reader.modes)
    return f"say how its paragraphs are marked (--set text.paragraphs={others})"


def warn_of_large_parts(
    lengths: NDArray[np.int64], parts: NDArray[np.uint8], shares: Holdout, unit: str, advice: str
) -> list[str]:
    """A warning about each held-out part that is far larger than asked for.

    Args:
        lengths: words of each paragraph, ``(paragraphs,)``.
        parts: the part of each paragraph as in :mod:`nextword.text.split`, ``(paragraphs,)``.
        shares: the shares that were asked for.
        unit: ``paragraph`` or ``line``.
        advice: another way to more of them; empty if there is none.
    """
    notes = []
    for number, name, asked in ((1, "validation", shares.valid), (2, "test", shares.test)):
        share = int(lengths[parts == number].sum()) / int(lengths.sum())
        if share > 2 * asked and share > asked + 0.02:
            notes.append(
                f"warning: {share:.1%} of the text is held out for {name} instead of {asked:.1%}, "
                f"since it has only {len(lengths):,} {unit}s: provide more text"
                f"{f', or {advice}' if advice else ''}"
            )
    return notes


def describe_parts(lengths: NDArray[np.int64], parts: NDArray[np.uint8]) -> str:
    """A sentence about the held-out parts; arguments as in :func:`warn_of_large_parts`."""
    total = int(lengths.sum())
    phrases = []
    for number, name in ((1, "validation"), (2, "test")):
        held = parts == number
        if not held.any():
            continue
        share = 100 * int(lengths[held].sum()) / total
        blocks = int((np.diff(held.astype(np.int8), prepend=0) == 1).sum())
        words = int(lengths[held].sum()) / blocks
        about = f"{round(words, -2 if words >= 1000 else 0):,.0f}"
        phrases.append(
            f"{share:.1f} % for {name} ({counted(blocks, 'block')} of about {about} words)"
        )
    if not phrases:
        return "held out: nothing"
    return f"held out: {', '.join(phrases)}, spread over the text"
