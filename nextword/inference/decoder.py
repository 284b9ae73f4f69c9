"""A place in a text, and the walk through a whole text from its first word to its last."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.text.vocabulary import END_ID

PLACES = 256
"""Words read between two looks at the forecasts."""
NUMBERS = 1 << 23
"""Fewer words where the vocabulary is so large that their forecasts were more numbers than this."""


class Distributions(NamedTuple):
    """What is said after each of some words."""

    log_probabilities: Tensor
    """Of every word to come next, ``(places, vocabulary)`` in nats; each row sums to one."""
    gate_features: Tensor
    """What is cheap to see of how far to trust this, ``(places, signs)``."""


class Decoder(ABC):
    """One reader's place in one text, from its beginning on; never looks ahead."""

    @abstractmethod
    def read(self, ids: Tensor) -> Distributions:
        """Read on.

        Args:
            ids: the next words ``(words,)`` of int64, at least one, on any device.

        Returns:
            A forecast after each of them; no result depends on how a text is cut into calls.
        """


def positions_at_once(vocabulary_size: int) -> int:
    """How many words to read in one call, so that their forecasts take little memory."""
    return max(1, min(PLACES, NUMBERS // max(vocabulary_size, 1)))


def chunks_of(ids: NDArray[np.integer], vocabulary_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """A text in pieces that are read in one call each: words, and the words that follow them.

    Args:
        ids: word ids ``(words,)``; before the first stands the end of a paragraph.
        vocabulary_size: words that may come.
    """
    framed = torch.from_numpy(np.concatenate([[END_ID], ids]).astype(np.int64))
    places = positions_at_once(vocabulary_size)
    for start in range(0, len(ids), places):
        here = framed[start : start + places + 1]
        yield here[:-1], here[1:]


def gather_targets(log_probabilities: Tensor, targets: Tensor) -> Tensor:
    """What was said of the words that came: of ``(places, vocabulary)`` the ``(places,)``."""
    return log_probabilities.gather(1, targets.unsqueeze(1)).squeeze(1)


class ScoredPositions(NamedTuple):
    """Some places of a text: how likely each word was there, and the word that came."""

    log_probabilities: Tensor
    """``(places, vocabulary)`` in nats."""
    targets: Tensor
    """``(places,)``, on the same device."""
    gate_features: Tensor
    """``(places, signs)``."""

    @property
    def own(self) -> Tensor:
        """Log-probability of the word that came, ``(places,)``."""
        return gather_targets(self.log_probabilities, self.targets)


def score_stream(
    decoder: Decoder, ids: NDArray[np.integer], vocabulary_size: int
) -> Iterator[ScoredPositions]:
    """Walk through a text; each of its words is a target exactly once.

    The first word is foreseen from the end of a paragraph.

    Args:
        reading: fresh, at the beginning of a text.
        ids: word ids ``(words,)``.
        vocabulary_size: words that may come.
    """
    for words, following in chunks_of(ids, vocabulary_size):
        forecast = decoder.read(words)
        targets = following.to(forecast.log_probabilities.device)
        yield ScoredPositions(forecast.log_probabilities, targets, forecast.gate_features)
