"""A map of words: the first two principal components of their vectors."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ConfigError
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.neighbours import principal_plane
from nextword.plotting.style import BLUE, GREY, check_picture, write_picture
from nextword.text.vocabulary import SPECIAL_WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pair = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

SIZE = (8.0, 6.0)
"""Inches."""
_AROUND: tuple[Pair, ...] = ((4, 0), (-4, 0), (0, 4), (0, -4), (3, 3), (-3, 3), (3, -3), (-3, -3))
"""Offsets of a label from its point, in points of 1/72 inch, the best first."""
_FARTHER: tuple[Pair, ...] = tuple((r * x, r * y) for r in (4, 7, 10, 14) for x, y in _AROUND)
"""More offsets for a marked word, with a line to its point."""
_PLAIN: dict[str, Any] = {"parse_math": False}  # two dollar signs are not a formula
_IMPORTANT = {**_PLAIN, "fontsize": 8.5, "fontweight": "bold", "color": "black"}
_ORDINARY = {**_PLAIN, "fontsize": 7, "color": "#333333"}
_LEADER: dict[str, Any] = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkB": 2}


def frequent_words(words: Sequence[str], count: int) -> list[int]:
    """The ids of the most frequent words, without punctuation and numbers.

    Args:
        words: the vocabulary in id order, which is by decreasing frequency.
        count: number of words.
    """
    numbers = range(len(SPECIAL_WORDS), len(words))
    return [i for i in numbers if any(letter.isalpha() for letter in words[i])][:count]


def write_map(loaded: LoadedModel, path: Path, count: int, marked: Sequence[int] = ()) -> None:
    """Draw the most frequent words by their vectors.

    Args:
        loaded: the model.
        path: a ``.png`` or ``.svg`` file.
        count: number of words.
        marked: ids of more words, which are highlighted.

    Raises:
        ModelError: the model has no word vectors.
        NextwordError: see :func:`~nextword.plotting.style.check_picture`.
    """
    check_picture(path)
    ids = list(dict.fromkeys([*marked, *frequent_words(loaded.tokenizer.words, count)]))
    if len(ids) < 2:
        raise ConfigError("a map needs two words at least")
    points = principal_plane(loaded.word_vectors()[ids])
    words = [_printable(loaded.tokenizer.words[i]) for i in ids]
    write_picture(path, lambda: map_figure(words, points, len(marked)))


def _printable(word: str) -> str:
    """A word without control characters."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in word)


