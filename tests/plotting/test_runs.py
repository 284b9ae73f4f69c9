"""Figures of one run and of several: they show the logged and measured values."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nextword.comparison.comparison import compare_loaded
from nextword.comparison.loaded_run import LoadedRun
from nextword.interpret.memory import MemorySettings
from nextword.plotting.runs import comparison_figures, curves_figure, training_figure
from nextword.plotting.style import page_svg, write_picture
from nextword.storage.metrics_log import LoggedStep, LoggedValidation, RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

pytest.importorskip("matplotlib", reason="pictures are an extra")
Contend = Callable[..., LoadedRun]


def x_data(axes: Axes) -> list[list[float]]:
    return [np.asarray(line.get_xdata()).tolist() for line in axes.lines]


def test_curves_run_over_words_and_over_seconds(contend: Contend) -> None:
    # an n-gram model has no curve; an old log may lack the seconds
    logs = [contend("a").log, RunLog(), RunLog(validations=[_look(1, None), _look(2, 3.0)])]
    figure = curves_figure(logs, ["a", "counted", "costs $5 or $6"])
    words, seconds = figure.axes
    assert x_data(words) == [[100, 200, 300], [100, 200]]
    assert x_data(seconds) == [[0.5, 1.0, 1.5], [3.0]]
    for axes in (words, seconds):
        assert np.asarray(axes.lines[0].get_ydata()).tolist() == [90.0, 45.0, 30.0]
    assert len({(line.get_linestyle(), line.get_marker()) for line in words.lines}) == 2
    assert words.get_yscale() == "log" and words.get_xlabel() == "words read"


def _look(number: int, seconds: float | None) -> LoggedValidation:
    return LoggedValidation(
        kind="valid", step=number, words=100 * number, seconds=seconds, perplexity=50.0
    )


def test_only_what_there_is_to_show_is_drawn(contend: Contend, tmp_path: Path) -> None:
    both = [contend("a", kind="rnn"), contend("b", kind="gru")]
    assert list(comparison_figures(compare_loaded(both))) == ["curves"]
    figures = comparison_figures(compare_loaded(both, memory=MemorySettings(10, 5)))
    assert list(figures) == ["curves", "memory"]
    for name, draw in figures.items():
        write_picture(tmp_path / f"{name}.svg", draw)
        drawn = (tmp_path / f"{name}.svg").read_text()
        assert all(re.search(rf">{name}(: half-life .*)?</text>", drawn) for name in "ab")


def step(number: int, **values: float | None) -> LoggedStep:
    return LoggedStep(kind="train", step=number, words=100 * number, seconds=0.1 * number, **values)


def validation(number: int, perplexity: float, words: int | None) -> LoggedValidation:
    return LoggedValidation(kind="valid", step=number, words=words, perplexity=perplexity)


def test_a_training_is_drawn_over_the_words_it_read() -> None:
    steps = [
        step(1, loss=2.0, learning_rate=0.1, gradient_norm=1.0),
        step(2, loss=None, learning_rate=0.2, gradient_norm=None),
        step(3, loss=1.0, learning_rate=0.3, gradient_norm=3.0),
    ]
    validations = [validation(1, 9.0, 100), validation(2, 8.0, None), validation(3, 7.0, 300)]
    perplexity, rate, gradient = training_figure(RunLog(steps, validations)).axes
    batches, validated = perplexity.lines
    assert np.asarray(batches.get_xdata()).tolist() == [100, 300]
    assert np.asarray(batches.get_ydata()).tolist() == pytest.approx([7.389, 2.718], rel=1e-3)
    assert np.asarray(validated.get_xydata()).tolist() == [[100, 9.0], [300, 7.0]]
    assert np.asarray(rate.lines[0].get_xydata()).tolist() == [[100, 0.1], [300, 0.3]]
    assert np.asarray(gradient.lines[0].get_ydata()).tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    "log",
    [
        RunLog(validations=[validation(1, 9.0, 100)]),
        RunLog(validations=[validation(1, 1e17, 10**17), validation(2, 1e-300, None)]),
        RunLog(steps=[step(1)]),
        RunLog(steps=[step(1, loss=1e17), step(2, loss=-1e17, learning_rate=0.0)]),
    ],
)
def test_odd_logs_are_drawn_too(log: RunLog) -> None:
    drawn = page_svg(lambda: training_figure(log), "odd", "a picture")
    assert drawn.startswith("<svg ") and drawn.rstrip().endswith("</svg>")
