"""Pictures of an evaluation: that they are drawn, and show what was measured."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nextword.errors import NextwordError
from nextword.evaluation.breakdown import Band
from nextword.evaluation.evaluator import Evaluation, evaluate
from nextword.evaluation.metrics import calibration
from nextword.inference.loaded_model import LoadedModel
from nextword.plotting.evaluation import (
    bands_figure,
    reliability_figure,
    surprisal_figure,
    write_plots,
)
from nextword.plotting.style import prepare_plots
from nextword.statistics import safe_exp
from nextword.text.tokenized import TokenizedText

if TYPE_CHECKING:
    from matplotlib.axes import Axes

pytest.importorskip("matplotlib", reason="pictures are an extra")


def bar_heights(axes: Axes) -> list[float]:
    from matplotlib.patches import Rectangle

    return [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]


@pytest.fixture
def measured(
    untrained: Callable[..., LoadedModel], held_out: Callable[..., TokenizedText]
) -> Evaluation:
    loaded, ids = untrained(), np.random.default_rng(2).integers(0, 14, 61)
    return evaluate(loaded.decoder(), held_out(ids), loaded.tokenizer, loaded.counts)


def test_every_picture_is_a_png_of_a_columns_width(measured: Evaluation, tmp_path: Path) -> None:
    written = write_plots(measured, tmp_path / "new" / "folder")
    assert [path.name for path in written] == [
        "reliability.png",
        "frequency.png",
        "position.png",
        "surprisal.png",
    ]
    for path in written:
        head = path.read_bytes()[:24]
        assert head.startswith(b"\x89PNG") and struct.unpack(">I", head[16:20]) == (1000,)


def test_a_readers_own_settings_of_matplotlib_stay(measured: Evaluation, tmp_path: Path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    write_plots(measured, tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_reliability_shows_each_filled_bin() -> None:
    sure, hits = np.array([0.1, 0.12, 0.5, 0.9]), np.array([True, False, False, True])
    upper, lower = reliability_figure(calibration(sure, hits, bins=5), 0.5).axes
    points = np.asarray(upper.lines[1].get_xydata())
    assert points.tolist() == [[pytest.approx(0.11), 0.5], [0.5, 0.0], [0.9, 1.0]]
    assert bar_heights(lower) == [50, 0, 25, 0, 25]
    assert "accuracy 0.50" in upper.get_title()


def test_bands_show_perplexities_and_shares() -> None:
    bands = [Band("unknown", 0, math.nan, None), Band("1-9", 30, 200, 5), Band("10+", 10, 40, None)]
    (axes,) = bands_figure(bands, 90.0, "count").axes
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["unknown\n0.0 %", "1–9\n75.0 %", "10+\n25.0 %"]
    assert [text.get_text() for text in axes.texts] == ["200", "40"]
    assert axes.get_yscale() == "log"
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert np.asarray(points[0].get_xydata()).tolist() == [[1, 200], [2, 40]]


def test_surprisals_add_up_to_all_words() -> None:
    (axes,) = surprisal_figure(np.array([0.5, 0.6, 1.5, 7.2] + [3.0] * 6)).axes
    heights = bar_heights(axes)
    assert heights[0] == pytest.approx(20) and heights[3] == pytest.approx(60)
    assert sum(heights) == pytest.approx(100)


@pytest.mark.parametrize("nats", [0.0, 1e30])
def test_extremes_can_be_drawn(measured: Evaluation, tmp_path: Path, nats: float) -> None:
    places = replace(measured.scores, surprisals=np.full(61, nats, dtype=np.float32))
    worst = [replace(band, perplexity=safe_exp(nats)) for band in measured.by_position]
    values = {**measured.values, "perplexity": safe_exp(nats)}
    extreme = replace(measured, scores=places, by_position=worst, values=values)
    assert len(write_plots(extreme, tmp_path)) == 4


@pytest.mark.usefixtures("without_matplotlib")
def test_without_matplotlib_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(NextwordError, match=r"pip install 'nextword\[plots\]'"):
        prepare_plots(tmp_path / "plots")
    assert not (tmp_path / "plots").exists()


def test_a_folder_that_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NextwordError, match="file/plots: cannot be created"):
        prepare_plots(tmp_path / "file" / "plots")
