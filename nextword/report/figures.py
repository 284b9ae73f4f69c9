"""The pictures of a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextword.plotting.comparison import comparison_figures
from nextword.plotting.evaluation import evaluation_figures
from nextword.plotting.style import LIGHT, line, logarithmic, new_figure, page_svg, whole_numbers
from nextword.report.data import ReportData
from nextword.storage.metrics_log import RunLog

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTIONS = {
    "training": "Perplexity of the batches that were learned from (dropout makes them harder than "
    "they are, sampling a little off) and of the validation part (in several pieces, so a little "
    "higher than in the end), the learning rate, and the gradient before it was clipped.",
    "curves": "Perplexity on the validation part as the networks learned, against the words they "
    "had read and against time; taken in several pieces, so a little higher than the figures.",
    "reliability": "How often the likeliest word came, by the probability it was given. On the "
    "dashed line probabilities mean what they say.",
    "frequency": "Perplexity by how often the training part has the word.",
    "position": "Perplexity by the number of the word in its paragraph.",
    "surprisal": "How many words cost how many bits.",
    "memory": "Above: what is left of the gradient of a word's loss by the state k words before. "
    "Below: how much worse the same words are foretold where the network may see only the last "
    "few words.",
}
"""What each picture shows, for those who look at it and for those who cannot."""


@dataclass(frozen=True)
class Drawing:
    """A picture and what it shows."""

    svg: str
    caption: str


def drawings(data: ReportData) -> dict[str, Drawing]:
    """Every picture that there is something to show in, by its name."""
    return {
        name: Drawing(page_svg(draw, name, CAPTIONS[name]), CAPTIONS[name])
        for name, draw in _figures(data)
    }


def _figures(data: ReportData) -> Iterator[tuple[str, Callable[[], Figure]]]:
    compared = comparison_figures(data.comparison)
    if len(data.runs) == 1:
        run = data.runs[0].compared
        compared.pop("curves", None)
        log = run.loaded_run.log
        if log.validations or log.steps:
            yield "training", lambda: training_figure(log)
        yield from evaluation_figures(run.measured).items()
    yield from compared.items()


def training_figure(log: RunLog) -> Figure:
    """How one training went, over the words it read.

    Args:
        log: what it logged; at least a step or a look.
    """
    figure = new_figure(5.4)
    upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=[3, 1, 1])
    steps = [step for step in log.steps if step.loss is not None]
    upper.plot(
        [step.words for step in steps],
        [math.exp(min(step.loss or 0.0, 50.0)) for step in steps],
        color=LIGHT,
        linestyle="none",
        marker=".",
        label="batches learned from",
    )
    looks = [look for look in log.validations if look.words is not None]
    upper.plot(
        [look.words or 0 for look in looks],
        [look.perplexity for look in looks],
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
        told = [(s.words, v) for s, v in zip(steps, values, strict=True) if v is not None]
        axes.plot([at for at, _ in told], [v for _, v in told], color=line(0)["color"])
        axes.set_ylim(bottom=0)
        axes.set_ylabel(name)
    lower.set_xlim(left=0)
    lower.set_xlabel("words read")
    whole_numbers(lower)
    figure.align_ylabels()
    return figure
