"""A decoder reads a text token by token and gives, after each, the distribution of the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.errors import ModelError
from nextword.models.base import LanguageModel
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

CHUNK_TOKENS = 256
"""Tokens read in one call."""
CHUNK_NUMBERS = 1 << 23
"""Fewer tokens where the vocabulary is so large that their distributions would hold more numbers
than this."""


class Distributions(NamedTuple):
    """Predictive distributions, one after each token read."""

    log_probabilities: Tensor
    """``(positions, vocabulary)`` in nats; each row sums to one."""
    gate_features: Tensor
    """``(positions, features)``: cheap signs of how far to trust each row, see
    :mod:`nextword.inference.gating`."""


class Decoder(ABC):
    """A model at a position in one text, from the text's beginning on; it never looks ahead."""

    @abstractmethod
    def read(self, ids: Tensor) -> Distributions:
        """Read on.

        Args:
            ids: the next tokens ``(tokens,)`` of int64, at least one, on any device.

        Returns:
            A distribution after each token; no result depends on how a text is cut into calls.

        Raises:
            ModelError: the model gives NaN.
        """

    def unmixed(self, log_probabilities: Tensor) -> Tensor:
        """The network's own log-probabilities in the last call, whose result is passed in."""
        return log_probabilities


def tokens_per_chunk(vocabulary_size: int) -> int:
    """Tokens to read in one call, so that their distributions take little memory."""
    return max(1, min(CHUNK_TOKENS, CHUNK_NUMBERS // max(vocabulary_size, 1)))


def chunks_of(ids: NDArray[np.integer], vocabulary_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """A text in chunks that are read in one call each: tokens, and the tokens that follow them.

    Args:
        ids: ``(tokens,)``; the first token follows the end of a paragraph.
        vocabulary_size: size of the distributions.
    """
    framed = torch.from_numpy(np.concatenate([[END_ID], ids]).astype(np.int64))
    size = tokens_per_chunk(vocabulary_size)
    for start in range(0, len(ids), size):
        chunk = framed[start : start + size + 1]
        yield chunk[:-1], chunk[1:]


def gather_targets(log_probabilities: Tensor, targets: Tensor) -> Tensor:
    """Log-probabilities of the target tokens: ``(positions, vocabulary)`` to ``(positions,)``."""
    return log_probabilities.gather(1, targets.unsqueeze(1)).squeeze(1)


@dataclass(frozen=True, eq=False)
class ScoredPositions:
    """Some positions of a text: the predictive distributions and the tokens that followed."""

    log_probabilities: Tensor
    """``(positions, vocabulary)`` in nats."""
    targets: Tensor
    """``(positions,)``, on the same device."""

    @cached_property
    def target_log_probabilities(self) -> Tensor:
        """``(positions,)`` in nats."""
        return gather_targets(self.log_probabilities, self.targets)

    @cached_property
    def likelier(self) -> Tensor:
        """Bool ``(positions, vocabulary)``: the words more likely than the target."""
        return self.log_probabilities > self.target_log_probabilities.unsqueeze(1)


def score_stream(
    decoder: Decoder, ids: NDArray[np.integer], vocabulary_size: int
) -> Iterator[ScoredPositions]:
    """Let a model predict every token of a text; each is a target exactly once.

    The first token is predicted from the end of a paragraph.

    Args:
        decoder: fresh, at the beginning of a text.
        ids: ``(tokens,)``.
        vocabulary_size: size of the distributions.

    Raises:
        ModelError: the model gives NaN.
    """
    for tokens, following in chunks_of(ids, vocabulary_size):
        log_probabilities = decoder.read(tokens).log_probabilities
        _check_probabilities(log_probabilities)
        yield ScoredPositions(log_probabilities, following.to(log_probabilities.device))


def _check_probabilities(log_probabilities: Tensor) -> None:
    """Refuse NaN, ``(positions, vocabulary)``. Raises ModelError."""
    # one NaN makes the maximum of its row NaN
    if log_probabilities.amax(1).isnan().any():
        raise ModelError(
            "the model's probabilities are not numbers; its weights are damaged, or its "
            "training went wrong"
        )


class NetworkDecoder(Decoder):
    """A network: its state runs on from token to token, its weights stay as they are.

    Args:
        model: the network, on any device; put into evaluation mode.
    """

    num_features = 2
    """Gate features: the entropy of the distribution in nats, and its greatest log-probability."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model.eval()
        self._state = model.initial_state(1)
        self.features = torch.empty(0)
        """The network's features at the tokens of the last call, ``(tokens, size)``."""

    def read(self, ids: Tensor) -> Distributions:
        return with_network_features(self._read_on(ids.to(self.model.output.weight.device)))

    @torch.no_grad()
    def _read_on(self, ids: Tensor) -> Tensor:
        """Log-probabilities after each token, ``(tokens, vocabulary)``."""
        features, self._state = self.model.features(ids[None], self._state)
        self.features = features[0]
        scores: Tensor = self.model.output(self.features)
        log_probabilities = scores.float().log_softmax(1)
        _check_probabilities(log_probabilities)
        return log_probabilities


def with_network_features(log_probabilities: Tensor) -> Distributions:
    """A network's distributions with their gate features.

    Args:
        log_probabilities: ``(positions, vocabulary)``.
    """
    entropy = -(log_probabilities.exp() * log_probabilities).sum(1)
    return Distributions(log_probabilities, torch.stack([entropy, log_probabilities.amax(1)], 1))


class NgramDecoder(Decoder):
    """An n-gram model: it remembers the last few tokens and nothing else.

    Args:
        model: the counted n-grams, on the CPU.
        device: where the distributions are wanted.
    """

    def __init__(self, model: NgramModel, device: torch.device) -> None:
        self.model = model
        self.device = device
        self._before = model.initial_context()

    @torch.no_grad()
    def read(self, ids: Tensor) -> Distributions:
        contexts = self.model.contexts(ids.cpu(), self._before)
        self._before = contexts[-1]
        return Distributions(
            self.model.log_probabilities(contexts).to(self.device),
            self.model.gate_features(contexts).to(self.device),
        )
