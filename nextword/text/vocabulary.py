"""The words that have an id, and their counts in the training part."""

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
    """Words in id order: special words, then by decreasing count, then alphabetically."""

    words: tuple[str, ...]
    """A word's position is its id."""
    counts: NDArray[np.int64]
    """``(words,)``: occurrences in the training part."""

    @classmethod
    def from_counts(
        cls, words: Sequence[str], counts: NDArray[np.int64], max_size: int, min_count: int
    ) -> Vocabulary:
        """The most frequent words; the others count as unknown, as does a literal ``<unk>``.

        Args:
            words: all words of the text, with or without the special words.
            counts: occurrences of each, ``(words,)``.
            max_size: size of the vocabulary at most, special words included.
            min_count: fewest occurrences of a word in the vocabulary.
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
