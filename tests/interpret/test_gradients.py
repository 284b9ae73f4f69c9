"""Gradient norms and their decay, against cases worked out by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nextword.inference.loaded_model import LoadedModel
from nextword.interpret.gradients import GradientDecay, gradient_decay, gradient_norms
from nextword.models.base import State
from nextword.models.recurrent import LstmCell, RecurrentModel, ReluCell

REACH = 12
Build = Callable[..., LoadedModel]


def norms(loaded: LoadedModel, start: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    model = loaded.network.double().requires_grad_(False)
    assert isinstance(model, RecurrentModel)
    state: State = tuple(part.double() + start for part in model.initial_state(2))
    words = torch.randint(0, 14, (2, REACH), generator=torch.Generator().manual_seed(1))
    return gradient_norms(model, state, words, torch.tensor([3, 8]))


def test_of_a_linear_unit_a_power_of_its_weight_is_left(untrained: Build) -> None:
    loaded = untrained(kind="rnn", activation="relu", layers=1, hidden_size=1)
    assert isinstance(loaded.network, RecurrentModel)
    (cell,) = loaded.network.cells
    assert isinstance(cell, ReluCell) and cell.input_bias is not None
    with torch.no_grad():
        cell.hidden_weight.fill_(0.75)
        cell.input_bias.fill_(9.0)  # every state is positive, so max(0, z) = z
    whole, hidden = norms(loaded)
    wanted = 0.75 ** np.arange(REACH + 1)
    np.testing.assert_allclose(whole / whole[:, :1], [wanted, wanted], rtol=1e-9)
    np.testing.assert_array_equal(whole, hidden)
    curve = gradient_decay(whole)
    np.testing.assert_allclose(curve.geometric_mean, wanted, rtol=1e-9)
    assert curve.half_life == pytest.approx(math.log(0.5) / math.log(0.75))
    assert curve.steps_to_1_percent is None  # 0.75 ** 12 is 0.03
    assert not curve.vanished.any()


def test_the_first_norm_is_that_of_the_softmax(untrained: Build) -> None:
    loaded = untrained(kind="rnn", layers=1, tie_weights=False)
    whole, _ = norms(loaded)
    model = loaded.network
    words = torch.randint(0, 14, (2, REACH), generator=torch.Generator().manual_seed(1))
    features, _ = model.features(words, (torch.full((2, 10), 0.7, dtype=torch.float64),))
    errors = model.output(features[:, -1]).softmax(1)
    errors[[0, 1], [3, 8]] -= 1  # d loss / d scores
    wanted = (errors @ model.output.weight).norm(dim=1)
    np.testing.assert_allclose(whole[:, 0], wanted.numpy(), rtol=1e-6)


def test_an_lstm_with_still_gates_forgets_by_its_forget_gate(untrained: Build) -> None:
    loaded = untrained(kind="lstm", layers=1, hidden_size=1)
    assert isinstance(loaded.network, RecurrentModel)
    (cell,) = loaded.network.cells
    assert isinstance(cell, LstmCell) and cell.input_bias is not None
    i, f, g, o = 0.3, 0.9, 0.5, 0.6
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        logits = [math.log(gate / (1 - gate)) for gate in (i, f, o)]
        cell.input_bias.copy_(torch.tensor([logits[0], logits[1], math.atanh(g), logits[2]]))
    whole, hidden = norms(loaded)
    memory = 0.7
    for _ in range(REACH):
        memory = f * memory + i * g
    # d h_t / d c_(t-k) = o (1 - tanh(c_t)^2) f^k, and h has no way from word to word
    wanted = o * (1 - math.tanh(memory) ** 2) * f ** np.arange(1, REACH + 1)
    np.testing.assert_allclose((whole / whole[:, :1])[:, 1:], [wanted, wanted], rtol=1e-6)
    np.testing.assert_allclose(hidden[:, 1:], 0)
    assert hidden[0, 0] == whole[0, 0] > 0
    assert gradient_decay(whole).half_life == pytest.approx(math.log(0.5) / math.log(f), rel=1e-6)
    assert gradient_decay(hidden).half_life == 0 and gradient_decay(hidden).vanished[1:].all()


def test_norms_are_those_of_finite_differences(untrained: Build) -> None:
    """All of a two-layer LSTM's state, one number after the other."""
    loaded = untrained(kind="lstm", hidden_size=3)
    whole, hidden = norms(loaded)
    model = loaded.network
    words = torch.randint(0, 14, (2, REACH), generator=torch.Generator().manual_seed(1))
    targets, step = torch.tensor([3, 8]), 1e-4

    def loss(state: State) -> torch.Tensor:
        features, _ = model.features(words, state)
        scores: torch.Tensor = model.output(features[:, -1])
        return -scores.log_softmax(1).gather(1, targets[:, None])[:, 0]

    start = tuple(part.double() + 0.7 for part in model.initial_state(2))
    squares = []
    for part in range(4):
        for unit in range(3):
            ends = []
            for sign in (1, -1):
                moved = [each.clone() for each in start]
                moved[part][:, unit] += sign * step
                ends.append(loss(tuple(moved)))
            squares.append(((ends[0] - ends[1]) / (2 * step)).square())
    h1, _, h2, _ = (torch.stack(squares[3 * i : 3 * i + 3]).sum(0) for i in range(4))
    np.testing.assert_allclose(whole[:, -1], torch.stack(squares).sum(0).sqrt(), rtol=1e-5)
    np.testing.assert_allclose(hidden[:, -1], (h1 + h2).sqrt(), rtol=1e-5)


