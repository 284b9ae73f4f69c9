"""The graph of a network in ONNX, put together from its weights.

ONNX has an operator for each kind of recurrent layer, which reads ``(time, batch, size)`` and has
its own order of gates. All operators are those of 2021, so that old runtimes know them. Inputs,
outputs and metadata are described in ``docs/formats.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, ValueInfoProto, checker, helper
from onnx.numpy_helper import from_array

from nextword import __version__
from nextword.inference.loaded_model import LoadedNetwork
from nextword.inference.networks import (
    NETWORKS,
    Array,
    FeedForwardNetwork,
    Layer,
    Network,
    RecurrentNetwork,
)
from nextword.storage.integrity import FINGERPRINT, model_fingerprint
from nextword.text.vocabulary import END_ID, UNKNOWN_ID

FORMAT, FORMAT_VERSION = "nextword-onnx", 1
"""Names, shapes and meanings of inputs, outputs and metadata, as the metadata call them."""
OPERATOR_SET, FILE_VERSION = 14, 7
"""Versions of ONNX's operators, and of its files at their time."""
END_OF_AXIS = 2**63 - 1
"""A slice that ends here reaches to the end."""


class RecurrentOperator(NamedTuple):
    """ONNX's operator for a kind of recurrent layer."""

    name: str
    gates: tuple[int, ...]
    """Gates in ONNX's order, each by its place in the rows of our weights."""
    states: tuple[str, ...]
    """What a layer carries from word to word."""

    def reordered(self, rows: Array) -> Array:
        """Weights or biases ``(gates * hidden, ...)`` with the gates in ONNX's order."""
        gates = rows.reshape(len(self.gates), -1, *rows.shape[1:])
        result: Array = gates[list(self.gates)].reshape(rows.shape)
        return result


RECURRENT = {
    "rnn": RecurrentOperator("RNN", (0,), ("hidden",)),
    # input, forget, new, output; in ONNX input, output, forget, new
    "lstm": RecurrentOperator("LSTM", (0, 3, 1, 2), ("hidden", "memory")),
    # reset, update, new; in ONNX update, reset, new
    "gru": RecurrentOperator("GRU", (1, 0, 2), ("hidden",)),
}
ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}


class Graph:
    """A graph under construction, whose values go by names."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.arrays: dict[str, TensorProto] = {}
        self.inputs: list[ValueInfoProto] = []
        self.outputs: list[ValueInfoProto] = []

    def input(self, name: str, kind: int, shape: Sequence[int | str], meaning: str) -> None:
        """Take a value from the caller.

        Args:
            name: of the value.
            kind: of its numbers.
            shape: sizes; names stand for those that the caller chooses.
            meaning: kept in the file.
        """
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape, meaning))

    def output(self, name: str, kind: int, shape: Sequence[int | str], meaning: str) -> None:
        """Return a value to the caller; see :meth:`input`."""
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape, meaning))

    def store(self, name: str, array: NDArray[Any]) -> str:
        """A value that the file holds; stored again under the same name, it is held once."""
        if name not in self.arrays:
            self.arrays[name] = from_array(np.asarray(array, order="C"), name)
        return name

    def integers(self, values: int | Sequence[int]) -> str:
        """A stored number, or several of them."""
        return self.store(f"integers {values}", np.array(values, dtype=np.int64))

    def add(
        self, operator: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any
    ) -> str:
        """Compute an operator.

        Args:
            operator: its name in ONNX.
            inputs: values; an empty name leaves out an optional one.
            outputs: names of the results; by default a name for a single one is made up.
            attributes: of the operator.

        Returns:
            The first result.
        """
        outputs = outputs or [f"{operator} {len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def linear(self, inputs: str, weight: str, bias: str = "") -> str:
        """W x, or W x + b, ``(..., size)`` to ``(..., rows)``.

        Args:
            inputs: x.
            weight: W, ``(rows, size)``.
            bias: b, ``(rows,)``.
        """
        product = self.add("MatMul", inputs, self.add("Transpose", weight, perm=[1, 0]))
        return self.add("Add", product, bias) if bias else product


def network_model(loaded: LoadedNetwork) -> bytes:
    """The content of an ONNX file; see :func:`nextword.export.onnx.onnx_model`."""
    architecture = loaded.architecture
    network = NETWORKS[architecture.kind](architecture, loaded.arrays())
    graph = Graph()
    graph.input("ids", TensorProto.INT64, ("batch", "time"), "the words read")
    graph.output(
        "log_probabilities",
        TensorProto.FLOAT,
        ("batch", "time", len(loaded.tokenizer)),
        "of each next word after each word read, in nats",
    )
    if isinstance(network, RecurrentNetwork):
        hidden, initial_state = _recurrent(graph, network), 0
    else:
        assert isinstance(network, FeedForwardNetwork)
        hidden, initial_state = _feedforward(graph, network), END_ID
    _readout(graph, network, hidden)
    return _serialized(graph, loaded, initial_state)


def _recurrent(graph: Graph, network: RecurrentNetwork) -> str:
    """The last layer's h after each word, ``(batch, time, hidden)``."""
    operator = RECURRENT[network.architecture.kind]
    vectors = network.vectors
    if network.layers[0].input_weight is None:  # they are the columns of W_hx
        vectors = operator.reordered(vectors.T).T
    words = graph.add("Transpose", "ids", perm=[1, 0])
    hidden = graph.add("Gather", graph.store("vectors.weight", vectors), words)
    attributes: dict[str, Any] = {}
    if operator.name == "RNN":
        attributes["activations"] = [ACTIVATIONS[network.architecture.activation]]
    if operator.name == "GRU":
        attributes["linear_before_reset"] = 1
    for number, layer in enumerate(network.layers):
        hidden = _layer(graph, hidden, number, layer, operator, attributes)
    return graph.add("Transpose", hidden, perm=[1, 0, 2])


