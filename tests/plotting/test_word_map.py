"""A map of words: a picture in which labels do not cover one another."""

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nextword.errors import ConfigError
from nextword.inference.loaded_model import LoadedModel
from nextword.plotting.style import check_picture
from nextword.plotting.word_map import (
    Room,
    frequent_words,
    map_figure,
    overlap,
    write_map,
)

pytest.importorskip("matplotlib", reason="pictures are an extra")


@pytest.fixture
def loaded(tiny_run: SimpleNamespace) -> LoadedModel:
    found: LoadedModel = tiny_run.result.model.loaded
    return found


def test_frequent_words_are_words() -> None:
    words = ["<unk>", "<eos>", "the", ",", "12", "a2", "été", "--", "it's", "king"]
    assert [words[i] for i in frequent_words(words, 4)] == ["the", "a2", "été", "it's"]


@pytest.fixture
def crowd() -> Callable[[int], tuple[list[str], np.ndarray]]:
    def make(count: int) -> tuple[list[str], np.ndarray]:
        draw = np.random.default_rng(3)
        return [f"word{i}" for i in range(count)], draw.normal(size=(count, 2))

    return make


def test_no_label_covers_another_or_leaves_the_frame(
    crowd: Callable[[int], tuple[list[str], np.ndarray]],
) -> None:
    figure = map_figure(*crowd(300))
    (axes,) = figure.axes
    boxes = [tuple(text.get_window_extent().extents) for text in axes.texts]
    assert 60 < len(boxes) < 300
    # measured once more, a box may differ by a pixel's fraction
    tight = [(left + 1, low + 1, right - 1, high - 1) for left, low, right, high in boxes]
    covered = [(i, j) for i, one in enumerate(tight) for j in range(i) if overlap(one, tight[j])]
    assert covered == []
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box[0] + 1 and box[2] - 1 <= frame.x1 for box in boxes)
    assert f"{len(boxes)} of 300" in axes.get_title()
    assert len(np.asarray(axes.collections[-1].get_offsets())) == len(boxes)


def test_marked_words_are_all_there_even_in_one_place() -> None:
    words = [f"word{i}" for i in range(30)]
    points = np.concatenate([np.zeros((12, 2)), np.random.default_rng(1).normal(size=(18, 2))])
    (axes,) = map_figure(words, points, marked=12).axes
    shown = {text.get_text(): text.get_fontweight() for text in axes.texts}
    assert {f"word{i}" for i in range(12)} <= set(shown)
    assert {word for word, weight in shown.items() if weight == "bold"} == {
        f"word{i}" for i in range(12)
    }


def test_a_label_leads_away_from_its_point() -> None:
    room = Room((0, 0, 100, 100), scale=2)
    assert room.label((50, 50), (4, 0), (20, 10)) == (58, 45, 78, 55)
    assert room.label((50, 50), (-3, -3), (20, 10)) == (24, 34, 44, 44)
    assert room.has((0, 0, 100, 100)) and not room.has((-1, 0, 5, 5))
    room.taken.append((10, 10, 20, 20))
    assert not room.has((19, 19, 30, 30))
    assert room.has((20, 10, 30, 20))  # side by side
    assert room.find((10, 30), (20, 5), [(0, -4), (4, 0)]) == (4, 0)
    assert room.find((200, 200), (20, 5), [(0, -4), (4, 0)]) is None


def test_a_line_to_a_far_label_crosses_nothing() -> None:
    room = Room((0, 0, 200, 200), scale=1)
    centre, size = (100, 100), (20, 10)
    assert room.leader(centre, (4, 0), size) == []
    line = room.leader(centre, (40, 0), size)
    assert (
        line[0][0] > 101 and line[-1][2] <= 140 + 1 and all(box[1] < 100 < box[3] for box in line)
    )
    room.taken = [room.dot(centre), (120, 98, 124, 102)]  # a word between point and label
    assert room.find(centre, size, [(40, 0), (-40, 0)]) == (-40, 0)
    room.taken += room.leader(centre, (-40, 0), size)
    assert room.find((70, 90), size, [(0, 4), (0, -4)]) == (0, -4)  # and none on the line


def test_a_png_and_an_svg_are_written_the_svg_with_its_words(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    write_map(loaded, tmp_path / "new" / "map.PNG", 20)
    head = (tmp_path / "new" / "map.PNG").read_bytes()[:24]
    assert head.startswith(b"\x89PNG") and struct.unpack(">II", head[16:24]) == (1600, 1200)
    marked = [loaded.tokenizer.words.index(word) for word in ("Napoleon", "cat")]
    write_map(loaded, tmp_path / "map.svg", 20, marked)
    drawn = (tmp_path / "map.svg").read_text()
    assert ">Napoleon</text>" in drawn and ">cat</text>" in drawn
    write_map(loaded, tmp_path / "again.svg", 20, marked)
    assert (tmp_path / "again.svg").read_text() == drawn


def test_another_ending_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    for name in ("map.jpg", "map"):
        with pytest.raises(ConfigError, match=".png or .svg"):
            check_picture(tmp_path / "new" / name)
    assert not (tmp_path / "new").exists()


def test_words_are_drawn_letter_by_letter_whatever_they_hold() -> None:
    words = ["$_^{$", r"\$", "it's", "\u732b"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the font lacks a letter
        figure = map_figure(words, np.array([[0, 0], [1, 0], [0, 1], [1, 1]]))
        figure.draw_without_rendering()  # where a formula that is none would be an error
    assert [text.get_text() for text in figure.axes[0].texts] == words