def map_figure(words: Sequence[str], points: NDArray[np.float64], marked: int = 0) -> Figure:
    """Words beside their points; a word without room is left out.

    Args:
        words: the most important first, since the first ones find room most easily.
        points: ``(words, 2)``.
        marked: the number of first words that are highlighted and never left out.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.scatter(points[:, 0], points[:, 1], s=0)  # the axes must include all points
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.05)
    for spine in axes.spines.values():
        spine.set_color("#DDDDDD")
    title = axes.set_title("Words", fontsize=9, color=GREY)
    figure.draw_without_rendering()  # fixes the layout, so that labels can be measured
    shown = _label(axes, words, points, marked)
    room = f"; {len(shown)} of {len(words)} words shown" if len(shown) < len(words) else ""
    title.set_text(
        f"Words with similar vectors are close together (two principal components{room})"
    )
    colours = [BLUE if i < marked else "#9A9A9A" for i in shown]
    sizes = [16 if i < marked else 6 for i in shown]
    axes.scatter(points[shown, 0], points[shown, 1], s=sizes, color=colours, linewidths=0)
    return figure


def _label(axes: Axes, words: Sequence[str], points: NDArray[np.float64], marked: int) -> list[int]:
    """Write the words that have room, and return their indices."""
    frame = axes.get_window_extent()
    room = Room((frame.x0, frame.y0, frame.x1, frame.y1), axes.figure.dpi / 72)
    centres = axes.transData.transform(points).tolist()
    for centre in centres[:marked]:
        room.taken.append(room.dot(centre))
    shown = []
    for i, (word, centre) in enumerate(zip(words, centres, strict=True)):
        important = i < marked
        if not important and not room.has(room.dot(centre)):
            continue
        style = _IMPORTANT if important else _ORDINARY
        size = _size(axes, word, style)
        offset = room.find(centre, size, _AROUND)
        if offset is None and not important:
            continue
        offset = offset or room.find(centre, size, _FARTHER) or _AROUND[0]
        room.taken += [room.label(centre, offset, size), room.dot(centre)]
        room.taken += room.leader(centre, offset, size)
        shown.append(i)
        _write(axes, word, (points[i, 0], points[i, 1]), offset, style)
    return shown


def _size(axes: Axes, word: str, style: dict[str, Any]) -> tuple[float, float]:
    """Width and height of a word in pixels."""
    trial = axes.text(0, 0, word, transform=None, **style)
    extent = trial.get_window_extent()
    trial.remove()
    return extent.width, extent.height


def _write(axes: Axes, word: str, point: Pair, offset: Pair, style: dict[str, Any]) -> None:
    axes.annotate(
        word,
        point,
        offset,
        textcoords="offset points",
        ha=("right", "center", "left")[_sign(offset[0]) + 1],
        va=("top", "center", "bottom")[_sign(offset[1]) + 1],
        arrowprops=_LEADER if offset in _FARTHER else None,
        **style,
    )


class Room:
    """The free area of a frame, in pixels.

    Args:
        frame: the limits.
        scale: pixels per point of 1/72 inch.
    """

    def __init__(self, frame: Box, scale: float) -> None:
        self.frame = frame
        self.scale = scale
        self.taken: list[Box] = []

    def has(self, box: Box) -> bool:
        """Whether a box is inside and overlaps nothing."""
        left, bottom, right, top = self.frame
        inside = left <= box[0] and bottom <= box[1] and box[2] <= right and box[3] <= top
        return inside and not any(overlap(box, other) for other in self.taken)

    def find(self, centre: Pair, size: Pair, offsets: Sequence[Pair]) -> Pair | None:
        """The first of some offsets, in points, where a label has room."""
        return next((offset for offset in offsets if self._fits(centre, offset, size)), None)

    def _fits(self, centre: Pair, offset: Pair, size: Pair) -> bool:
        boxes = [self.label(centre, offset, size), *self.leader(centre, offset, size)]
        return all(map(self.has, boxes))

    def leader(self, centre: Pair, offset: Pair, size: Pair) -> list[Box]:
        """Small boxes along the line from a point to a label that is not next to it."""
        if offset in _AROUND:
            return []
        label, dot = self.label(centre, offset, size), self.dot(centre)
        end = ((label[0] + label[2]) / 2, (label[1] + label[3]) / 2)
        steps = int(math.dist(centre, end) / self.scale)
        half = self.scale / 2
        boxes = []
        for step in range(1, steps):
            x, y = (a + (b - a) * step / steps for a, b in zip(centre, end, strict=True))
            box = (x - half, y - half, x + half, y + half)
            if not overlap(box, label) and not overlap(box, dot):
                boxes.append(box)
        return boxes

    def label(self, centre: Pair, offset: Pair, size: Pair) -> Box:
        """The box of a label that starts at an offset from a point, away from it."""
        left, bottom = (
            start + self.scale * shift - length * (1 - _sign(shift)) / 2
            for start, shift, length in zip(centre, offset, size, strict=True)
        )
        return (left, bottom, left + size[0], bottom + size[1])

    def dot(self, centre: Pair) -> Box:
        """The box of a point."""
        (x, y), radius = centre, 1.5 * self.scale
        return (x - radius, y - radius, x + radius, y + radius)


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes overlap."""
    apart_in_x = one[2] <= other[0] or other[2] <= one[0]
    apart_in_y = one[3] <= other[1] or other[3] <= one[1]
    return not (apart_in_x or apart_in_y)


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