def _layer(
    graph: Graph,
    inputs: str,
    number: int,
    layer: Layer,
    operator: RecurrentOperator,
    attributes: dict[str, Any],
) -> str:
    """A layer's h after each word, ``(time, batch, hidden)``, from ``(time, batch, size)``.

    Its state is an input and an output of the graph. ONNX's operators have a dimension of size one
    for their directions.
    """
    size = layer.hidden_weight.shape[1]
    states = [f"{state}_{number}" for state in operator.states]
    directions = graph.integers([0])
    before = []
    for state in states:
        graph.input(state, TensorProto.FLOAT, ("batch", size), "zeros at the beginning of a text")
        before.append(graph.add("Unsqueeze", state, directions))
    outputs = [f"outputs_{number}", *(f"last {state}" for state in states)]
    weights = _layer_weights(graph, f"cells.{number}", layer, operator)
    # the empty name is that of the lengths of texts, which are all the same
    graph.add(
        operator.name,
        inputs,
        *weights,
        "",
        *before,
        outputs=outputs,
        hidden_size=size,
        **attributes,
    )
    for state, last in zip(states, outputs[1:], strict=True):
        graph.add("Squeeze", last, directions, outputs=[f"next_{state}"])
        graph.output(
            f"next_{state}", TensorProto.FLOAT, ("batch", size), f"{state} of the next call"
        )
    return graph.add("Squeeze", outputs[0], graph.integers([1]))


def _layer_weights(
    graph: Graph, name: str, layer: Layer, operator: RecurrentOperator
) -> tuple[str, str, str]:
    """A layer's W_hx, W_hh and biases as its operator takes them; without biases an empty name."""
    rows = len(layer.hidden_weight)
    if layer.input_weight is None:
        # inputs are W_hx x already; an identity made at run time takes no space in the file
        zeros = graph.add("ConstantOfShape", graph.integers([rows, rows]))
        input_weight = graph.add("Unsqueeze", graph.add("EyeLike", zeros), graph.integers([0]))
    else:
        input_weight = graph.store(f"{name}.W", operator.reordered(layer.input_weight)[np.newaxis])
    hidden_weight = graph.store(f"{name}.R", operator.reordered(layer.hidden_weight)[np.newaxis])
    if layer.input_bias.ndim == 0:
        return input_weight, hidden_weight, ""
    biases = [operator.reordered(bias) for bias in (layer.input_bias, layer.hidden_bias)]
    return input_weight, hidden_weight, graph.store(f"{name}.B", np.concatenate(biases)[np.newaxis])


