"""What every network offers: features of each place in a window, and a state that it owns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from nextword.models.layers import OutputLayer

State = tuple[Tensor, ...]
"""What a model remembers between windows; each tensor ``(batch, ...)``, opaque to all others."""


def detach(state: State) -> State:
    """The state cut off from its history: here truncated back-propagation through time stops."""
    return tuple(tensor.detach() for tensor in state)


class LanguageModel(nn.Module, ABC):
    """A network that reads word ids and gives, at each place, features of what comes next.

    ``features`` and ``output`` stay apart so that a loss need not score every word of the
    vocabulary at every place.
    """

    format_version: ClassVar[int] = 1
    """Counted up when stored weights of this family change their meaning."""

    output: OutputLayer

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The state before the first word, h_0."""

    @abstractmethod
    def features(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        """Read a window.

        Args:
            words: word ids ``(batch, time)``.
            state: what :meth:`initial_state` or the window before gave.

        Returns:
            Features ``(batch, time, size)`` for :attr:`output`, and the state after the window.
        """

    def forward(self, words: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores of the next word, before the softmax: ``(batch, time, vocabulary)``."""
        features, state = self.features(words, state or self.initial_state(len(words)))
        return self.output(features), state

    def parameter_count(self) -> int:
        """Learned numbers, a shared matrix counted once."""
        return sum(parameter.numel() for parameter in self.parameters())
