"""The optimizer, its learning rate, and the budget of a training."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from nextword.config.schema import TrainingConfig
from nextword.models.layers import WordVectors

FINAL_RATE = 0.02
"""The cosine schedule ends at this share of the peak rate."""
PLATEAU_FACTOR = 0.25
"""``plateau`` multiplies the rate by this after a validation without improvement."""
LEAST_SHARE = 0.1
"""Share of a time budget for steps, at least."""
EPSILON = 1e-6
"""AdamW's epsilon."""
MAX_WARMUP = 0.1
"""Warm-up takes at most this share of a training."""


def build_optimizer(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """AdamW or SGD over the trainable parameters; only matrices decay.

    Biases and gains do not decay, nor does a matrix with frozen word vectors.
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    frozen = {
        id(module.weight)
        for module in model.modules()
        if isinstance(module, WordVectors) and len(module.frozen)
    }
    decays = [p.dim() > 1 and id(p) not in frozen for p in trainable]
    groups = [
        {
            "params": [p for p, decay in zip(trainable, decays, strict=True) if decay == wanted],
            "weight_decay": config.weight_decay if wanted else 0.0,
        }
        for wanted in (True, False)
    ]
    groups = [group for group in groups if group["params"]]
    if config.optimizer == "sgd":
        return SGD(groups, lr=config.learning_rate)
    fused = all(p.device.type in ("cpu", "cuda") for p in trainable)
    return AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99), eps=EPSILON, fused=fused)


def clip_gradient(model: nn.Module, clip_norm: float) -> float:
    """Clip the gradient to ``clip_norm`` (0: no clipping) and return its norm before that."""
    learned = [p for p in model.parameters() if p.grad is not None]
    total = torch.nn.utils.get_total_norm([p.grad for p in learned if p.grad is not None])
    norm = float(total)
    if norm > clip_norm > 0:  # else it would be multiplied by one, at the cost of reading it all
        torch.nn.utils.clip_grads_with_norm_(learned, clip_norm, total)
    return norm


def mean_square_gradients(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """AdamW's running mean of each weight's squared gradient, by name; of SGD, which has none, {}.

    Their common scale means nothing: they are not corrected for the number of steps.
    """
    averages = {
        name: optimizer.state.get(parameter, {}).get("exp_avg_sq")
        for name, parameter in model.named_parameters()
    }
    if all(average is None for average in averages.values()):
        return {}
    return {
        # a weight that does not learn has no average
        name: torch.zeros_like(model.get_parameter(name)) if average is None else average
        for name, average in averages.items()
    }


class Budget:
    """The length of a training in steps and, optionally, seconds; the first used up ends it.

    Args:
        config: the ``training`` section, its open settings resolved.
        steps_per_epoch: optimizer steps in an epoch.
        closing_seconds: part of the seconds that is needed after the last step.
    """

    def __init__(
        self, config: TrainingConfig, steps_per_epoch: int, closing_seconds: float = 0.0
    ) -> None:
        self.seconds = None if config.minutes is None else 60 * config.minutes
        self.closing_seconds = closing_seconds
        self.steps = max(1, math.ceil(config.epochs * steps_per_epoch))

    def fraction_done(self, step: int, seconds: float, start_seconds: float = 0.0) -> float:
        """The part of the budget for steps that is used up, 0 to 1.

        Args:
            step: optimizer steps taken.
            seconds: time spent.
            start_seconds: the part of it that was spent before the first step.
        """
        in_time = 0.0
        if self.seconds is not None:
            # however much preparation took, there is something left to learn in
            end = max(
                self.seconds - self.closing_seconds, start_seconds + LEAST_SHARE * self.seconds
            )
            in_time = (seconds - start_seconds) / (end - start_seconds)
        return min(max(step / self.steps, in_time), 1.0)

    def total_steps(self, step: int, seconds: float, start_seconds: float = 0.0) -> int:
        """Steps in the whole training; estimated from the speed so far where time ends it."""
        fraction = self.fraction_done(step, seconds, start_seconds)
        if self.seconds is None or fraction == 0 or step == 0:
            return self.steps
        return min(self.steps, max(step, round(step / fraction)))


class Schedule:
    """The learning rate as a function of progress; ``plateau`` also depends on validation.

    Args:
        config: the ``training`` section.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.reduction = 1.0

    def rate(self, step: int, fraction_done: float) -> float:
        """The learning rate of a step.

        Args:
            step: its number, counted from zero.
            fraction_done: the part of the budget used up before it.
        """
        rate = self.config.learning_rate * self.reduction
        if self.config.warmup_steps:
            by_steps = (step + 1) / self.config.warmup_steps
            rate *= min(1.0, max(by_steps, fraction_done / MAX_WARMUP))
        if self.config.schedule == "linear":
            rate *= 1 - fraction_done
        if self.config.schedule == "cosine":
            rate *= FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * fraction_done)) / 2
        return rate

    def stalled(self) -> None:
        """Lower the rate after a validation without improvement, if the schedule is ``plateau``."""
        if self.config.schedule == "plateau":
            self.reduction *= PLATEAU_FACTOR