def _feedforward(graph: Graph, network: FeedForwardNetwork) -> str:
    """The last layer after each word, ``(batch, time, hidden)``."""
    context, vectors = network.architecture.context, network.vectors
    activation = ACTIVATIONS[network.architecture.activation]
    shape, meaning = ("batch", context - 1), "the last words read"
    graph.input("context_ids", TensorProto.INT64, shape, f"{meaning}, {END_ID} before the first")
    seen = graph.add("Concat", "context_ids", "ids", axis=1)
    time = graph.add("Gather", graph.add("Shape", "ids"), graph.integers([1]))
    ends = graph.integers([END_OF_AXIS])
    graph.add("Slice", seen, time, ends, graph.integers([1]), outputs=["next_context_ids"])
    graph.output("next_context_ids", TensorProto.INT64, shape, meaning)
    rows, places = graph.store("vectors.weight", vectors), np.arange(context, dtype=np.int64)
    words = _contexts(graph, seen, time, graph.store("places", places))
    if network.one_hot:
        # a matrix for each place in the context, stored one below the other
        offsets = graph.store("offsets", places * (len(vectors) // context))
        columns = graph.add("Gather", rows, graph.add("Add", words, offsets))
        summed = graph.add("ReduceSum", columns, graph.integers([2]), keepdims=0)
        hidden = graph.add(activation, summed)
    else:
        # the vectors of a context side by side; sizes of 0 stay as they are
        sizes = graph.integers([0, 0, context * vectors.shape[1]])
        hidden = graph.add("Reshape", graph.add("Gather", rows, words), sizes)
    for number, (weight, bias) in enumerate(network.layers):
        stored = graph.store(f"layers.{number}.weight", weight)
        added = graph.store(f"layers.{number}.bias", bias) if bias.ndim else ""
        hidden = graph.add(activation, graph.linear(hidden, stored, added))
    return hidden


def _contexts(graph: Graph, seen: str, time: str, places: str) -> str:
    """The words that each position sees, the oldest first, ``(batch, time, context)``."""
    zero, one, length = graph.integers(0), graph.integers(1), graph.add("Squeeze", time)
    begins = graph.add("Range", zero, length, one)
    indices = graph.add("Add", graph.add("Unsqueeze", begins, graph.integers([1])), places)
    return graph.add("Gather", seen, indices, axis=1)


def _readout(graph: Graph, network: Network, features: str) -> None:
    """From the last layer to the log-probabilities."""
    if network.projection is not None:
        projection = graph.store("projection.weight", network.projection)
        features = graph.linear(features, projection)
    tied = network.output_weight is network.vectors
    weight = graph.store("vectors.weight" if tied else "output.weight", network.output_weight)
    bias = network.output_bias
    stored = "" if bias is None else graph.store("output.bias", bias)
    scores = graph.linear(features, weight, stored)
    graph.add("LogSoftmax", scores, outputs=["log_probabilities"], axis=-1)


def _serialized(graph: Graph, loaded: LoadedNetwork, initial_state: int) -> bytes:
    """The content of the file of a finished graph, with its metadata.

    Args:
        graph: the graph.
        loaded: the network that it computes.
        initial_state: the number that its states hold at the beginning of a text.
    """
    kind, tokenizer = loaded.architecture.kind, loaded.tokenizer
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, kind, graph.inputs, graph.outputs, list(graph.arrays.values())
        ),
        opset_imports=[helper.make_opsetid("", OPERATOR_SET)],
        ir_version=FILE_VERSION,
        producer_name="nextword",
        producer_version=__version__,
    )
    metadata = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "nextword_version": __version__,
        FINGERPRINT: model_fingerprint(
            tokenizer.words, tokenizer.kind, tokenizer.lowercase, loaded.settings
        ),
        "kind": kind,
        "vocabulary_size": len(tokenizer),
        "unknown_id": UNKNOWN_ID,
        "end_id": END_ID,
        "initial_state": initial_state,
    }
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
