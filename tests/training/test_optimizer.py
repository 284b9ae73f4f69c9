"""What decays, what stays, and how long a gradient may be."""

import math

import pytest
import torch

from nextword.config.schema import ModelConfig, TrainingConfig
from nextword.losses.softmax import ExactLoss
from nextword.models.base import LanguageModel
from nextword.models.layers import WordVectors
from nextword.models.registry import build_network
from nextword.training.optimizer import (
    build_optimizer,
    clip_gradient,
    mean_square_gradients,
)


def network(**settings: object) -> LanguageModel:
    torch.manual_seed(1)
    defaults = {"embedding_size": 6, "hidden_size": 8, "dropout": 0.0}
    return build_network(ModelConfig.model_validate({**defaults, **settings}), 12)


def backward(model: LanguageModel, scale: float = 1.0) -> None:
    words = torch.arange(10).reshape(2, 5)
    features, _ = model.features(words, model.initial_state(2))
    torch.autograd.backward(ExactLoss()(features, model.output, words + 1).mean * scale)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_only_matrices_decay(optimizer: str) -> None:
    model = network()
    settings = {"optimizer": optimizer, "weight_decay": 0.5, "learning_rate": 0.1}
    built = build_optimizer(model, TrainingConfig.model_validate(settings))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    built.step()
    for name, parameter in model.named_parameters():
        shrunk = 0.95 if parameter.dim() > 1 else 1.0
        torch.testing.assert_close(parameter.detach(), before[name] * shrunk, msg=name)


def test_every_parameter_is_given_to_the_optimizer_once() -> None:
    model = network(layers=2)
    groups = build_optimizer(model, TrainingConfig()).param_groups
    given = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(given) == sorted(id(parameter) for parameter in model.parameters())


@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_frozen_vectors_stay_bit_for_bit_and_the_others_learn(kind: str, tie: bool) -> None:
    model = network(kind=kind, tie_weights=tie)
    (vectors,) = (module for module in model.modules() if isinstance(module, WordVectors))
    ids, rows = torch.tensor([1, 4, 7]), torch.randn(3, 6)
    vectors.start_from(ids, rows, freeze=True)
    before = vectors.weight.detach().clone()
    optimizer = build_optimizer(model, TrainingConfig(weight_decay=0.5, learning_rate=0.1))
    for _ in range(5):
        optimizer.zero_grad()
        backward(model)
        clip_gradient(model, 1.0)
        optimizer.step()
    assert torch.equal(vectors.weight[ids], rows)
    others = [i for i in range(10) if i not in (1, 4, 7)]
    assert (vectors.weight[others] != before[others]).any(1).all()


def test_vectors_that_are_not_frozen_learn() -> None:
    model = network()
    (vectors,) = (module for module in model.modules() if isinstance(module, WordVectors))
    vectors.start_from(torch.tensor([1, 4]), torch.randn(2, 6), freeze=False)
    before = vectors.weight.detach().clone()
    optimizer = build_optimizer(model, TrainingConfig())
    backward(model)
    optimizer.step()
    assert (vectors.weight[[1, 4]] != before[[1, 4]]).all()


def test_a_long_gradient_is_cut_to_the_norm_and_keeps_its_direction() -> None:
    model = network()
    backward(model, scale=1000)
    before = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    assert clip_gradient(model, 2.0) == pytest.approx(before.norm().item(), rel=1e-5)
    after = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    torch.testing.assert_close(after, before * 2 / before.norm(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("clip", [0.0, 1e6])
def test_a_gradient_within_the_norm_or_without_one_is_left_alone(clip: float) -> None:
    model = network()
    backward(model)
    before = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    norm = clip_gradient(model, clip)
    assert norm == pytest.approx(math.sqrt(sum(g.square().sum().item() for g in before)), rel=1e-5)
    for parameter, old in zip(model.parameters(), before, strict=True):
        assert parameter.grad is not None and torch.equal(parameter.grad, old)


def test_adamw_knows_how_large_each_gradient_was() -> None:
    model = network()
    bias = model.output.bias
    assert bias is not None
    bias.requires_grad_(False)
    optimizer = build_optimizer(model, TrainingConfig(learning_rate=1e-3))
    assert mean_square_gradients(model, optimizer) == {}
    backward(model)
    wanted = {
        name: part.grad.square()
        for name, part in model.named_parameters()
        if part is not bias and part.grad is not None
    }
    optimizer.step()
    found = mean_square_gradients(model, optimizer)
    assert found.keys() == dict(model.named_parameters()).keys()
    assert not found.pop("output.bias").any()
    for name, square in wanted.items():
        torch.testing.assert_close(100 * found[name], square, rtol=1e-4, atol=1e-12)


def test_sgd_knows_of_no_gradients() -> None:
    model = network()
    optimizer = build_optimizer(model, TrainingConfig(optimizer="sgd", learning_rate=0.1))
    backward(model)
    optimizer.step()
    assert mean_square_gradients(model, optimizer) == {}
