"""The chunked loss is PyTorch's cross-entropy, and the sampled one converges to it."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nextword.losses.sampled import SampledLoss
from nextword.losses.softmax import CHUNK_ROWS, Candidates, ExactLoss, Loss
from nextword.models.layers import OutputLayer
from nextword.windows import IGNORED

VOCABULARY, SIZE = 60, 7
COUNTS = torch.arange(VOCABULARY, 0, -1) ** 2
CPU = torch.device("cpu")
PLACES = CHUNK_ROWS + 44  # more than one chunk, the last one short


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextword.losses.softmax.CHUNK_SCORES", 0)


def example(bias: bool = True) -> tuple[Tensor, OutputLayer, Tensor]:
    torch.manual_seed(3)
    output = OutputLayer(VOCABULARY, SIZE, bias).double()
    with torch.no_grad():
        output.weight.normal_()
        if output.bias is not None:
            output.bias.normal_()
    features = torch.randn(PLACES // 2, 2, SIZE, dtype=torch.float64, requires_grad=True)
    return features, output, torch.randint(0, VOCABULARY, (PLACES // 2, 2))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gradients(loss: Loss, features: Tensor, output: OutputLayer, targets: Tensor) -> list[Tensor]:
    wanted = [features, *output.parameters()]
    value = loss(features, output, targets).mean
    return [value.detach(), *torch.autograd.grad(value, wanted)]


def reference(features: Tensor, output: OutputLayer, targets: Tensor) -> list[Tensor]:
    scores = output(features).flatten(0, 1)
    value = functional.cross_entropy(scores, targets.flatten(), ignore_index=IGNORED)
    return [value.detach(), *torch.autograd.grad(value, [features, *output.parameters()])]


@pytest.mark.parametrize("bias", [True, False])
def test_exact_equals_cross_entropy_in_value_and_gradient(bias: bool) -> None:
    features, output, targets = example(bias)
    targets[::3, 0] = IGNORED
    ours = gradients(ExactLoss(), features, output, targets)
    for actual, theirs in zip(ours, reference(features, output, targets), strict=True):
        torch.testing.assert_close(actual, theirs, rtol=1e-5, atol=1e-7)
    assert ExactLoss()(features, output, targets).words == int((targets != IGNORED).sum())


def test_gradient_follows_a_scaled_loss() -> None:
    features, output, targets = example()
    whole = gradients(ExactLoss(), features, output, targets)[1]
    half = torch.autograd.grad(ExactLoss()(features, output, targets).mean / 2, features)[0]
    torch.testing.assert_close(half, whole / 2)


@pytest.mark.parametrize("bias", [True, False])
def test_a_sample_of_every_tail_word_gives_the_exact_loss(bias: bool) -> None:
    """With each word of the tail drawn once, the estimate has nothing left to estimate."""
    features, output, targets = example(bias)

    class EveryWord(SampledLoss):
        def draw(self, device: torch.device) -> Candidates:
            rest = torch.arange(self.head, VOCABULARY, device=device)
            return Candidates(self.head, rest, torch.zeros(len(rest)))

    ours = gradients(EveryWord(20, 40, COUNTS), features, output, targets)
    for actual, theirs in zip(ours, reference(features, output, targets), strict=True):
        torch.testing.assert_close(actual, theirs, rtol=1e-5, atol=1e-7)


def test_sampled_converges_to_exact_in_value_and_gradient() -> None:
    features, output, targets = example()
    with torch.no_grad():
        output.weight.mul_(0.5)
    exact = reference(features, output, targets)

    def distances(tail: int) -> list[float]:
        draws = [
            gradients(SampledLoss(20, tail, COUNTS, seeded(seed)), features, output, targets)
            for seed in range(40)
        ]
        return [
            torch.stack([(draw[i] - exact[i]).norm() / exact[i].norm() for draw in draws])
            .mean()
            .item()
            for i in range(len(exact))
        ]

    few, many = distances(4), distances(36)
    assert all(close < far / 2 for far, close in zip(few, many, strict=True)), (few, many)


def test_the_sampled_normaliser_is_unbiased() -> None:
    features, output, _ = example()
    scores = output(features).detach().flatten(0, 1)
    head = 20
    draws = []
    for seed in range(4000):
        _, sample, log_weights = SampledLoss(head, 10, COUNTS, seeded(seed)).draw(CPU)
        assert sample is not None and log_weights is not None
        tail = scores[:, sample] + log_weights
        draws.append(scores[:, :head].exp().sum(1) + tail.exp().sum(1))
    ratio = torch.stack(draws).mean(0) / scores.exp().sum(1)
    assert ratio.mean().item() == pytest.approx(1, abs=0.02)


def test_a_small_vocabulary_is_scored_whole() -> None:
    features, output, targets = example()
    sampled = SampledLoss(30, 30, COUNTS)(features, output, targets).mean
    assert sampled.item() == ExactLoss()(features, output, targets).mean.item()


def test_no_counted_word_is_no_loss_and_no_nan() -> None:
    features, output, targets = example()
    value = ExactLoss()(features, output, torch.full_like(targets, IGNORED))
    assert value.words == 0 and value.mean.item() == 0
