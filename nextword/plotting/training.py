"""The course of one training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nextword.plotting.style import (
    LIGHT,
    MAX_PERPLEXITY,
    line,
    logarithmic,
    new_figure,
    whole_numbers,
)
from nextword.statistics import safe_exp
from nextword.storage.metrics_log import RunLog

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def training_figure(log: RunLog) -> Figure:
    """Perplexity, learning rate and gradient norm over the words read.

    Args:
        log: of the run; at least a step or a validation.
    """
    figure = new_figure(5.4)
    upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=[3, 1, 1])
    steps = [step for step in log.steps if step.loss is not None]
    upper.plot(
        [step.words for step in steps],
        [min(safe_exp(step.loss or 0.0), MAX_PERPLEXITY) for step in steps],
        color=LIGHT,
        linestyle="none",
        marker=".",
        label="training batches",
    )
    validations = [each for each in log.validations if each.words is not None]
    upper.plot(
        [each.words or 0 for each in validations],
        [each.perplexity for each in validations],
        label="validation part",
        **line(0),
    )
    upper.set_ylabel("perplexity")
    logarithmic(upper)
    upper.legend()
    for axes, values, name in (
        (middle, [step.learning_rate for step in steps], "rate"),
        (lower, [step.gradient_norm for step in steps], "gradient"),
    ):
        logged = [(s.words, v) for s, v in zip(steps, values, strict=True) if v is not None]
        axes.plot([at for at, _ in logged], [v for _, v in logged], color=line(0)["color"])
        axes.set_ylim(bottom=0)
        axes.set_ylabel(name)
    lower.set_xlim(left=0)
    lower.set_xlabel("words read")
    whole_numbers(lower)
    figure.align_ylabels()
    return figure
