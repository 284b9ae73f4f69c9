"""Which words have an id, and how often the training part has each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "<unk>"
"""Id 0: stands for every word outside the vocabulary."""
END = "<eos>"
"""Id 1: the end of a paragraph (``words``) or of a line (``whitespace``)."""
SPECIAL_WORDS = (UNKNOWN, END)
UNKNOWN_ID, END_ID = 0, 1


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words in id order: the special ones, then by falling count, equal counts alphabetically."""

    words: tuple[str, ...]
    """A word's position is its id."""
    counts: NDArray[np.int64]
    """(len(words),): occurrences in the training part."""

    @classmethod
    def from_counts(
        cls, words: Sequence[str], counts: NDArray[np.int64], max_size: int, min_count: int
    ) -> Vocabulary:
        """The ``max_size`` most frequent words (special ones included) seen ``min_count`` times.

        ``words`` may hold the special words at any place, or lack them. What falls out is counted
        for the unknown word, as are its literal occurrences.
        """
        count_of = dict(zip(words, (int(count) for count in counts), strict=True))
        total = sum(count_of.values())
        end = count_of.pop(END, 0)
        count_of.pop(UNKNOWN, None)
        least = max(min_count, 1)
        ranked = sorted(
            (word for word, count in count_of.items() if count >= least),
            key=lambda word: (-count_of[word], word),
        )[: max(max_size - len(SPECIAL_WORDS), 0)]
        kept = [count_of[word] for word in ranked]
        unknown = total - end - sum(kept)
        return cls((*SPECIAL_WORDS, *ranked), np.array([unknown, end, *kept], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def index(self) -> dict[str, int]:
        """The id of every word."""
        return {word: number for number, word in enumerate(self.words)}
