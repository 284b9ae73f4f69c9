"""Figures of an evaluation: calibration, perplexity by frequency and position, surprisal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.breakdown import Band
from nextword.evaluation.evaluator import Evaluation
from nextword.evaluation.metrics import Calibration
from nextword.formatting import percent
from nextword.plotting.style import (
    BLUE,
    GREY,
    LIGHT,
    MAX_PERPLEXITY,
    ORANGE,
    logarithmic,
    new_figure,
    prepare_plots,
    printable,
    write_picture,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 3.4
"""Inches."""
MAX_BITS = 60
"""The end of the surprisal axis, at most."""


def write_plots(
    measured: Evaluation, folder: Path, kind: str = "png", name: str = "this model"
) -> list[Path]:
    """Draw an evaluation.

    Args:
        measured: the evaluation.
        folder: where the files go.
        kind: ``png`` or ``svg``.
        name: of the model.

    Returns:
        The files written.

    Raises:
        NextwordError: matplotlib is not installed, or the folder cannot be written.
    """
    prepare_plots(folder)
    written = []
    for stem, draw in evaluation_figures(measured, name).items():
        path = folder / f"{stem}.{kind}"
        write_picture(path, draw)
        written.append(path)
    return written


def evaluation_figures(
    measured: Evaluation, name: str = "this model"
) -> dict[str, Callable[[], Figure]]:
    """All figures, by file name without ending."""
    frequency = "occurrences of the word in the training part"
    position = "position in the paragraph or line"
    whole = measured.perplexity
    return {
        "reliability": lambda: reliability_figure(measured.calibration, measured.top_1, name),
        "frequency": lambda: bands_figure(measured.by_frequency, whole, frequency),
        "position": lambda: bands_figure(measured.by_position, whole, position),
        "surprisal": lambda: surprisal_figure(measured.scores.surprisals / np.log(2)),
    }


def reliability_figure(
    calibration: Calibration, accuracy: float, name: str = "this model"
) -> Figure:
    """How often the likeliest word comes, by its probability; below, the share of words."""
    figure = new_figure(4.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    filled = [part for part in calibration.bins if part.tokens]
    tokens = np.array([part.tokens for part in filled])
    right = np.array([part.accuracy for part in filled])
    upper.plot(
        [0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated"
    )
    upper.errorbar(
        [part.confidence for part in filled],
        right,
        # of a share, as if words were independent
        yerr=np.sqrt(right * (1 - right) / tokens),
        color=BLUE,
        marker="o",
        markersize=4,
        linewidth=1.2,
        capsize=2,
        label=printable(name),
    )
    upper.set_ylabel("accuracy")
    upper.set_ylim(0, 1)
    upper.legend(loc="upper left")
    error = f"calibration error {percent(calibration.error)}"
    means = f"mean probability {calibration.confidence:.2f}, accuracy {accuracy:.2f}"
    upper.set_title(f"{error}; {means}")
    width = 1 / len(calibration.bins)
    lower.bar(
        [part.above + width / 2 for part in calibration.bins],
        [100 * part.tokens / tokens.sum() for part in calibration.bins],
        width=0.9 * width,
        color=LIGHT,
    )
    lower.set_ylabel("% of words")
    lower.set_xlim(0, 1)
    lower.set_xlabel("probability of the likeliest word")
    return figure


def bands_figure(bands: Sequence[Band], overall: float, title: str) -> Figure:
    """Perplexity by band on a logarithmic axis, with standard errors and shares of words."""
    figure = new_figure(HEIGHT)
    axes = figure.subplots()
    total = sum(band.tokens for band in bands)
    filled = [(place, band) for place, band in enumerate(bands) if band.tokens]
    heights = [min(band.perplexity, MAX_PERPLEXITY) for _, band in filled]
    axes.axhline(
        min(overall, MAX_PERPLEXITY),
        color=GREY,
        linestyle="--",
        linewidth=1,
        label=f"all words {_short(overall)}",
    )
    axes.errorbar(
        [place for place, _ in filled],
        heights,
        yerr=[min(band.standard_error or 0.0, MAX_PERPLEXITY) for _, band in filled],
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
    axes.set_xlabel(f"{title}; share of the words")
    axes.set_ylabel("perplexity")
    return figure


def surprisal_figure(bits: NDArray[np.floating]) -> Figure:
    """How surprising the words were, as a histogram; the last bar holds the rest.

    Args:
        bits: the surprisal of each word, ``(positions,)``.
    """
    figure = new_figure(HEIGHT)
    axes = figure.subplots()
    most = min(int(np.ceil(np.quantile(bits, 0.999))) + 1, MAX_BITS)
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
