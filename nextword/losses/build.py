"""The loss that the configuration describes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.config.schema import TrainingConfig
from nextword.losses.sampled import SampledLoss
from nextword.losses.softmax import ExactLoss, Loss

MOST_TIMES = 2
"""Sampling does not pay over a vocabulary of less than so many times the candidates."""


def build_loss(training: TrainingConfig, counts: NDArray[np.int64]) -> Loss:
    """The loss of a training.

    Args:
        training: the ``training`` section.
        counts: occurrences of each word in the training text, ``(vocabulary,)``.
    """
    candidates = training.sampled_head + training.sampled_tail
    if training.loss == "exact" or len(counts) <= MOST_TIMES * candidates:
        return ExactLoss()
    return SampledLoss(training.sampled_head, training.sampled_tail, torch.from_numpy(counts))
