"""The equations written out give what the kernels give."""

from collections.abc import Callable

import pytest
import torch

from nextword.inference.loaded_model import LoadedModel
from nextword.models.recurrent import RecurrentModel

KINDS = [("rnn", "tanh"), ("rnn", "sigmoid"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("fed", ["embedding", "one_hot"])
@pytest.mark.parametrize(("kind", "activation"), KINDS)
def test_word_by_word_is_what_the_kernel_computes(
    untrained: Callable[..., LoadedModel], kind: str, activation: str, fed: str, bias: bool
) -> None:
    tie = fed == "embedding"  # with a projection from 10 to 6
    settings = {"kind": kind, "activation": activation, "input": fed, "bias": bias}
    model = untrained(**settings, tie_weights=tie).network
    assert isinstance(model, RecurrentModel) and model.recurrent
    words = torch.randint(0, 14, (3, 7), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        start = tuple(torch.rand_like(part) for part in model.initial_state(3))
        wanted, last = model.features(words, start)
        state, found = start, []
        for vectors in model.vectors(words).unbind(1):
            state, gates = model.step(vectors, state)
            found.append(model.features_of(state))
    torch.testing.assert_close(torch.stack(found, 1), wanted, rtol=1e-4, atol=1e-5)
    for here, there in zip(state, last, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-5)
    names = {"lstm": ["input", "forget", "output"], "gru": ["reset", "update"]}.get(kind, [])
    assert [list(layer) for layer in gates] == [names, names]
    assert all(((gate >= 0) & (gate <= 1)).all() for layer in gates for gate in layer.values())


@pytest.mark.parametrize(
    ("kind", "gate", "row"), [("lstm", "forget", 1), ("lstm", "output", 3), ("gru", "update", 1)]
)
def test_a_gate_is_the_one_of_its_name(
    untrained: Callable[..., LoadedModel], kind: str, gate: str, row: int
) -> None:
    model = untrained(kind=kind, layers=1).network
    assert isinstance(model, RecurrentModel)
    with torch.no_grad():
        bias = model.cells[0].input_bias
        assert isinstance(bias, torch.Tensor)
        bias[10 * row : 10 * (row + 1)] += 50
        state = tuple(torch.rand_like(part) for part in model.initial_state(1))
        step = model.step(model.vectors(torch.tensor([5])), state)
    openness = {name: float(value.mean()) for name, value in step.gates[0].items()}
    assert openness.pop(gate) == pytest.approx(1)
    assert all(value < 0.99 for value in openness.values())
    if gate == "update":  # it keeps the old state
        torch.testing.assert_close(step.state, state)


def test_only_h_is_a_hidden_state(untrained: Callable[..., LoadedModel]) -> None:
    model = untrained(kind="lstm").network
    assert isinstance(model, RecurrentModel)
    state = tuple(torch.full((1, 10), float(i)) for i in range(4))  # h, c, h, c
    assert [float(part[0, 0]) for part in model.hidden_states(state)] == [0, 2]
