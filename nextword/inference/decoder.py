"""A decoder reads a text token by token and gives, after each, the distribution of the next.

Reading follows the order of the text and is quick. The distributions over the whole vocabulary take
most of the time, and each depends only on what was read up to its position. So a decoder reads on
and returns a :class:`Readout`, from which the caller computes the distributions it wants: the last
one, or all of them in several threads.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.inference.networks import Array, Network
from nextword.ngram.model import NgramModel

CHUNK_TOKENS = 256
"""Tokens read in one call, at most."""
CHUNK_NUMBERS = 1 << 23
"""Probabilities after the tokens of one call, at most: a larger vocabulary means fewer tokens."""
SMALLEST = np.finfo(np.float32).tiny
"""The least probability whose logarithm is taken; smaller ones count as this."""

Ids = NDArray[np.int64]
D = TypeVar("D", covariant=True)
AnyDecoder = TypeVar("AnyDecoder", bound="Decoder")


def tokens_per_chunk(vocabulary_size: int) -> int:
    """Tokens to read in one call, so that their distributions take little memory."""
    return max(1, min(CHUNK_TOKENS, CHUNK_NUMBERS // max(vocabulary_size, 1)))


class Distributions:
    """Predictive distributions, one after each token read.

    Args:
        probabilities: ``(positions, vocabulary)``; each row sums to one.
        gate_features: ``(positions, features)``, by which a gate decides how far to trust each row;
            see :mod:`nextword.inference.gating`.
        log_probabilities: in nats, if known more exactly than from ``probabilities``.
        unmixed: the network's own distributions, if others are mixed with them.
    """

    def __init__(
        self,
        probabilities: Array,
        gate_features: Array,
        log_probabilities: Array | None = None,
        unmixed: Distributions | None = None,
    ) -> None:
        self.probabilities = probabilities
        self.gate_features = gate_features
        self._unmixed = unmixed
        self._log_probabilities = log_probabilities

    @property
    def unmixed(self) -> Distributions:
        """The network's own distributions."""
        # a reference to itself would keep the arrays until Python's next garbage collection
        return self._unmixed or self

    @property
    def log_probabilities(self) -> Array:
        """``(positions, vocabulary)`` in nats."""
        if self._log_probabilities is None:
            self._log_probabilities = _log(self.probabilities)
        return self._log_probabilities

    @property
    def scores(self) -> Array:
        """``(positions, vocabulary)``: greater for likelier words, as exactly as they are known."""
        return self.probabilities if self._log_probabilities is None else self._log_probabilities

    def log_probabilities_of(self, words: Ids) -> Array:
        """Of one word at each position: ``(positions,)`` to ``(positions,)`` in nats."""
        scores: Array = self.scores[np.arange(len(words)), words]
        return _log(scores) if self._log_probabilities is None else scores


def _log(probabilities: Array) -> Array:
    """Logarithms, finite even for zero."""
    logarithms: Array = np.log(np.maximum(probabilities, SMALLEST))
    return logarithms


class Readout(ABC, Generic[D]):
    """A model after each of some tokens; its distributions may be computed in any thread.

    ``D`` is :class:`Distributions`, or a list of them where several models read side by side.
    """

    @abstractmethod
    def distributions(self, rows: slice = slice(None)) -> D:
        """The distributions after some of the tokens.

        Raises:
            ModelError: the model gives NaN.
        """


@dataclass(frozen=True)
class Part:
    """The prediction of one part of a mixture after one token."""

    name: str
    """``network``, ``ngrams`` or ``cache``."""
    share: float
    """Its weight in the mixture; those of all parts sum to one."""
    probabilities: Array
    """``(vocabulary,)``"""


class ModelReadout(Readout[Distributions]):
    """A whole model after each of some tokens."""

    name: str
    """Of the model as a part of a mixture."""

    def with_parts(self, token: int) -> tuple[Distributions, list[Part]]:
        """The distribution after a token, as the only row, and the prediction of each part.

        A model that mixes nothing is one part.

        Args:
            token: its index among the tokens.

        Raises:
            ModelError: the model gives NaN.
        """
        distributions = self.distributions(slice(token, token + 1))
        return distributions, [Part(self.name, 1.0, distributions.probabilities[0])]


