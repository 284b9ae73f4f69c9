"""What predictions save a person who types: keys pressed with them against keys without.

A simulated typist sees the ``k`` likeliest words that begin with what is typed of the current
word, after every letter and before the first. When the word is among them, one key takes it and
the space behind it. Words that the vocabulary lacks, and everything else, is typed letter by
letter. The measure is that of the word-prediction field (Trnka and McCoy, 2008).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nextword.text.vocabulary import SPECIAL_WORDS

SUGGESTIONS = 3
"""Words shown at once, as on a telephone's keyboard."""
_END_OF_ALPHABET = "\U0010ffff"


class Typist:
    """Counts the keys that suggestions save.

    Args:
        words: the vocabulary in id order.
        suggestions: words shown at once.
    """

    def __init__(self, words: Sequence[str], suggestions: int = SUGGESTIONS) -> None:
        self.suggestions = suggestions
        special = len(SPECIAL_WORDS)
        order = sorted(range(special, len(words)), key=lambda i: words[i])
        alphabet = np.array([words[i] for i in order] or [""], dtype=object)
        self.order = torch.tensor(order, dtype=torch.int64)
        lengths = [0] * special + [len(word) for word in words[special:]]
        self.lengths = torch.tensor(lengths)
        longest = max(lengths, default=0)
        # words that begin alike stand together in the alphabet: from ``first`` to ``last``
        self.first = torch.zeros(len(words), longest, dtype=torch.int64)
        self.last = torch.zeros(len(words), longest, dtype=torch.int64)
        for typed in range(longest):
            ids = [i for i in order if len(words[i]) > typed]
            begins = [words[i][:typed] for i in ids]
            self.first[ids, typed] = torch.tensor(np.searchsorted(alphabet, begins, "left"))
            ends = [begin + _END_OF_ALPHABET for begin in begins]
            self.last[ids, typed] = torch.tensor(np.searchsorted(alphabet, ends, "right"))

    def saved(self, scores: Tensor, targets: Tensor) -> int:
        """Keys saved over some places.

        Args:
            scores: of every word at every place, ``(places, vocabulary)``.
            targets: the words that came, ``(places,)``.
        """
        if len(self.order) == 0:
            return 0
        self._move_to(scores.device)
        own = scores.gather(1, targets.unsqueeze(1))
        better = torch.zeros(
            len(targets), len(self.order) + 1, dtype=torch.int32, device=scores.device
        )
        torch.cumsum(scores[:, self.order] > own, 1, dtype=torch.int32, out=better[:, 1:])
        ahead = better.gather(1, self.last[targets]) - better.gather(1, self.first[targets])
        lengths = self.lengths[targets]
        typed = torch.arange(self.first.shape[1], device=scores.device)
        shown = (ahead < self.suggestions) & (typed < lengths.unsqueeze(1))
        # letters not typed, and the space; less the key that takes the suggestion
        spared = torch.where(shown, lengths.unsqueeze(1) - typed, 0)
        return int(spared.amax(1).sum())

    def _move_to(self, device: torch.device) -> None:
        if self.order.device != device:
            self.order, self.lengths = self.order.to(device), self.lengths.to(device)
            self.first, self.last = self.first.to(device), self.last.to(device)
