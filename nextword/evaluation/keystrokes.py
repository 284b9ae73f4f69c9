"""What predictions save a person who types: keys pressed with them against keys without.

A simulated typist sees the ``k`` likeliest words that begin with what is typed of the current
word, after every letter and before the first. As soon as the word is among them, one key takes it
and the space behind it. Where no space follows in the text, such as before a comma, the keyboard
takes its space back by itself, as telephones do: none is saved. Words that the vocabulary lacks,
and ends of paragraphs, are typed in full. The measure is that of the word-prediction field (Newell
and others, 1998; Trnka and McCoy, 2008).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.text.vocabulary import SPECIAL_WORDS

SUGGESTIONS = 3
"""Words shown at once, as on a telephone's keyboard."""


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
        self._order = torch.tensor(order, dtype=torch.int64)
        """Ids in the order of the alphabet: words that begin alike stand together."""
        self._lengths = np.array([0] * special + [len(word) for word in words[special:]])
        self._starts = np.zeros(len(words), dtype=np.int64)
        self._first, self._behind = self._neighbourhoods(words, order)

    def _neighbourhoods(
        self, words: Sequence[str], order: list[int]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Which places of the alphabet begin like a word, for each number of letters typed.

        The entry ``starts[word] + typed - 1`` says the first of them, and the one behind the last.
        """
        sizes = np.maximum(self._lengths[order] - 1, 0)
        starts = np.cumsum(sizes) - sizes
        self._starts[order] = starts
        first = np.empty(int(sizes.sum()), dtype=np.int32)
        behind = np.empty_like(first)
        places = np.arange(len(order))
        shared = _shared_letters([words[i] for i in order])
        for typed in range(1, int(sizes.max(initial=0)) + 1):
            begins = np.flatnonzero(shared < typed)
            group = np.searchsorted(begins, places, side="right")
            longer = sizes >= typed
            entries = starts[longer] + typed - 1
            first[entries] = begins[group[longer] - 1]
            behind[entries] = np.append(begins, len(order))[group[longer]]
        return first, behind

    def saved(
        self, likelier: Tensor, targets: NDArray[np.int64], spaced: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Keys saved at each of some places, ``(places,)``.

        Args:
            likelier: bool ``(places, vocabulary)``: the words likelier than the one that came.
            targets: the words that came, ``(places,)``.
            spaced: whether a space follows them, ``(places,)``.
        """
        ahead = likelier.sum(1, dtype=torch.int32) - likelier[:, : len(SPECIAL_WORDS)].sum(1)
        lengths = self._lengths[targets]
        hidden = ahead.cpu().numpy() >= self.suggestions
        typed = np.where(hidden, lengths, 0)
        longer = np.flatnonzero(hidden & (lengths > 1))
        typed[longer] = 1 + self._letters_in_vain(likelier, targets, longer)
        # letters not typed and the space, less the key that takes the suggestion
        return np.where(typed < lengths, np.maximum(lengths - typed - 1 + spaced, 0), 0)

    def _letters_in_vain(
        self, likelier: Tensor, targets: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """After how many letters, from the first on, the word is not shown yet, ``(rows,)``."""
        if len(rows) == 0:
            return rows
        starts, counts = self._starts[targets[rows]], self._lengths[targets[rows]] - 1
        # all words that begin with the same letter, one place's after the other's
        low, high = self._first[starts], self._behind[starts]
        columns = _ranges(low, high - low)
        flat = np.repeat(rows * likelier.shape[1], high - low)
        device = likelier.device
        index = torch.from_numpy(flat).to(device) + self._order[torch.from_numpy(columns)].to(
            device
        )
        found = likelier.flatten()[index].cpu().numpy()
        before = np.concatenate([[0], np.cumsum(found, dtype=np.int32)])
        # of these, the ones that begin with as many letters as are typed
        entries = _ranges(starts, counts)
        shift = np.repeat(np.cumsum(high - low) - (high - low) - low, counts)
        rivals = before[self._behind[entries] + shift] - before[self._first[entries] + shift]
        # the more letters, the fewer rivals
        in_vain = rivals >= self.suggestions
        return np.add.reduceat(in_vain, np.cumsum(counts) - counts, dtype=np.int64)


def most_saved(lengths: NDArray[np.int64], spaced: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Keys saved where each word is on offer before its first letter, ``(places,)``.

    Args:
        lengths: letters of each word; 0 where it is none that can be suggested.
        spaced: whether a space follows it.
    """
    return np.where(lengths > 0, np.maximum(lengths - 1 + spaced, 0), 0)


def _shared_letters(alphabet: Sequence[str]) -> NDArray[np.int64]:
    """Letters with which each word begins like the one before it."""
    shared = np.zeros(len(alphabet), dtype=np.int64)
    for place in range(1, len(alphabet)):
        left, right = alphabet[place - 1], alphabet[place]
        most = min(len(left), len(right))
        letters = 0
        while letters < most and left[letters] == right[letters]:
            letters += 1
        shared[place] = letters
    return shared


def _ranges(starts: NDArray[np.integer], counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Of each pair, ``start, start + 1, ...``, ``count`` numbers; one pair after the other."""
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - counts), counts)
