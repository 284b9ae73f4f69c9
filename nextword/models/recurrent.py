"""The standard RNN, the LSTM and the GRU: layers of cells, each with a state of its own.

The time loop is PyTorch's own kernel, a layer at a time, so that dropout can act between layers
with one mask a window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextword.config.schema import ModelConfig
from nextword.models.base import Gates, LanguageModel, State, Step
from nextword.models.layers import WindowDropout, WordVectors, readout

Kernel = Callable[..., tuple[Tensor, Tensor]]

NARROW_HIDDEN = 256
"""The hidden size at which the rates of ungated cells were found."""


class CellStep(NamedTuple):
    """One layer after one more word."""

    state: State
    """h, and c of an LSTM, each ``(batch, hidden)``."""
    gates: Gates


class Cell(nn.Module, ABC):
    """One recurrent layer: its weights, its state, its equation, and its walk over a window.

    A subclass defines :meth:`step`, the cell's equation for one word, and may override
    :meth:`forward` with a faster kernel that computes the same.

    Args:
        input_size: numbers in an input; ``None`` if inputs come as W_hx x_t already, as those of
            one-hot words do.
        hidden_size: width of the hidden state h.
        bias: add a bias to each gate.
        weight_dropout: share of the weights from state to state that is zero for a whole window
            (Merity and others, 2018).
    """

    gates: ClassVar[int] = 1
    """Rows of weights for each hidden unit."""
    states: ClassVar[int] = 1
    """Tensors in the state; the first is h."""

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

    @classmethod
    def rate_factor(cls, config: ModelConfig) -> float:
        """See :meth:`LanguageModel.rate_factor`."""
        return LanguageModel.rate_factor(config)

    @abstractmethod
    def step(self, inputs: Tensor, state: State) -> CellStep:
        """Read one input ``(batch, input)``, without dropout."""

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Walk over ``(batch, time, input)``; the outputs are h at every time step."""
        outputs = []
        for vectors in inputs.unbind(1):
            state = self.step(vectors, state).state
            outputs.append(state[0])
        return torch.stack(outputs, 1), state

    def from_input(self, inputs: Tensor) -> Tensor:
        """W_hx x_t + b, ``(batch, gates * hidden)``."""
        if isinstance(self.input_weight, nn.Parameter):
            return functional.linear(inputs, self.input_weight, self.input_bias)
        # vectors of one-hot words are W_hx x_t already
        return inputs if self.input_bias is None else inputs + self.input_bias

    def from_hidden(self, hidden: Tensor) -> Tensor:
        """W_hh h_(t-1) + b, ``(batch, gates * hidden)``."""
        return functional.linear(hidden, self.hidden_weight, self.hidden_bias)


class _KernelCell(Cell):
    """A cell with h as its whole state whose walk is one of PyTorch's kernels."""

    kernel: ClassVar[Kernel]

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        biased = self.input_bias is not None
        outputs, last = self.kernel(
            inputs, state[0][None], self.weights(), biased, *self._options()
        )
        return outputs, (last[0],)


class _StandardCell(_KernelCell):
    """h_t = f(W_hx x_t + W_hh h_(t-1) + b), Elman (1990)."""

    activation: Callable[[Tensor], Tensor]
    narrow_rate_factor: ClassVar[float] = 1.0
    """Peak-rate factor at the smaller hidden size. Without gates nothing keeps the state in bounds,
    so it falls as the cell gets wider."""

    @classmethod
    def rate_factor(cls, config: ModelConfig) -> float:
        return cls.narrow_rate_factor / max(1.0, config.hidden_size / NARROW_HIDDEN)

    def step(self, inputs: Tensor, state: State) -> CellStep:
        hidden = self.activation(self.from_input(inputs) + self.from_hidden(state[0]))
        return CellStep((hidden,), {})


class TanhCell(_StandardCell):
    """h_t = tanh(W_hx x_t + W_hh h_(t-1) + b)."""

    kernel: ClassVar[Kernel] = staticmethod(torch.rnn_tanh)
    activation = staticmethod(torch.tanh)
    narrow_rate_factor = 0.7


