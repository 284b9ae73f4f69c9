"""The standard RNN, the LSTM and the GRU: layers of cells, each with a state of its own.

The time loop is PyTorch's own kernel, a layer at a time, so that dropout can act between layers
with one mask a window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextword.config.schema import ModelConfig
from nextword.models.base import LanguageModel, State
from nextword.models.layers import WindowDropout, WordVectors, readout

Kernel = Callable[..., tuple[Tensor, Tensor]]


class Cell(nn.Module):
    """One recurrent layer: its weights, its state, and its walk over a window.

    Args:
        input_size: numbers in an input; ``None`` if inputs come as W_hx x_t already, as those of
            one-hot words do.
        hidden_size: width of the hidden state h.
        bias: add a bias to each gate.
        weight_dropout: share of the weights from state to state that is zero for a whole window
            (Merity and others, 2018).
    """

    gates = 1
    """How many rows of weights a hidden unit has."""
    states = 1
    """How many tensors the state holds."""

    def __init__(
        self, input_size: int | None, hidden_size: int, bias: bool, weight_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.weight_dropout = weight_dropout
        rows = self.gates * hidden_size
        self.hidden_size = hidden_size
        if input_size is None:
            self.register_buffer("input_weight", torch.eye(rows), persistent=False)
        else:
            self.input_weight = nn.Parameter(torch.empty(rows, input_size))
        self.hidden_weight = nn.Parameter(torch.empty(rows, hidden_size))
        self.input_bias = nn.Parameter(torch.zeros(rows)) if bias else None
        self.hidden_bias = nn.Parameter(torch.zeros(rows)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform in one over the root of the hidden size; biases zero."""
        bound = self.hidden_size**-0.5
        for weight in (self.input_weight, self.hidden_weight):
            if isinstance(weight, nn.Parameter):
                nn.init.uniform_(weight, -bound, bound)

    def initial_state(self, batch_size: int) -> State:
        """h_0 (and c_0): zeros ``(batch, hidden)``."""
        return tuple(
            self.hidden_weight.new_zeros(batch_size, self.hidden_size) for _ in range(self.states)
        )

    def weights(self) -> list[Tensor]:
        """The weights in the order in which PyTorch's kernels take them."""
        biases = [b for b in (self.input_bias, self.hidden_bias) if b is not None]
        return [self.input_weight, self._kept_weight(), *biases]

    def _kept_weight(self) -> Tensor:
        """W_hh, while training without what dropout takes."""
        return functional.dropout(self.hidden_weight, self.weight_dropout, self.training)

    def _options(self) -> tuple[int, float, bool, bool, bool]:
        """One layer, no dropout inside, training or not, one direction, batch first."""
        return 1, 0.0, self.training, False, True

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Walk over ``(batch, time, input)``; the outputs are h at every step."""
        raise NotImplementedError


class TanhCell(Cell):
    """h_t = tanh(W_hx x_t + W_hh h_(t-1) + b), Elman (1990)."""

    kernel: ClassVar[Kernel] = staticmethod(torch.rnn_tanh)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        biased = self.input_bias is not None
        outputs, last = self.kernel(
            inputs, state[0][None], self.weights(), biased, *self._options()
        )
        return outputs, (last[0],)


class ReluCell(TanhCell):
    """h_t = max(0, W_hx x_t + W_hh h_(t-1) + b), its W_hh started at the identity.

    The start is that of Le, Jaitly and Hinton (2015), without which it forgets or explodes.
    """

    kernel: ClassVar[Kernel] = staticmethod(torch.rnn_relu)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.eye_(self.hidden_weight)


class SigmoidCell(TanhCell):
    """h_t = sigmoid(W_hx x_t + W_hh h_(t-1) + b), computed by the kernel for tanh.

    With g = 2h - 1 the same recurrence reads g_t = tanh(W_hx x_t / 2 + W_hh g_(t-1) / 4 + b'),
    b' = b / 2 + W_hh 1 / 4, because sigmoid(z) = (tanh(z / 2) + 1) / 2.
    """

    def weights(self) -> list[Tensor]:
        hidden_weight = self._kept_weight()
        shift = hidden_weight.sum(1) / 4
        if self.input_bias is not None and self.hidden_bias is not None:
            shift = shift + (self.input_bias + self.hidden_bias) / 2
        zeros = torch.zeros_like(shift)
        return [self.input_weight / 2, hidden_weight / 4, shift, zeros]

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        start = (2 * state[0] - 1)[None]
        outputs, last = self.kernel(inputs, start, self.weights(), True, *self._options())
        return (outputs + 1) / 2, ((last[0] + 1) / 2,)


class GruCell(TanhCell):
    """Gated recurrent unit, Cho and others (2014)."""

    gates = 3
    kernel: ClassVar[Kernel] = staticmethod(torch.gru)


class LstmCell(Cell):
    """Long short-term memory, Hochreiter and Schmidhuber (1997), its forget gate started open."""

    gates = 4
    states = 2

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.input_bias is not None:
            nn.init.ones_(self.input_bias[self.hidden_size : 2 * self.hidden_size])

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        biased = self.input_bias is not None
        start = [part[None] for part in state]
        outputs, hidden, memory = torch.lstm(
            inputs, start, self.weights(), biased, *self._options()
        )
        return outputs, (hidden[0], memory[0])


RNN_CELLS: dict[str, type[Cell]] = {"tanh": TanhCell, "sigmoid": SigmoidCell, "relu": ReluCell}


class RecurrentModel(LanguageModel):
    """Word vectors, recurrent layers, and an output layer that may share the vectors' matrix.

    Args:
        config: the ``model`` section.
        vocabulary_size: words the network knows.
        cell: the kind of its layers.
    """

    def __init__(self, config: ModelConfig, vocabulary_size: int, cell: type[Cell]) -> None:
        super().__init__()
        one_hot = config.input == "one_hot"
        hidden, vectors = config.hidden_size, config.embedding_size
        width = cell.gates * hidden if one_hot else vectors
        self.vectors = WordVectors(vocabulary_size, width, config.word_dropout)
        inputs = [None if one_hot else vectors] + [hidden] * (config.layers - 1)
        self.cells = nn.ModuleList(
            cell(size, hidden, config.bias, config.weight_dropout) for size in inputs
        )
        rate = config.dropout if config.input_dropout is None else config.input_dropout
        self.input_dropout = WindowDropout(rate)
        self.dropout = WindowDropout(config.dropout)
        self.projection, self.output = readout(config, vocabulary_size, self.vectors.weight)

    def _cells(self) -> list[Cell]:
        return [cell for cell in self.cells if isinstance(cell, Cell)]

    def initial_state(self, batch_size: int) -> State:
        return tuple(part for cell in self._cells() for part in cell.initial_state(batch_size))

    def features(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        hidden = self.input_dropout(self.vectors(words))
        after: list[Tensor] = []
        for cell in self._cells():
            before = state[len(after) : len(after) + cell.states]
            hidden, last = cell(hidden, before)
            hidden = self.dropout(hidden)
            after.extend(last)
        return self.projection(hidden), tuple(after)
