"""Recurrent cells one word at a time, their equations written out.

The kernels that networks run on give only the hidden state at each word. Here every gate is seen,
and any state can be asked for its gradient. Dropout has no place here: a network is looked at as
it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextword.errors import ModelError
from nextword.models.base import LanguageModel, State
from nextword.models.recurrent import (
    Cell,
    GruCell,
    LstmCell,
    RecurrentModel,
    ReluCell,
    SigmoidCell,
    TanhCell,
)

Gates = dict[str, Tensor]
"""How open each gate of a cell is, from 0 to 1, ``(batch, hidden)``; none in a standard RNN."""


class CellStep(NamedTuple):
    """One layer after one more word."""

    state: State
    """h, and c of an LSTM, each ``(batch, hidden)``."""
    gates: Gates


class Step(NamedTuple):
    """A network after one more word."""

    state: State
    """As :meth:`RecurrentModel.features` gives it: h (and c) of the first layer, then the next."""
    gates: list[Gates]
    """Of each layer."""


def cells_of(model: RecurrentModel) -> list[Cell]:
    """The layers, the one nearest to the words first."""
    return [cell for cell in model.cells if isinstance(cell, Cell)]


def hidden_states(model: RecurrentModel, state: State) -> list[Tensor]:
    """h of each layer, without what else a state holds."""
    return list(state[:: cells_of(model)[0].states])


def is_recurrent(model: LanguageModel) -> bool:
    """Whether a network has a hidden state.

    Raises:
        ModelError: it is of a kind that nobody has taught this module.
    """
    if not isinstance(model, RecurrentModel):
        return False
    for cell in cells_of(model):
        if type(cell) not in _STEPS:
            raise ModelError(f"the equations of {type(cell).__name__} are not known here")
    return True


def read_word(model: RecurrentModel, vectors: Tensor, state: State) -> Step:
    """Read one word.

    Args:
        model: the network.
        vectors: the words' vectors, ``(batch, size)``.
        state: what was remembered before.
    """
    inputs = vectors
    after: list[Tensor] = []
    gates: list[Gates] = []
    for cell in cells_of(model):
        before = state[len(after) : len(after) + cell.states]
        step = _STEPS[type(cell)](cell, inputs, before)
        inputs = step.state[0]
        after.extend(step.state)
        gates.append(step.gates)
    return Step(tuple(after), gates)


def features_of(model: RecurrentModel, state: State) -> Tensor:
    """What the output layer scores words by, ``(batch, size)``: the last layer's h, projected."""
    features: Tensor = model.projection(hidden_states(model, state)[-1])
    return features


def _from_word(cell: Cell, inputs: Tensor) -> Tensor:
    """W_hx x_t + b, ``(batch, gates * hidden)``."""
    if isinstance(cell.input_weight, nn.Parameter):
        return functional.linear(inputs, cell.input_weight, cell.input_bias)
    # vectors of one-hot words are W_hx x_t already
    return inputs if cell.input_bias is None else inputs + cell.input_bias


def _from_state(cell: Cell, hidden: Tensor) -> Tensor:
    """W_hh h_(t-1) + b, ``(batch, gates * hidden)``."""
    return functional.linear(hidden, cell.hidden_weight, cell.hidden_bias)


def _standard(activation: Callable[[Tensor], Tensor]) -> Callable[[Cell, Tensor, State], CellStep]:
    """h_t = f(W_hx x_t + W_hh h_(t-1) + b)."""

    def step(cell: Cell, inputs: Tensor, state: State) -> CellStep:
        return CellStep((activation(_from_word(cell, inputs) + _from_state(cell, state[0])),), {})

    return step


def _gru(cell: Cell, inputs: Tensor, state: State) -> CellStep:
    """Cho and others (2014), the reset gate behind the matrix, as PyTorch and cuDNN have it."""
    word = _from_word(cell, inputs).chunk(3, 1)
    past = _from_state(cell, state[0]).chunk(3, 1)
    reset = torch.sigmoid(word[0] + past[0])
    update = torch.sigmoid(word[1] + past[1])
    new = torch.tanh(word[2] + reset * past[2])
    # an open update gate keeps the old state, whatever its name suggests
    hidden = (1 - update) * new + update * state[0]
    return CellStep((hidden,), {"reset": reset, "update": update})


def _lstm(cell: Cell, inputs: Tensor, state: State) -> CellStep:
    """Hochreiter and Schmidhuber (1997) with the forget gate of Gers and others (2000)."""
    rows = _from_word(cell, inputs) + _from_state(cell, state[0])
    into, forget, new, out = rows.chunk(4, 1)
    into, forget, out = torch.sigmoid(into), torch.sigmoid(forget), torch.sigmoid(out)
    memory = forget * state[1] + into * torch.tanh(new)
    hidden = out * torch.tanh(memory)
    return CellStep((hidden, memory), {"input": into, "forget": forget, "output": out})


_STEPS: dict[type[Cell], Callable[[Cell, Tensor, State], CellStep]] = {
    TanhCell: _standard(torch.tanh),
    SigmoidCell: _standard(torch.sigmoid),
    ReluCell: _standard(torch.relu),
    GruCell: _gru,
    LstmCell: _lstm,
}
