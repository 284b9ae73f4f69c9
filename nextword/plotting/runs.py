"""Learning curves: several runs in one figure, and one run in detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nextword.comparison.comparison import Comparison
from nextword.plotting.interpret import memory_figure
from nextword.plotting.style import (
    LIGHT,
    MAX_PERPLEXITY,
    line,
    logarithmic,
    new_figure,
    printable,
    whole_numbers,
)
from nextword.statistics import safe_exp
from nextword.storage.metrics_log import LoggedValidation, RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def comparison_figures(comparison: Comparison) -> dict[str, Callable[[], Figure]]:
    """The figures that have something to show, by file name without ending."""
    runs, memories = comparison.runs, comparison.memories
    figures: dict[str, Callable[[], Figure]] = {}
    if any(result.run.log.validations for result in runs):
        logs, names = [result.run.log for result in runs], [result.name for result in runs]
        comparable = comparison.measure == "perplexity"
        figures["curves"] = lambda: curves_figure(logs, names, comparable)
    if memories:
        figures["memory"] = lambda: memory_figure(memories, [memory.name for memory in memories])
    return figures


def curves_figure(logs: Sequence[RunLog], names: Sequence[str], comparable: bool = True) -> Figure:
    """Validation perplexity of networks against words read, and against seconds.

    Args:
        logs: of the runs; at least one has a validation.
        names: of the runs.
        comparable: whether all have the same vocabulary and tokens.
    """
    figure = new_figure(5.2 + 0.18 * len(logs))
    upper, lower = figure.subplots(2, 1)
    for number, (log, name) in enumerate(zip(logs, names, strict=True)):
        if log.validations:
            _curve(upper, [(each.words, each) for each in log.validations], number, name)
            _curve(lower, [(each.seconds, each) for each in log.validations], number, name)
    if not comparable:
        upper.set_title("different vocabularies: the heights do not compare")
    for axes, label in ((upper, "words read"), (lower, "seconds of training")):
        axes.set_xlim(left=0)
        axes.set_xlabel(label)
        axes.set_ylabel("validation perplexity")
        logarithmic(axes)
    whole_numbers(upper)
    figure.legend(*lower.get_legend_handles_labels(), loc="outside lower center", handlelength=3.2)
    return figure


def _curve(
    axes: Axes, points: Sequence[tuple[float | None, LoggedValidation]], number: int, name: str
) -> None:
    known = [(at, each.perplexity) for at, each in points if at is not None]
    shown = printable(name)
    axes.plot([at for at, _ in known], [value for _, value in known], label=shown, **line(number))


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
