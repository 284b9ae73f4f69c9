"""The networks in NumPy are those in PyTorch: every kind, shape and switch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nextword.config.schema import ModelConfig
from nextword.inference.decoder import NumpyDecoder
from nextword.inference.networks import NETWORKS, Network, sigmoid
from nextword.models.base import LanguageModel
from nextword.models.registry import NETWORKS as TORCH_NETWORKS
from nextword.models.registry import build_network

WORDS = 40

configs = st.builds(
    ModelConfig,
    kind=st.sampled_from(sorted(NETWORKS)),
    activation=st.sampled_from(["tanh", "sigmoid", "relu"]),
    input=st.sampled_from(["embedding", "one_hot"]),
    embedding_size=st.sampled_from([1, 8, 12]),
    hidden_size=st.sampled_from([1, 8, 16]),
    layers=st.integers(1, 3),
    context=st.integers(1, 4),
    bias=st.booleans(),
    tie_weights=st.booleans(),
)


def both(config: ModelConfig, seed: int, scale: float = 1.0) -> tuple[LanguageModel, Network]:
    """A network in PyTorch with random weights, biases too, and the one in NumPy with the same."""
    generator = torch.Generator().manual_seed(seed)
    model = build_network(config, WORDS).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, scale * parameter.shape[-1] ** -0.5, generator=generator)
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    return model, NETWORKS[config.kind](config.architecture, weights)


def torch_probabilities(model: LanguageModel, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    with torch.no_grad():
        scores, _ = model(torch.from_numpy(ids)[None])
    probabilities: NDArray[np.float64] = scores[0].double().softmax(1).numpy()
    return probabilities


def numpy_probabilities(
    network: Network, ids: NDArray[np.int64], cuts: list[int]
) -> NDArray[np.float32]:
    decoder = NumpyDecoder(network)
    pieces = [piece for piece in np.split(ids, sorted(cuts)) if len(piece)]
    return np.concatenate([decoder.read(piece).distributions().probabilities for piece in pieces])


def test_every_kind_of_the_program_has_equations() -> None:
    assert set(NETWORKS) == set(TORCH_NETWORKS)


@settings(max_examples=150, deadline=None)
@given(
    config=configs,
    ids=st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
    seed=st.integers(0, 2**20),
    scale=st.sampled_from([0.1, 1.0, 3.0]),
)
def test_probabilities_equal_those_of_pytorch_in_the_same_order(
    config: ModelConfig, ids: list[int], cuts: list[int], seed: int, scale: float
) -> None:
    if config.activation == "relu":
        scale = min(scale, 1.0)  # without gates or bounds the state would grow beyond all digits
    model, network = both(config, seed, scale)
    words = np.array(ids, dtype=np.int64)
    expected = torch_probabilities(model, words)
    found = numpy_probabilities(network, words, cuts)
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)
    order = np.argsort(-expected, axis=1, kind="stable")
    falling = np.take_along_axis(expected, order, 1)
    ordered = np.take_along_axis(found, order, 1)
    # words whose probabilities differ in their last digits alone may change places
    clearly = falling[:, :-1] > falling[:, 1:] * (1 + 1e-4)
    assert (ordered[:, :-1] > ordered[:, 1:])[clearly].all()


@settings(max_examples=40, deadline=None)
@given(config=configs)
def test_the_shapes_are_those_of_pytorch(config: ModelConfig) -> None:
    with torch.device("meta"):
        model = build_network(config, WORDS)
    expected = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert NETWORKS[config.kind].shapes(config.architecture, WORDS) == expected


def test_the_first_state_is_zero_or_the_end_of_a_paragraph() -> None:
    _, lstm = both(ModelConfig(kind="lstm", hidden_size=3), 0)
    assert [part.tolist() for part in lstm.initial_state()] == [[0.0] * 3] * 2
    _, without_memory = both(ModelConfig(kind="feedforward", context=3), 0)
    assert [part.tolist() for part in without_memory.initial_state()] == [[1, 1]]


def test_a_state_is_never_changed_in_place() -> None:
    for kind in NETWORKS:
        _, network = both(ModelConfig(kind=kind, layers=2, hidden_size=8), 1)
        _, state = network.features(np.array([3, 4]), network.initial_state())
        before = [part.copy() for part in state]
        network.features(np.array([5, 6]), state)
        assert all(np.array_equal(*pair) for pair in zip(before, state, strict=True))


def test_the_sigmoid_is_exact_at_both_ends() -> None:
    with np.errstate(over="raise", invalid="raise"):
        found = sigmoid(np.array([-1e30, -100, -1, 0, 1, 100, 1e30], dtype=np.float32))
    expected = [0, 0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1, 1]
    assert found.tolist() == pytest.approx(expected, abs=1e-7)
