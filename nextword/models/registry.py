"""From the ``model`` section to a network; a new family adds a line to the table."""

from __future__ import annotations

from collections.abc import Callable

from nextword.config.schema import ModelConfig
from nextword.models.base import LanguageModel
from nextword.models.feedforward import FeedForwardModel
from nextword.models.recurrent import RNN_CELLS, GruCell, LstmCell, RecurrentModel

FAMILIES: dict[str, Callable[[ModelConfig, int], LanguageModel]] = {
    "rnn": lambda config, size: RecurrentModel(config, size, RNN_CELLS[config.activation]),
    "lstm": lambda config, size: RecurrentModel(config, size, LstmCell),
    "gru": lambda config, size: RecurrentModel(config, size, GruCell),
    "feedforward": FeedForwardModel,
}


def build_model(config: ModelConfig, vocabulary_size: int) -> LanguageModel:
    """A network with fresh weights, drawn from PyTorch's default generator.

    Args:
        config: the ``model`` section.
        vocabulary_size: words the network knows, the special ones included.
    """
    return FAMILIES[config.kind](config, vocabulary_size)
