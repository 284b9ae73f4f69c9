"""The optimizer, and the gradient that it is given."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from nextword.config.schema import TrainingConfig
from nextword.models.layers import WordVectors


def build_optimizer(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """AdamW or SGD over the learned parameters; only matrices decay.

    A bias or a gain has no large values to be kept from, so decay would only bend it; word
    vectors that are to stay as they were read must not shrink.
    """
    learned = [p for p in model.parameters() if p.requires_grad]
    kept = {
        id(module.weight)
        for module in model.modules()
        if isinstance(module, WordVectors) and len(module.frozen)
    }
    decays = [p.dim() > 1 and id(p) not in kept for p in learned]
    groups = [
        {
            "params": [p for p, decay in zip(learned, decays, strict=True) if decay == wanted],
            "weight_decay": config.weight_decay if wanted else 0.0,
        }
        for wanted in (True, False)
    ]
    groups = [group for group in groups if group["params"]]
    if config.optimizer == "sgd":
        return SGD(groups, lr=config.learning_rate)
    fused = all(p.device.type in ("cpu", "cuda") for p in learned)
    return AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99), eps=1e-8, fused=fused)


def gradient_norm(model: nn.Module, clip_norm: float) -> float:
    """Clip the gradient to ``clip_norm`` (0: leave it) and return the norm that it had."""
    limit = clip_norm if clip_norm > 0 else math.inf
    return float(torch.nn.utils.clip_grad_norm_(model.parameters(), limit, foreach=True))