class ReluCell(_StandardCell):
    """h_t = max(0, W_hx x_t + W_hh h_(t-1) + b), its W_hh started at the identity.

    The start is that of Le, Jaitly and Hinton (2015), without which it forgets or explodes.
    """

    kernel: ClassVar[Kernel] = staticmethod(torch.rnn_relu)
    activation = staticmethod(torch.relu)
    narrow_rate_factor = 0.25

    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.eye_(self.hidden_weight)


class SigmoidCell(_StandardCell):
    """h_t = sigmoid(W_hx x_t + W_hh h_(t-1) + b), computed by the kernel for tanh.

    With g = 2h - 1 the same recurrence reads g_t = tanh(W_hx x_t / 2 + W_hh g_(t-1) / 4 + b'),
    b' = b / 2 + W_hh 1 / 4, because sigmoid(z) = (tanh(z / 2) + 1) / 2.
    """

    kernel: ClassVar[Kernel] = staticmethod(torch.rnn_tanh)
    activation = staticmethod(torch.sigmoid)

    @classmethod
    def rate_factor(cls, config: ModelConfig) -> float:
        # the slope of the sigmoid is a quarter at most, so the state stays in bounds
        return LanguageModel.rate_factor(config)

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


class GruCell(_KernelCell):
    """Gated recurrent unit, Cho and others (2014), with the reset gate applied after the matrix,
    as PyTorch and cuDNN have it."""

    gates = 3
    kernel: ClassVar[Kernel] = staticmethod(torch.gru)

    def step(self, inputs: Tensor, state: State) -> CellStep:
        word = self.from_input(inputs).chunk(3, 1)
        past = self.from_hidden(state[0]).chunk(3, 1)
        reset = torch.sigmoid(word[0] + past[0])
        update = torch.sigmoid(word[1] + past[1])
        new = torch.tanh(word[2] + reset * past[2])
        # an open update gate keeps the old state, whatever its name suggests
        hidden = (1 - update) * new + update * state[0]
        return CellStep((hidden,), {"reset": reset, "update": update})


class LstmCell(Cell):
    """Long short-term memory, Hochreiter and Schmidhuber (1997), with the forget gate of Gers and
    others (2000), started open."""

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

    def step(self, inputs: Tensor, state: State) -> CellStep:
        rows = self.from_input(inputs) + self.from_hidden(state[0])
        into, forget, new, out = rows.chunk(4, 1)
        into, forget, out = torch.sigmoid(into), torch.sigmoid(forget), torch.sigmoid(out)
        memory = forget * state[1] + into * torch.tanh(new)
        hidden = out * torch.tanh(memory)
        return CellStep((hidden, memory), {"input": into, "forget": forget, "output": out})


class RecurrentModel(LanguageModel):
    """Word vectors, recurrent layers, and an output layer that may share the vectors' matrix.

    Args:
        config: the ``model`` section.
        vocabulary_size: words the network knows.
        cell: the class of its layers.
    """

    recurrent = True

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

    @property
    def layers(self) -> list[Cell]:
        """The layers, the one nearest to the words first."""
        return [cell for cell in self.cells if isinstance(cell, Cell)]

    def initial_state(self, batch_size: int) -> State:
        return tuple(part for cell in self.layers for part in cell.initial_state(batch_size))

    def features(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        hidden = self.input_dropout(self.vectors(words))
        after: list[Tensor] = []
        for cell in self.layers:
            hidden, last = cell(hidden, state[len(after) : len(after) + cell.states])
            hidden = self.dropout(hidden)
            after.extend(last)
        return self.projection(hidden), tuple(after)

    def step(self, vectors: Tensor, state: State) -> Step:
        inputs = vectors
        after: list[Tensor] = []
        gates: list[Gates] = []
        for cell in self.layers:
            layer = cell.step(inputs, state[len(after) : len(after) + cell.states])
            inputs = layer.state[0]
            after.extend(layer.state)
            gates.append(layer.gates)
        return Step(tuple(after), gates)

    def hidden_states(self, state: State) -> list[Tensor]:
        return list(state[:: self.layers[0].states])

    def features_of(self, state: State) -> Tensor:
        features: Tensor = self.projection(self.hidden_states(state)[-1])
        return features