class Decoder(ABC):
    """A model at a position in one text, from the text's beginning on; it never looks ahead."""

    @abstractmethod
    def read(self, ids: Ids) -> ModelReadout:
        """Read on.

        Args:
            ids: the next tokens ``(tokens,)``, at least one.

        Returns:
            The model after each token; no result depends on how a text is cut into calls.
        """

    def fork(self: AnyDecoder) -> AnyDecoder:
        """A decoder at the same position that reads on by itself."""
        return copy.copy(self)  # states are replaced, never changed

    @property
    def nbytes(self) -> int:
        """Bytes of the state, which forks do not share once they have read on."""
        return 0


def softmax_distributions(scores: Array) -> Distributions:
    """The distributions of a network, with its gate features: entropy and greatest log-probability.

    Args:
        scores: ``(positions, vocabulary)``; overwritten.

    Raises:
        ModelError: a score is NaN or infinite.
    """
    scores -= scores.max(1, keepdims=True)
    probabilities = np.exp(scores)
    total = probabilities.sum(1)
    if not np.isfinite(total).all():
        raise ModelError(
            "the model's probabilities are not numbers; its weights are damaged, or its "
            "training went wrong"
        )
    log_total = np.log(total)
    entropy = log_total - np.einsum("ij,ij->i", probabilities, scores) / total
    probabilities *= (1 / total)[:, None]
    scores -= log_total[:, None]
    return Distributions(probabilities, np.stack([entropy, -log_total], 1), scores)


NETWORK_FEATURES = 2
"""Gate features of a network."""


class NetworkReadout(ModelReadout):
    """A network after each token, in NumPy or in PyTorch."""

    name = "network"

    @property
    @abstractmethod
    def features(self) -> Array:
        """Features of the next word, ``(tokens, size)``."""


class NetworkDecoder(Decoder):
    """The decoder of a network, in NumPy or in PyTorch."""

    @abstractmethod
    def read(self, ids: Ids) -> NetworkReadout: ...


class NumpyReadout(NetworkReadout):
    """A network in NumPy after each token.

    Args:
        network: computes the scores.
        features: of the next word after each token, ``(tokens, size)``.
    """

    def __init__(self, network: Network, features: Array) -> None:
        self.network = network
        self._features = features

    @property
    def features(self) -> Array:
        return self._features

    def distributions(self, rows: slice = slice(None)) -> Distributions:
        with np.errstate(all="ignore"):  # softmax_distributions refuses NaN
            return softmax_distributions(self.network.scores(self._features[rows]))


class NumpyDecoder(NetworkDecoder):
    """A network in NumPy: its state runs on from token to token, its weights stay as they are."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._state = network.initial_state()

    def read(self, ids: Ids) -> NumpyReadout:
        with np.errstate(all="ignore"):
            features, self._state = self.network.features(ids, self._state)
        return NumpyReadout(self.network, features)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self._state)


class NgramReadout(ModelReadout):
    """N-grams after each token.

    Args:
        model: the counted n-grams.
        contexts: the last words after each token, ``(tokens, order - 1)``.
    """

    name = "ngrams"

    def __init__(self, model: NgramModel, contexts: Ids) -> None:
        self.model = model
        self.contexts = contexts

    def distributions(self, rows: slice = slice(None)) -> Distributions:
        return Distributions(*self.model.predict(self.contexts[rows]))


class NgramDecoder(Decoder):
    """An n-gram model: it remembers the last few tokens and nothing else."""

    def __init__(self, model: NgramModel) -> None:
        self.model = model
        self._before = model.initial_context()

    def read(self, ids: Ids) -> NgramReadout:
        contexts = self.model.contexts(ids, self._before)
        self._before = contexts[-1]
        return NgramReadout(self.model, contexts)
