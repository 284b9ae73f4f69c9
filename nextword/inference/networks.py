"""The networks in NumPy, word by word, as the article writes their equations.

They are the trained networks of :mod:`nextword.models`, for one text at a time and without PyTorch,
whose import takes seconds. Weights have the names that they have there and may be mapped from a
file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextword.config.architecture import Architecture
from nextword.text.vocabulary import END_ID

Array = NDArray[np.float32]
Weights = Mapping[str, NDArray[Any]]
"""Float32 arrays by name, a shared matrix once."""
Shapes = dict[str, tuple[int, ...]]
State = tuple[NDArray[Any], ...]
"""What a network carries from word to word; only the network itself looks into it."""
Step = Callable[[Array, Array, tuple[Array, ...]], tuple[Array, ...]]
"""The equation of a recurrent layer.

It takes W_hx x_t + b and W_hh h_(t-1) + b, both ``(gates * hidden,)``, and the state, arrays of
``(hidden,)``; it returns the next state, whose first array is h_t.
"""

FEW_INPUTS = 8
"""Up to so many inputs are multiplied one by one, which takes no longer."""
PARTIAL_TERMS = 64
"""Terms of a dot product that BLAS sums at once."""
_LOWEST = np.float32(-80)
"""Below this the sigmoid is zero in float32, and its exponential would overflow."""


def product(inputs: Array, weight: NDArray[Any]) -> Array:
    """W x of several inputs: ``(inputs, size)`` and ``(rows, size)`` to ``(inputs, rows)``.

    BLAS sums the terms of a matrix product one after the other and rounds after each. With partial
    sums, probabilities have one more exact digit, as they have for a single input.
    """
    result: Array
    if len(inputs) == 1:
        result = (weight @ inputs[0])[np.newaxis]
        return result
    if len(inputs) <= FEW_INPUTS:
        return np.stack([weight @ row for row in inputs])
    result = inputs[:, :PARTIAL_TERMS] @ weight[:, :PARTIAL_TERMS].T
    for start in range(PARTIAL_TERMS, inputs.shape[1], PARTIAL_TERMS):
        terms = slice(start, start + PARTIAL_TERMS)
        result += inputs[:, terms] @ weight[:, terms].T
    return result


def sigmoid(values: Array) -> Array:
    """1 / (1 + e^-x)."""
    result: Array = 1 / (1 + np.exp(-np.maximum(values, _LOWEST)))
    return result


def relu(values: Array) -> Array:
    """max(0, x)."""
    result: Array = np.maximum(values, np.float32(0))
    return result


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": relu,
}


def rnn_step(activation: Callable[[Array], Array]) -> Step:
    """h_t = f(W_hx x_t + W_hh h_(t-1) + b), Elman (1990)."""
    return lambda from_input, from_hidden, state: (activation(from_input + from_hidden),)


def lstm_step(from_input: Array, from_hidden: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Long short-term memory, Hochreiter and Schmidhuber (1997), Gers and others (2000)."""
    size = len(state[0])
    rows = from_input + from_hidden
    # one sigmoid over all rows takes less time than three over the gates
    gates = sigmoid(rows)
    input_gate, forget_gate, output_gate = gates[:size], gates[size : 2 * size], gates[3 * size :]
    memory = forget_gate * state[1] + input_gate * np.tanh(rows[2 * size : 3 * size])
    return output_gate * np.tanh(memory), memory


