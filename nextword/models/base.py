"""The interface of every network: features of each position in a window, and a state it owns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from nextword.config.schema import ModelConfig
from nextword.errors import ModelError
from nextword.models.layers import OutputLayer, WordVectors

State = tuple[Tensor, ...]
"""What a network carries from window to window: tensors ``(batch, ...)``, opaque to all others."""
Gates = dict[str, Tensor]
"""Activation of each gate of a layer by name, from 0 to 1, ``(batch, hidden)``."""

LARGE_HIDDEN, LARGE_RATE_FACTOR = 512, 0.8
"""A network this wide trains best at this share of a narrow one's peak learning rate."""


class Step(NamedTuple):
    """A network after one more word."""

    state: State
    gates: list[Gates]
    """Of each layer; empty dictionaries where a layer has no gates."""


def detach(state: State) -> State:
    """The state cut off from its history: here truncated back-propagation through time stops."""
    return tuple(tensor.detach() for tensor in state)


class LanguageModel(nn.Module, ABC):
    """A network that reads word ids and gives, at each position, features of the next word.

    ``features`` and ``output`` stay apart so that a loss need not score every word of the
    vocabulary at every position.
    """

    vectors: WordVectors
    output: OutputLayer
    recurrent: ClassVar[bool] = False
    """Whether a hidden state carries memory from word to word; then :meth:`step` and
    :meth:`hidden_states` are there."""

    @classmethod
    def rate_factor(cls, config: ModelConfig) -> float:
        """The factor on the optimizer's usual peak learning rate at which this network learns best.

        Args:
            config: the ``model`` section, its hidden size resolved.
        """
        return LARGE_RATE_FACTOR if config.hidden_size >= LARGE_HIDDEN else 1.0

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The state before the first word, h_0."""

    @abstractmethod
    def features(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        """Read a window.

        Args:
            words: word ids ``(batch, time)``.
            state: from :meth:`initial_state` or from the window before.

        Returns:
            Features ``(batch, time, size)`` for :attr:`output`, and the state after the window.
        """

    def step(self, vectors: Tensor, state: State) -> Step:
        """Read one word, every gate in view.

        Args:
            vectors: the words' vectors, ``(batch, size)``.
            state: the state before them.

        Raises:
            ModelError: the network is not recurrent.
        """
        raise ModelError("this network has no hidden state to follow word by word")

    def hidden_states(self, state: State) -> list[Tensor]:
        """h of each layer, without what else a state holds; empty if not recurrent."""
        return []

    def features_of(self, state: State) -> Tensor:
        """Features ``(batch, size)`` of the next word from a recurrent state.

        Raises:
            ModelError: the network is not recurrent.
        """
        raise ModelError("this network has no hidden state to follow word by word")

    def values_per_word(self, values: Tensor, words: int) -> Tensor:
        """Values of the looked-up vectors as values of the words, ``(words,)``.

        Args:
            values: one for each vector that :attr:`vectors` gave for a window of ``words`` words.
            words: length of the window.
        """
        return values

    def forward(self, words: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores of the next word before the softmax: ``(batch, time, vocabulary)``."""
        features, state = self.features(words, state or self.initial_state(len(words)))
        return self.output(features), state

    def parameter_count(self) -> int:
        """Learned numbers, a shared matrix counted once."""
        return sum(parameter.numel() for parameter in self.parameters())
