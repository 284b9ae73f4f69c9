"""Pictures: that they are drawn, and show what was found."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nextword.errors import ConfigError
from nextword.inference.loaded_model import LoadedModel
from nextword.interpret.explanation import explain
from nextword.interpret.memory import Memory, measure_memory
from nextword.plotting.interpret import explanation_figure, memory_figure
from nextword.plotting.style import check_picture, write_picture
from nextword.text.tokenized import TokenizedText, tokenize_string

if TYPE_CHECKING:
    from matplotlib.axes import Axes

pytest.importorskip("matplotlib", reason="pictures are an extra")
Build = Callable[..., LoadedModel]


def bar_heights(axes: Axes) -> list[float]:
    from matplotlib.patches import Rectangle

    return [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]


@pytest.fixture
def memories(untrained: Build, random_text: Callable[..., TokenizedText]) -> list[Memory]:
    part = random_text(300)
    return [
        measure_memory(untrained(kind=kind), f"runs/{kind}", part, 10, 12)
        for kind in ("lstm", "gru", "feedforward")
    ]


def test_files_are_of_the_kind_that_their_ending_names(
    memories: list[Memory], tmp_path: Path
) -> None:
    for ending in ("png", "svg"):
        write_picture(tmp_path / f"new/m.{ending}", lambda: memory_figure(memories, list("abc")))
    head = (tmp_path / "new/m.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG") and struct.unpack(">I", head[16:20]) == (1000,)
    drawn = (tmp_path / "new/m.svg").read_text()
    assert "<svg" in drawn and "c: needs 3 words" in drawn
    with pytest.raises(ConfigError, match="m.pdf: a picture is a .png or .svg file"):
        check_picture(tmp_path / "m.pdf")


def test_one_network_is_shown_with_h_alone_and_several_without(memories: list[Memory]) -> None:
    lstm = memories[0]
    assert lstm.whole is not None and lstm.hidden is not None
    upper, lower = memory_figure([lstm], ["a"]).axes
    curves = [np.asarray(line.get_ydata()) for line in upper.lines]
    np.testing.assert_array_equal(curves, [lstm.whole.geometric_mean, lstm.hidden.geometric_mean])
    points = np.asarray(lower.lines[0].get_xydata())
    assert points[:, 0].tolist() == [1, 2, 3, 5, 8, 10]
    np.testing.assert_allclose(points[:, 1], [100 * cost.above for cost in lstm.costs[:-1]])
    several = memory_figure(memories, ["a", "b", "c"])
    assert len(several.axes[0].lines) == 2  # the third has no state
    looks = {(line.get_marker(), line.get_linestyle()) for line in several.axes[0].lines}
    assert len(looks) == 2
    result = [text.get_text() for text in several.legends[0].get_texts()]
    assert result[0].startswith("a: ") and result[2] == "c: needs 3 words"
    assert len(memory_figure(memories[2:], ["c"]).axes) == 1


@pytest.mark.parametrize(("kind", "panels"), [("lstm", 3), ("rnn", 3), ("feedforward", 2)])
def test_a_prompt_is_shown_word_by_word(untrained: Build, kind: str, panels: int) -> None:
    loaded = untrained(kind=kind)
    prompt = "the $war$ and " + "ten " * 40
    result = explain(loaded, tokenize_string(loaded.tokenizer, prompt))
    figure = explanation_figure(result, prompt, "a $model$")
    axes = figure.axes
    first, second = figure.get_suptitle().split("\n")
    assert first.startswith("“…") and first.endswith("ten ten”") and len(first) <= 62
    assert second.startswith(rf"a \$model\$ predicts: {result.prediction.word} (")
    assert len(axes) == panels
    labels = [label.get_text() for label in axes[-1].get_xticklabels()]
    assert labels == ["ten"] * 30
    entropies = [word.entropy_bits for word in result.words[-30:]]
    assert np.asarray(axes[0].lines[1].get_ydata()).tolist() == pytest.approx(entropies)
    heights = bar_heights(axes[-1])
    wanted = [p.gradient_bits for p in result.attributions] + [
        p.left_out_bits for p in result.attributions
    ]
    shown = len(result.attributions)
    assert heights == pytest.approx(wanted[shown - 30 : shown] + wanted[-30:])
    if kind == "lstm":
        gates = [line.get_label() for line in axes[1].lines]
        assert gates == ["input gate", "forget gate", "output gate", "change of h"]
