"""Every family behind the one interface: state, shapes, dropout, shared weights."""

import itertools

import pytest
import torch

from nextword.config.schema import ModelConfig
from nextword.models.base import LanguageModel
from nextword.models.layers import WindowDropout
from nextword.models.recurrent import RecurrentModel
from nextword.models.registry import build_network

VOCABULARY = 23
FAMILIES = [
    *itertools.product(["rnn"], ["tanh", "sigmoid", "relu"], ["embedding", "one_hot"]),
    *itertools.product(["lstm", "gru", "feedforward"], ["tanh"], ["embedding", "one_hot"]),
]


def build(**settings: object) -> LanguageModel:
    torch.manual_seed(2)
    defaults = {"embedding_size": 8, "hidden_size": 12, "layers": 2, "context": 3}
    return build_network(ModelConfig.model_validate({**defaults, **settings}), VOCABULARY)


@pytest.mark.parametrize(("kind", "activation", "reads"), FAMILIES)
def test_a_window_in_two_pieces_gives_what_it_gives_whole(
    kind: str, activation: str, reads: str
) -> None:
    model = build(kind=kind, activation=activation, input=reads).eval()
    words = torch.randint(0, VOCABULARY, (4, 10))
    whole, state = model.features(words, model.initial_state(4))
    first, between = model.features(words[:, :3], model.initial_state(4))
    second, after = model.features(words[:, 3:], between)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    for ours, theirs in zip(after, state, strict=True):
        torch.testing.assert_close(ours, theirs)
        assert len(ours) == 4
    assert model(words)[0].shape == (4, 10, VOCABULARY)


@pytest.mark.parametrize(("kind", "activation", "reads"), FAMILIES)
def test_every_parameter_learns(kind: str, activation: str, reads: str) -> None:
    model = build(kind=kind, activation=activation, input=reads)
    scores, _ = model(torch.randint(0, VOCABULARY, (4, 10)))
    scores.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_only_the_feed_forward_network_forgets_all_but_its_context() -> None:
    words = torch.randint(0, VOCABULARY, (1, 10))
    other = words.clone()
    other[0, 0] = (other[0, 0] + 1) % VOCABULARY
    for kind in ("rnn", "lstm", "gru", "feedforward"):
        model = build(kind=kind).eval()
        same = torch.equal(model(words)[0][0, -1], model(other)[0][0, -1])
        assert same == (kind == "feedforward")


def test_lstm_and_gru_are_pytorchs() -> None:
    for kind, theirs in (("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)):
        model = build(kind=kind, layers=1, tie_weights=False, hidden_size=12).eval()
        assert isinstance(model, RecurrentModel)
        module = theirs(8, 12, batch_first=True)
        weights = [p.detach() for p in model.cells[0].parameters()]
        with torch.no_grad():
            for ours, other in zip(weights, module.parameters(), strict=True):
                other.copy_(ours)
        words = torch.randint(0, VOCABULARY, (2, 5))
        torch.testing.assert_close(
            model.features(words, model.initial_state(2))[0], module(model.vectors(words))[0]
        )


def test_tied_weights_are_one_matrix_and_unequal_sizes_are_projected() -> None:
    tied, apart = build(kind="lstm"), build(kind="lstm", tie_weights=False)
    assert isinstance(tied, RecurrentModel) and isinstance(apart, RecurrentModel)
    assert tied.output.weight is tied.vectors.weight
    assert tied.projection(torch.zeros(1, 12)).shape == (1, 8)
    assert apart.output.weight is not apart.vectors.weight
    assert apart.output.weight.shape == (VOCABULARY, 12)


def test_dropout_uses_one_mask_for_the_whole_window_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropped = WindowDropout(0.25)(torch.ones(200, 7, 50))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    torch.testing.assert_close(dropped.unique(), torch.tensor([0, 4 / 3]))
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    still = WindowDropout(0.25).eval()
    assert torch.equal(still(torch.ones(2, 3, 4)), torch.ones(2, 3, 4))


def test_the_output_bias_starts_at_the_unigram_model() -> None:
    model = build(kind="gru")
    counts = torch.arange(1, VOCABULARY + 1) * 1000
    model.output.start_from_counts(counts)
    start = model.output(torch.zeros(model.output.weight.shape[1])).softmax(0)
    torch.testing.assert_close(start, counts / counts.sum(), rtol=0.01, atol=1e-5)


def test_frozen_vectors_get_no_gradient() -> None:
    model = build(kind="lstm")
    assert isinstance(model, RecurrentModel)
    ids = torch.tensor([3, 5])
    model.vectors.start_from(ids, torch.full((2, 8), 0.5), freeze=True)
    model(torch.randint(0, VOCABULARY, (4, 10)))[0].square().sum().backward()
    gradient = model.vectors.weight.grad
    assert gradient is not None
    assert gradient[ids].abs().sum() == 0 and gradient[4].abs().sum() > 0
    assert torch.equal(model.vectors.weight[ids], torch.full((2, 8), 0.5))
