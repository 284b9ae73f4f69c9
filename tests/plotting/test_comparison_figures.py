"""Pictures of several runs: that they show what was logged and measured."""

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
from nextword.plotting.runs import comparison_figures, curves_figure
from nextword.plotting.style import write_picture
from nextword.storage.metrics_log import LoggedValidation, RunLog

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
