"""The article's equations written out by hand, in numpy, against the network that we train.

h_t = f(W_hh h_(t-1) + W_hx x_t), y_t = softmax(W_S h_t), h_0 = 0, one-hot x, cross-entropy at
every step, the gradient by back-propagation through time.
"""

from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nextword.config.load import find_config, load_config
from nextword.config.schema import ModelConfig
from nextword.losses.softmax import ExactLoss
from nextword.models.layers import WordVectors
from nextword.models.recurrent import RecurrentModel
from nextword.models.registry import build_network

Array = NDArray[np.float64]
Activation = Literal["tanh", "sigmoid", "relu"]
VOCABULARY, HIDDEN, TIME = 11, 6, 9


def activate(kind: Activation, z: Array) -> tuple[Array, Array]:
    """f(z) and its derivative."""
    if kind == "tanh":
        return np.tanh(z), 1 - np.tanh(z) ** 2
    if kind == "sigmoid":
        h = 1 / (1 + np.exp(-z))
        return h, h * (1 - h)
    return np.maximum(z, 0), (z > 0).astype(float)


def by_hand(
    kind: Activation, w_hx: Array, w_hh: Array, w_s: Array, words: list[int], targets: list[int]
) -> tuple[float, Array, Array, Array]:
    """The mean loss over the steps and its gradient by each of the three matrices."""
    hidden: list[Array] = [np.zeros(HIDDEN)]
    slopes: list[Array] = []
    loss = 0.0
    errors: list[Array] = []
    for word, target in zip(words, targets, strict=True):
        one_hot = np.zeros(VOCABULARY)
        one_hot[word] = 1
        h, slope = activate(kind, w_hh @ hidden[-1] + w_hx @ one_hot)
        hidden.append(h)
        slopes.append(slope)
        y = np.exp(w_s @ h) / np.exp(w_s @ h).sum()
        loss -= np.log(y[target]) / len(words)
        y[target] -= 1
        errors.append(y / len(words))
    g_hx, g_hh, g_s = np.zeros_like(w_hx), np.zeros_like(w_hh), np.zeros_like(w_s)
    future = np.zeros(HIDDEN)  # what later steps want of this step's h
    for t in reversed(range(len(words))):
        g_s += np.outer(errors[t], hidden[t + 1])
        at_z = (w_s.T @ errors[t] + future) * slopes[t]
        g_hh += np.outer(at_z, hidden[t])
        g_hx[:, words[t]] += at_z
        future = w_hh.T @ at_z
    return loss, g_hx, g_hh, g_s


@pytest.mark.parametrize("kind", ["tanh", "sigmoid", "relu"])
def test_value_and_gradient_are_those_of_the_equations(kind: Activation) -> None:
    torch.manual_seed(5)
    whole = load_config(find_config("article"), environ={})
    assert (whole.training.optimizer, whole.training.loss) == ("sgd", "exact")
    assert not whole.windows.continuous  # each window begins with h_0
    config = whole.model.model_copy(update={"activation": kind, "hidden_size": HIDDEN})
    model = build_network(config, VOCABULARY).double()
    assert isinstance(model, RecurrentModel)
    assert isinstance(model.vectors, WordVectors)
    assert {name for name, _ in model.named_parameters()} == {
        "vectors.weight",
        "cells.0.hidden_weight",
        "output.weight",
    }
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.6)
    ids = torch.randint(0, VOCABULARY, (TIME + 1,))
    features, _ = model.features(ids[None, :-1], model.initial_state(1))
    loss = ExactLoss()(features, model.output, ids[None, 1:]).mean
    weights = [
        model.vectors.weight,
        model.get_parameter("cells.0.hidden_weight"),
        model.output.weight,
    ]
    own_gradients = torch.autograd.grad(loss, weights)
    embedding, w_hh, w_s = (weight.detach().numpy() for weight in weights)
    value, *gradients = by_hand(kind, embedding.T, w_hh, w_s, ids[:-1].tolist(), ids[1:].tolist())
    assert loss.item() == pytest.approx(value, rel=1e-9)
    for own, hand in zip(own_gradients, gradients, strict=True):
        own = own.t() if own.shape != hand.shape else own
        np.testing.assert_allclose(own.numpy(), hand, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_taking_rows_is_the_product_with_the_one_hot_vector(kind: str) -> None:
    config = ModelConfig.model_validate(
        {"kind": kind, "input": "one_hot", "hidden_size": HIDDEN, "dropout": 0}
    )
    model = build_network(config, VOCABULARY)
    assert isinstance(model, RecurrentModel)
    words = torch.randint(0, VOCABULARY, (3, TIME))
    dense = torch.nn.functional.one_hot(words, VOCABULARY).float() @ model.vectors.weight
    torch.testing.assert_close(model.vectors(words), dense)

    # the same layer with W_hx as the kernel's own input matrix, fed the one-hot vectors
    from nextword.models.recurrent import Cell

    sparse = model.cells[0]
    assert isinstance(sparse, Cell)
    plain = type(sparse)(VOCABULARY, HIDDEN, bias=True)
    plain.load_state_dict(sparse.state_dict(), strict=False)
    with torch.no_grad():
        plain.input_weight.copy_(model.vectors.weight.t())
    one_hot = torch.nn.functional.one_hot(words, VOCABULARY).float()
    expected, _ = plain(one_hot, plain.initial_state(3))
    found, _ = sparse(model.vectors(words), sparse.initial_state(3))
    torch.testing.assert_close(found, expected)