def gru_step(from_input: Array, from_hidden: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Gated recurrent unit, Cho and others (2014), the reset gate after the matrix."""
    size = len(state[0])
    gates = sigmoid(from_input[: 2 * size] + from_hidden[: 2 * size])
    reset, update = gates[:size], gates[size:]
    new = np.tanh(from_input[2 * size :] + reset * from_hidden[2 * size :])
    return (new + update * (state[0] - new),)


class Layer:
    """One recurrent layer.

    Args:
        step: its equation.
        states: number of arrays in its state.
        weights: its own, by their names in the layer. Without ``input_weight`` the inputs already
            are W_hx x_t, as with one-hot words.
    """

    def __init__(self, step: Step, states: int, weights: Weights) -> None:
        self.step = step
        self.states = states
        self.input_weight = weights.get("input_weight")
        self.hidden_weight = weights["hidden_weight"]
        zero = np.float32(0)
        self.input_bias = weights.get("input_bias", zero)
        self.hidden_bias = weights.get("hidden_bias", zero)

    def initial_state(self) -> State:
        """h_0 (and c_0): zeros ``(hidden,)``."""
        return (np.zeros(self.hidden_weight.shape[1], dtype=np.float32),) * self.states

    def run(self, inputs: Array, state: State) -> tuple[Array, State]:
        """h after each input, ``(time, size)`` to ``(time, hidden)``, and the last state."""
        rows = inputs if self.input_weight is None else product(inputs, self.input_weight)
        rows = rows + self.input_bias
        outputs = np.empty((len(rows), self.hidden_weight.shape[1]), dtype=np.float32)
        for time, row in enumerate(rows):
            state = self.step(row, self.hidden_weight @ state[0] + self.hidden_bias, state)
            outputs[time] = state[0]
        return outputs, state


class Network(ABC):
    """A trained network: reads word ids and returns, after each, features of the next word.

    Args:
        architecture: how it computes.
        weights: by name, with the shapes of :meth:`shapes`.
    """

    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture = architecture
        self.vectors = weights["vectors.weight"]
        self.projection = weights.get("projection.weight")
        self.output_weight = weights.get("output.weight", self.vectors)
        self.output_bias = weights.get("output.bias")

    @staticmethod
    @abstractmethod
    def shapes(architecture: Architecture, vocabulary_size: int) -> Shapes:
        """The shape of each weight."""

    @abstractmethod
    def initial_state(self) -> State:
        """The state before the first word."""

    @abstractmethod
    def hidden(self, ids: NDArray[np.int64], state: State) -> tuple[Array, State]:
        """The last hidden layer after each word, ``(words, hidden)``, and the state after all.

        Args:
            ids: ``(words,)``, at least one.
            state: from :meth:`initial_state` or from the words before.
        """

    def features(self, ids: NDArray[np.int64], state: State) -> tuple[Array, State]:
        """Features of the next word after each word, ``(words, size)``; see :meth:`hidden`."""
        hidden, state = self.hidden(ids, state)
        return (hidden if self.projection is None else product(hidden, self.projection)), state

    def scores(self, features: Array) -> Array:
        """W_S h_t: a score for every word, ``(positions, vocabulary)``."""
        scores = product(features, self.output_weight)
        if self.output_bias is not None:
            scores += self.output_bias
        return scores


class RecurrentNetwork(Network):
    """The standard RNN, the LSTM or the GRU."""

    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        super().__init__(architecture, weights)
        cell = _CELLS[architecture.kind]
        self.layers = [
            Layer(cell.step(architecture), cell.states, _within(f"cells.{number}.", weights))
            for number in range(architecture.layers)
        ]

    @staticmethod
    def shapes(architecture: Architecture, vocabulary_size: int) -> Shapes:
        hidden, vectors = architecture.hidden_size, architecture.embedding_size
        rows = _CELLS[architecture.kind].gates * hidden
        one_hot = architecture.input == "one_hot"
        shapes: Shapes = {"vectors.weight": (vocabulary_size, rows if one_hot else vectors)}
        for layer in range(architecture.layers):
            size = hidden if layer else vectors
            if layer or not one_hot:
                shapes[f"cells.{layer}.input_weight"] = (rows, size)
            shapes[f"cells.{layer}.hidden_weight"] = (rows, hidden)
            for bias in ("input_bias", "hidden_bias") if architecture.bias else ():
                shapes[f"cells.{layer}.{bias}"] = (rows,)
        return shapes | _readout_shapes(architecture, vocabulary_size)

    def initial_state(self) -> State:
        return tuple(array for layer in self.layers for array in layer.initial_state())

    def hidden(self, ids: NDArray[np.int64], state: State) -> tuple[Array, State]:
        hidden = self.vectors[ids]
        after: State = ()
        for layer in self.layers:
            before = state[len(after) : len(after) + layer.states]
            hidden, last = layer.run(hidden, before)
            after += last
        return hidden, after


class FeedForwardNetwork(Network):
    """The neural probabilistic language model of Bengio and others (2003).

    Its state is the last ``context - 1`` word ids.
    """

    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        super().__init__(architecture, weights)
        self.activation = ACTIVATIONS[architecture.activation]
        self.one_hot = architecture.input == "one_hot"
        self.layers = [
            (weights[f"{name}.weight"], weights.get(f"{name}.bias", np.float32(0)))
            for name in _linear_layers(architecture)
        ]

    @staticmethod
    def shapes(architecture: Architecture, vocabulary_size: int) -> Shapes:
        hidden, vectors = architecture.hidden_size, architecture.embedding_size
        context = architecture.context
        one_hot = architecture.input == "one_hot"
        # one-hot: a matrix for each position of the context, stored one below the other
        shapes: Shapes = {
            "vectors.weight": (context * vocabulary_size, hidden)
            if one_hot
            else (vocabulary_size, vectors)
        }
        for number, name in enumerate(_linear_layers(architecture)):
            size = hidden if number or one_hot else context * vectors
            shapes[f"{name}.weight"] = (hidden, size)
            if architecture.bias:
                shapes[f"{name}.bias"] = (hidden,)
        return shapes | _readout_shapes(architecture, vocabulary_size)

    def initial_state(self) -> State:
        return (np.full(self.architecture.context - 1, END_ID, dtype=np.int64),)

    def hidden(self, ids: NDArray[np.int64], state: State) -> tuple[Array, State]:
        seen = np.concatenate([state[0], ids])
        # (words, context): the words that each position sees, the oldest first
        contexts = np.lib.stride_tricks.sliding_window_view(seen, self.architecture.context)
        if self.one_hot:
            rows = len(self.vectors) // self.architecture.context
            offsets = rows * np.arange(self.architecture.context)
            hidden = self.activation(self.vectors[contexts + offsets].sum(1))
        else:
            hidden = self.vectors[contexts].reshape(len(ids), -1)
        for weight, bias in self.layers:
            hidden = self.activation(product(hidden, weight) + bias)
        return hidden, (seen[len(ids) :],)


class _Cell(NamedTuple):
    """How the layers of a kind of recurrent network compute."""

    gates: int
    """Rows of weights for each hidden unit."""
    states: int
    """Arrays in a layer's state."""
    step: Callable[[Architecture], Step]
    """The layer's equation."""


_CELLS = {
    "rnn": _Cell(1, 1, lambda architecture: rnn_step(ACTIVATIONS[architecture.activation])),
    "lstm": _Cell(4, 2, lambda architecture: lstm_step),
    "gru": _Cell(3, 1, lambda architecture: gru_step),
}
NETWORKS: dict[str, type[Network]] = {
    **dict.fromkeys(_CELLS, RecurrentNetwork),
    "feedforward": FeedForwardNetwork,
}
"""The class of each ``model.kind`` that has equations here; all other kinds compute in PyTorch."""


def _within(prefix: str, weights: Weights) -> Weights:
    """The weights whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in weights.items()
        if name.startswith(prefix)
    }


def _linear_layers(architecture: Architecture) -> list[str]:
    """Names of the linear layers, each followed by an activation and a dropout."""
    # the first layer of a one-hot input is the look-up: only its activation and dropout are listed
    one_hot = architecture.input == "one_hot"
    first = 2 if one_hot else 0
    return [f"layers.{first + 3 * number}" for number in range(architecture.layers - one_hot)]


def _readout_shapes(architecture: Architecture, vocabulary_size: int) -> Shapes:
    """From the hidden state to scores: the output layer, and a projection where sizes differ."""
    shapes: Shapes = {"output.bias": (vocabulary_size,)} if architecture.bias else {}
    hidden, vectors = architecture.hidden_size, architecture.embedding_size
    if not architecture.ties:
        shapes["output.weight"] = (vocabulary_size, hidden)
    elif hidden != vectors:
        shapes["projection.weight"] = (vectors, hidden)
    return shapes
