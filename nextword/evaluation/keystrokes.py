"""Keystroke savings: keys that word predictions save a simulated typist.

Before the first letter and after every letter, the typist sees the ``k`` likeliest words that begin
with the letters typed so far. Once the word is among them, one key enters it with the space after
it. If no space follows in the text, such as before a comma, the keyboard removes its space by
itself, as on phones, and no key is saved for it. Unknown words and ends of paragraphs are typed in
full. This is the usual measure of word prediction (Newell and others, 1998; Trnka and McCoy, 2008).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nextword.text.vocabulary import SPECIAL_WORDS

SUGGESTIONS = 3
"""Words shown at once, as on a phone's keyboard."""


class Typist:
    """Counts the keys that suggestions save.

    Args:
        words: the vocabulary in id order, special words first; they are never suggested.
        suggestions: words shown at once.
    """

    def __init__(self, words: Sequence[str], suggestions: int = SUGGESTIONS) -> None:
        self.suggestions = suggestions
        special = len(SPECIAL_WORDS)
        order = sorted(range(special, len(words)), key=lambda i: words[i])
        self._order = np.array(order, dtype=np.int64)
        """Ids in alphabetical order, so that words with a common prefix are adjacent."""
        self._lengths = np.array([0] * special + [len(word) for word in words[special:]])
        self._starts = np.zeros(len(words), dtype=np.int64)
        self._first, self._last = self._prefix_ranges(words, order)

    def _prefix_ranges(
        self, words: Sequence[str], order: list[int]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """For each word and number of letters typed, the alphabetical range of that prefix.

        Entry ``starts[word] + typed - 1`` of the two results is the range's first index, and one
        more than its last.
        """
        sizes = np.maximum(self._lengths[order] - 1, 0)
        starts = np.cumsum(sizes) - sizes
        self._starts[order] = starts
        first = np.empty(int(sizes.sum()), dtype=np.int32)
        last = np.empty_like(first)
        indices = np.arange(len(order))
        shared = _shared_letters([words[i] for i in order])
        for typed in range(1, int(sizes.max(initial=0)) + 1):
            begins = np.flatnonzero(shared < typed)
            group = np.searchsorted(begins, indices, side="right")
            longer = sizes >= typed
            entries = starts[longer] + typed - 1
            first[entries] = begins[group[longer] - 1]
            last[entries] = np.append(begins, len(order))[group[longer]]
        return first, last

    def saved(
        self,
        likelier: NDArray[np.bool_],
        targets: NDArray[np.int64],
        spaced: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Keys saved at each position, ``(positions,)``.

        Args:
            likelier: bool ``(positions, vocabulary)``: words more probable than the target.
            targets: target words, ``(positions,)``.
            spaced: whether a space follows them, ``(positions,)``.
        """
        ahead = np.count_nonzero(likelier[:, len(SPECIAL_WORDS) :], axis=1)
        lengths = self._lengths[targets]
        hidden = ahead >= self.suggestions
        typed = np.where(hidden, lengths, 0)
        longer = np.flatnonzero(hidden & (lengths > 1))
        typed[longer] = 1 + self._letters_not_shown(likelier, targets, longer)
        # letters not typed and the space, less the key that enters the suggestion
        return np.where(typed < lengths, np.maximum(lengths - typed - 1 + spaced, 0), 0)

    def _letters_not_shown(
        self, likelier: NDArray[np.bool_], targets: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The number of prefixes, from one letter on, that do not show the word, ``(rows,)``."""
        if len(rows) == 0:
            return rows
        starts, counts = self._starts[targets[rows]], self._lengths[targets[rows]] - 1
        # all words with the same first letter, concatenated over positions
        low, high = self._first[starts], self._last[starts]
        columns = _ranges(low, high - low)
        flat = np.repeat(rows * likelier.shape[1], high - low)
        is_likelier = likelier.reshape(-1)[flat + self._order[columns]]
        before = np.concatenate([[0], np.cumsum(is_likelier, dtype=np.int32)])
        # for each prefix, the likelier words within its range
        entries = _ranges(starts, counts)
        shift = np.repeat(np.cumsum(high - low) - (high - low) - low, counts)
        rivals = before[self._last[entries] + shift] - before[self._first[entries] + shift]
        # rivals become fewer with each letter
        hidden = rivals >= self.suggestions
        return np.add.reduceat(hidden, np.cumsum(counts) - counts, dtype=np.int64)


def most_saved(lengths: NDArray[np.int64], spaced: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Keys saved if every word is shown before its first letter, ``(positions,)``.

    Args:
        lengths: letters of each word; 0 if it cannot be suggested.
        spaced: whether a space follows each word.
    """
    return np.where(lengths > 0, np.maximum(lengths - 1 + spaced, 0), 0)


def _shared_letters(alphabet: Sequence[str]) -> NDArray[np.int64]:
    """Length of the prefix that each word shares with the previous one, ``(words,)``."""
    shared = np.zeros(len(alphabet), dtype=np.int64)
    for i, (left, right) in enumerate(itertools.pairwise(alphabet), start=1):
        differing = (n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b)
        shared[i] = next(differing, min(len(left), len(right)))
    return shared


def _ranges(starts: NDArray[np.integer], counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """The concatenated ranges ``start, ..., start + count - 1``."""
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - counts), counts)
