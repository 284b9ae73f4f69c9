"""Prompts that fit a text, so that one can see the network learn it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nextword.text.tokenizer import Tokenizer

ARTICLE_PROMPT = "Napoleon was the Emperor of"
"""The example of the article that the program implements."""
WORDS = 5
"""Words of a prompt that is taken from the text."""


def default_prompts(
    tokenizer: Tokenizer, held_out: NDArray[np.integer], wanted: int = 3
) -> list[str]:
    """The article's prompt where the text knows its words, and beginnings of held-out paragraphs.

    Args:
        tokenizer: words and ids.
        held_out: ids of the validation part ``(words,)``.
        wanted: how many prompts.
    """
    prompts = [] if tokenizer.unknown_words(ARTICLE_PROMPT) else [ARTICLE_PROMPT]
    ends = np.flatnonzero(held_out == tokenizer.end_id)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.zeros(1, dtype=np.int64)
    fitting = [
        start
        for start in starts
        if _readable(held_out[start : start + WORDS], tokenizer.unknown_id, tokenizer.end_id)
    ]
    missing = wanted - len(prompts)
    for place in np.linspace(0, len(fitting) - 1, missing) if fitting else ():
        ids: Sequence[int] = held_out[fitting[int(place)] :][:WORDS].tolist()
        prompts.append(tokenizer.decode(ids))
    return list(dict.fromkeys(prompts))


def _readable(ids: NDArray[np.integer], unknown: int, end: int) -> bool:
    return len(ids) == WORDS and not np.isin(ids, (unknown, end)).any()
