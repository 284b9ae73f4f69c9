"""Pictures of several runs: how validation fell while they learned, and how far back they
remember."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nextword.comparison.comparison import Comparison
from nextword.plotting.interpret import memory_figure
from nextword.plotting.style import line, logarithmic, new_figure, printable, whole_numbers
from nextword.storage.metrics_log import LoggedValidation, RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def comparison_figures(comparison: Comparison) -> dict[str, Callable[[], Figure]]:
    """What draws each picture that there is something to show in, by the name of its file."""
    runs, memories = comparison.runs, comparison.memories
    found: dict[str, Callable[[], Figure]] = {}
    if any(run.loaded_run.log.validations for run in runs):
        logs, names = [run.loaded_run.log for run in runs], [run.name for run in runs]
        alike = comparison.measure == "perplexity"
        found["curves"] = lambda: curves_figure(logs, names, alike)
    if memories:
        found["memory"] = lambda: memory_figure(memories, [memory.name for memory in memories])
    return found


def curves_figure(logs: Sequence[RunLog], names: Sequence[str], comparable: bool = True) -> Figure:
    """Validation perplexity of networks against words read, and against seconds.

    Args:
        logs: what each run logged; at least one looked at its validation part.
        names: to tell them from one another, as many.
        comparable: whether their perplexities are over the same words.
    """
    figure = new_figure(5.2 + 0.18 * len(logs))
    upper, lower = figure.subplots(2, 1)
    for number, (log, name) in enumerate(zip(logs, names, strict=True)):
        if log.validations:
            _curve(upper, [(look.words, look) for look in log.validations], number, name)
            _curve(lower, [(look.seconds, look) for look in log.validations], number, name)
    if not comparable:
        upper.set_title("different words known: the heights do not compare")
    for axes, what in ((upper, "words read"), (lower, "seconds of training")):
        axes.set_xlim(left=0)
        axes.set_xlabel(what)
        axes.set_ylabel("validation perplexity")
        logarithmic(axes)
    whole_numbers(upper)
    figure.legend(*lower.get_legend_handles_labels(), loc="outside lower center", handlelength=3.2)
    return figure


def _curve(
    axes: Axes, points: Sequence[tuple[float | None, LoggedValidation]], number: int, name: str
) -> None:
    told = [(at, look.perplexity) for at, look in points if at is not None]
    shown = printable(name)
    axes.plot([at for at, _ in told], [value for _, value in told], label=shown, **line(number))
