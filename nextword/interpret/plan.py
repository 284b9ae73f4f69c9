"""Where a text is looked at to measure memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nextword.errors import TextError
from nextword.interpret.context import contexts_up_to
from nextword.text.tokenized import TokenizedText
from nextword.text.vocabulary import END_ID

REACH, PLACES = 100, 200
SLOW = 10
"""So many times as long takes a word of the walk through the text, or one whose gradient is taken,
as a word of a short context."""
MORE = 10
"""So many times as many places are foretold with short contexts as have their gradients taken:
a difference of 1 % in perplexity wants more of them."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Where a text is looked at, evenly spread over it."""

    ids: NDArray[np.int64]
    """The text with the end of a paragraph before it, ``(words + 1,)``."""
    reach: int
    """Words that are looked back."""
    places: int
    """Where gradients are taken, at most."""

    @cached_property
    def gradient_places(self) -> NDArray[np.int64]:
        """The last word before each loss."""
        return self._spread(self.places)

    @cached_property
    def context_places(self) -> NDArray[np.int64]:
        """The last word before each that is foretold."""
        return self._spread(MORE * self.places)

    @property
    def contexts(self) -> list[int]:
        """Words that the network may see, one measurement each."""
        return contexts_up_to(self.reach)

    def work(self, recurrent: bool) -> int:
        """All of it, counted in words of short contexts, which are read many at a time."""
        backward = self.reach * len(self.gradient_places) if recurrent else 0
        last = max(int(self.context_places[-1]), int(self.gradient_places[-1]))
        return SLOW * (last + 1 + backward) + sum(self.contexts) * len(self.context_places)

    def _spread(self, count: int) -> NDArray[np.int64]:
        last = len(self.ids) - 2
        return np.unique(np.linspace(self.reach, last, count).astype(np.int64))


def plan(part: TokenizedText, reach: int = REACH, places: int = PLACES) -> Plan:
    """Where to look at a text.

    Raises:
        TextError: it is too short to look so far back.
    """
    # the text begins at the end of a paragraph, as for every reader
    ids = np.concatenate([[END_ID], part.ids]).astype(np.int64)
    if len(ids) < reach + 2:
        raise TextError(
            f"{part.name}: holds {len(part.ids):,} words, too few to look {reach} words back; "
            "lower --reach or name a longer --text"
        )
    return Plan(ids, reach, places)