def test_averages_leave_out_what_has_vanished_and_say_so() -> None:
    curve = gradient_decay(np.array([[2.0, 1.0, 0.5], [4.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(curve.mean, [1, (0.5 + 0.25) / 2, 0.125])
    np.testing.assert_allclose(curve.geometric_mean, [1, math.sqrt(0.125), 0.25])
    np.testing.assert_allclose(curve.vanished, [0, 0, 0.5])


def test_what_is_left_at_few_places_is_no_typical_gradient() -> None:
    norms = np.ones((100, 6))
    norms[1:, 2:] = 0
    curve = gradient_decay(norms)
    assert curve.geometric_mean.tolist() == [1] * 6 and curve.left.tolist() == [1, 1, 0, 0, 0, 0]
    assert curve.half_life == 0 and curve.half_life_error == 0 and curve.steps_to_1_percent == 2
    norms[:60, 2:] = 1
    assert (
        gradient_decay(norms).half_life is None and gradient_decay(norms).steps_to_1_percent is None
    )


@pytest.mark.parametrize(
    ("curve", "half_life", "steps_to_1_percent"),
    [
        ([1, 4, 2, 1, 0.5], 1, None),  # the jump to k = 1 is no part of the gradient_decay
        ([1, 1, 1, 1, 1], None, None),
        ([1, 2, 4, 8, 16], None, None),
        ([1, 0.1, 0.02, 0.004, 0.012, 0.003], 0.9212554, 5),
        ([1, 0, 0], 0, 1),  # gone at once is not endless
        ([1, 0.5, 0], 0, 2),
        ([0, 0, 0], 0, 0),
    ],
)
def test_half_life_and_the_last_hundredth(
    curve: list[float], half_life: float | None, steps_to_1_percent: int | None
) -> None:
    values = np.array(curve, dtype=np.float64)
    found = GradientDecay(values, values, np.zeros(len(values)))
    assert found.half_life == (None if half_life is None else pytest.approx(half_life))
    assert found.steps_to_1_percent == steps_to_1_percent


def test_a_half_life_has_the_error_of_its_spread_over_places() -> None:
    # each place fades by a factor of its own; the fit's slope is the mean of theirs
    draw = np.random.default_rng(5)
    slopes = draw.normal(0.25, 0.05, 400)
    curve = gradient_decay(0.5 ** (slopes[:, None] * np.arange(31)))
    assert curve.half_life == pytest.approx(1 / slopes.mean())
    wanted = slopes.std() / math.sqrt(400) / slopes.mean() ** 2
    assert curve.half_life_error == pytest.approx(wanted, rel=0.3)
    # places near one another gradient_decay alike, and so tell less than as many that do not
    mixed = gradient_decay(0.5 ** (np.sort(slopes)[:, None] * np.arange(31)))
    assert mixed.half_life == pytest.approx(curve.half_life)
    assert mixed.half_life_error is not None and curve.half_life_error is not None
    assert mixed.half_life_error > 3 * curve.half_life_error
    still = gradient_decay(np.tile(0.9 ** np.arange(11), (50, 1)))
    assert still.half_life_error == pytest.approx(0, abs=1e-9)
    assert gradient_decay(np.tile(0.9 ** np.arange(11), (39, 1))).half_life_error is None
    assert gradient_decay(np.ones((50, 11))).half_life_error is None
