"""How far a training has come, and the learning rate that belongs there."""

from __future__ import annotations

import math

from nextword.config.schema import TrainingConfig

FINAL_SHARE = 0.02
"""The cosine ends at this share of the peak rate."""
PLATEAU_FACTOR = 0.25
"""``plateau`` multiplies the rate by this when validation has not improved."""
WARMUP_SHARE = 0.1
"""Warm-up takes at most this share of a training, however short that is."""


class Budget:
    """The way from the first step to the last, measured in steps and, with a budget, in time:
    whichever is used up first.

    Args:
        config: the ``training`` section, its open settings resolved.
        steps_per_epoch: optimizer steps in an epoch.
    """

    def __init__(self, config: TrainingConfig, steps_per_epoch: int) -> None:
        self.seconds = None if config.minutes is None else 60 * config.minutes
        self.steps = max(1, math.ceil(config.epochs * steps_per_epoch))

    def done(self, step: int, seconds: float) -> float:
        """The share of the way behind us, 0 to 1.

        Args:
            step: optimizer steps taken.
            seconds: time spent.
        """
        in_time = 0.0 if self.seconds is None else seconds / self.seconds
        return min(max(step / self.steps, in_time), 1.0)

    def steps_ahead(self, step: int, seconds: float) -> int:
        """All steps from the first to the last, as far as is known by now."""
        done = self.done(step, seconds)
        if self.seconds is None or done == 0 or step == 0:
            return self.steps
        return min(self.steps, max(step, round(step / done)))


class Schedule:
    """The learning rate as a function of progress; ``plateau`` also listens to validation.

    Args:
        config: the ``training`` section.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.reduction = 1.0

    def rate(self, step: int, done: float) -> float:
        """The rate of a step.

        Args:
            step: its number, counted from zero.
            done: the share of the training that lies before it.
        """
        rate = self.config.learning_rate * self.reduction
        if self.config.warmup_steps:
            by_steps = (step + 1) / self.config.warmup_steps
            rate *= min(1.0, max(by_steps, done / WARMUP_SHARE))
        if self.config.schedule == "cosine":
            rate *= FINAL_SHARE + (1 - FINAL_SHARE) * (1 + math.cos(math.pi * done)) / 2
        return rate

    def stalled(self) -> None:
        """Validation has not improved."""
        if self.config.schedule == "plateau":
            self.reduction *= PLATEAU_FACTOR
