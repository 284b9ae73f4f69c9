"""Pictures of an evaluation, for a paper: readable in grey, in colours that everybody can tell
apart (Wong, 2011)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.breakdown import Band
from nextword.evaluation.calibration import Calibration
from nextword.evaluation.evaluator import Evaluation
from nextword.formatting import percent
from nextword.plotting.style import (
    BLUE,
    GREY,
    LIGHT,
    ORANGE,
    logarithmic,
    new_figure,
    prepare_plots,
    write_picture,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 3.4
"""Inches."""
MOST_BITS = 60
"""Where the axis of surprisals ends, at the latest."""
MOST_PERPLEXITY = 1e9
"""Where a perplexity is drawn that is greater; its label tells the true one."""


def write_plots(measured: Evaluation, folder: Path, kind: str = "png") -> list[Path]:
    """Draw an evaluation; gives what was written.

    Args:
        measured: the evaluation.
        folder: where the files go.
        kind: ``png`` or ``svg``.

    Raises:
        NextwordError: matplotlib is not installed, or the folder cannot be written.
    """
    prepare_plots(folder)
    written = []
    for name, draw in evaluation_figures(measured).items():
        path = folder / f"{name}.{kind}"
        write_picture(path, draw)
        written.append(path)
    return written


def evaluation_figures(measured: Evaluation) -> dict[str, Callable[[], Figure]]:
    """What draws every picture, by the name of its file."""
    frequency = "times the word stands in the training part"
    position = "number of the word in its paragraph or line"
    whole = measured.perplexity
    return {
        "reliability": lambda: reliability_figure(measured.calibration, measured.top_1),
        "frequency": lambda: bands_figure(measured.by_frequency, whole, frequency),
        "position": lambda: bands_figure(measured.by_position, whole, position),
        "surprisal": lambda: surprisal_figure(measured.scores.surprisals / np.log(2)),
    }


def reliability_figure(told: Calibration, accuracy: float) -> Figure:
    """How often the likeliest word comes, by its probability; below, how many words are so."""
    figure = new_figure(4.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    filled = [part for part in told.bins if part.tokens]
    tokens = np.array([part.tokens for part in filled])
    right = np.array([part.accuracy for part in filled])
    upper.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="as probable as said")
    upper.errorbar(
        [part.confidence for part in filled],
        right,
        # of a share; words are taken as independent here
        yerr=np.sqrt(right * (1 - right) / tokens),
        color=BLUE,
        marker="o",
        markersize=4,
        linewidth=1.2,
        capsize=2,
        label="this model",
    )
    upper.set_ylabel("share that came")
    upper.set_ylim(0, 1)
    upper.legend(loc="upper left")
    gap = f"calibration error {percent(told.error)}"
    upper.set_title(f"{gap}; mean probability {told.confidence:.2f}, right {accuracy:.2f}")
    width = 1 / len(told.bins)
    lower.bar(
        [part.above + width / 2 for part in told.bins],
        [100 * part.tokens / tokens.sum() for part in told.bins],
        width=0.9 * width,
        color=LIGHT,
    )
    lower.set_ylabel("% of words")
    lower.set_xlim(0, 1)
    lower.set_xlabel("probability of the likeliest word")
    return figure


def bands_figure(bands: Sequence[Band], overall: float, what: str) -> Figure:
    """Perplexity by band, on a logarithmic axis, with standard errors and shares of the words."""
    figure = new_figure(HEIGHT)
    axes = figure.subplots()
    total = sum(band.tokens for band in bands)
    filled = [(place, band) for place, band in enumerate(bands) if band.tokens]
    heights = [min(band.perplexity, MOST_PERPLEXITY) for _, band in filled]
    axes.axhline(
        min(overall, MOST_PERPLEXITY),
        color=GREY,
        linestyle="--",
        linewidth=1,
        label=f"all words {_short(overall)}",
    )
    axes.errorbar(
        [place for place, _ in filled],
        heights,
        yerr=[min(band.standard_error or 0.0, MOST_PERPLEXITY) for _, band in filled],
        color=BLUE,
        linestyle="none",
        marker="o",
        markersize=5,
        capsize=3,
    )
    logarithmic(axes)
    for (place, band), height in zip(filled, heights, strict=True):
        _label(axes, _short(band.perplexity), place, height)
    axes.legend(loc="best")
    names = [f"{b.band.replace('-', '–')}\n{100 * b.tokens / total:.1f} %" for b in bands]
    axes.set_xticks(range(len(bands)), names)
    axes.set_xlim(-0.6, len(bands) - 0.4)
    axes.set_xlabel(f"{what}; share of the words")
    axes.set_ylabel("perplexity")
    return figure


def surprisal_figure(bits: NDArray[np.floating]) -> Figure:
    """How many words cost how many bits; the last bar holds all that cost more.

    Args:
        bits: of each word, ``(places,)``.
    """
    figure = new_figure(HEIGHT)
    axes = figure.subplots()
    most = min(int(np.ceil(np.quantile(bits, 0.999))) + 1, MOST_BITS)
    axes.hist(
        np.minimum(bits, most - 0.5),
        bins=list(range(most + 1)),
        weights=np.full(len(bits), 100 / len(bits)),
        color=LIGHT,
        rwidth=0.9,
    )
    for value, style, name in (
        (np.median(bits), ":", "median"),
        (np.mean(bits), "-", "mean"),
    ):
        axes.axvline(
            value, color=ORANGE, linestyle=style, linewidth=1.5, label=f"{name} {value:.2f}"
        )
    axes.legend()
    axes.set_xlim(0, most)
    axes.set_xlabel("surprisal of a word in bits")
    axes.set_ylabel("% of words")
    return figure


def _short(perplexity: float) -> str:
    """A perplexity in few digits."""
    if perplexity >= 1e6:
        return f"{perplexity:.1e}"
    return f"{perplexity:,.0f}" if perplexity >= 1000 else f"{perplexity:.3g}"


def _label(axes: Axes, text: str, x: float, y: float) -> None:
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    axes.annotate(
        text, (x, y), (7, 0), textcoords="offset points", va="center", fontsize=8, bbox=behind
    )
