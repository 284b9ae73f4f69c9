"""Every kind of network by its name in ``model.kind``; a new cell is one class, registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nextword.config.kinds import ModelKind, register_kind
from nextword.config.schema import ModelConfig
from nextword.models.base import LanguageModel
from nextword.models.feedforward import FeedForwardModel
from nextword.models.recurrent import (
    Cell,
    GruCell,
    LstmCell,
    RecurrentModel,
    ReluCell,
    SigmoidCell,
    TanhCell,
)


@dataclass(frozen=True)
class NetworkKind:
    """How a kind of network is built, and the peak learning rate it wants."""

    build: Callable[[ModelConfig, int], LanguageModel]
    """From the ``model`` section and the vocabulary size."""
    rate_factor: Callable[[ModelConfig], float]
    """See :meth:`~nextword.models.base.LanguageModel.rate_factor`."""


def _recurrent(cell_of: Callable[[ModelConfig], type[Cell]]) -> NetworkKind:
    return NetworkKind(
        build=lambda config, size: RecurrentModel(config, size, cell_of(config)),
        rate_factor=lambda config: cell_of(config).rate_factor(config),
    )


_RNN_CELLS: Mapping[str, type[Cell]] = {
    "tanh": TanhCell,
    "sigmoid": SigmoidCell,
    "relu": ReluCell,
}
NETWORKS: dict[str, NetworkKind] = {
    "rnn": _recurrent(lambda config: _RNN_CELLS[config.activation]),
    "lstm": _recurrent(lambda config: LstmCell),
    "gru": _recurrent(lambda config: GruCell),
    "feedforward": NetworkKind(FeedForwardModel, FeedForwardModel.rate_factor),
}


def register_cell(name: str, cell: type[Cell], meaning: str) -> None:
    """Make a recurrent cell a ``model.kind`` like the built-in ones.

    Args:
        name: its value of ``model.kind``.
        cell: the class of the layers.
        meaning: what it is, in a few words, for error messages and the reference.

    Raises:
        ValueError: the name is taken.
    """
    register_kind(ModelKind(name, meaning, title=name))
    NETWORKS[name] = _recurrent(lambda config: cell)


def build_network(config: ModelConfig, vocabulary_size: int) -> LanguageModel:
    """A network with fresh weights, drawn from PyTorch's default generator.

    Args:
        config: the ``model`` section.
        vocabulary_size: words the network knows, the special ones included.
    """
    return NETWORKS[config.kind].build(config, vocabulary_size)
