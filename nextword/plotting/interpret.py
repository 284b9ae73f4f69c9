"""Pictures of what goes on in a network, readable in grey."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nextword.interpret.context import ENOUGH
from nextword.interpret.explanation import Explanation, WordRead
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import Memory
from nextword.interpret.phrases import half_life_in_words, needed_in_words
from nextword.plotting.style import BAND, BLUE, GREY, LIGHT, line, new_figure, printable
from nextword.text.vocabulary import END

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_WORDS = 30
"""Words in a picture; of a longer text the last ones."""
LEAST = 1e-8
"""Where the axis of gradients ends, at the latest; what is less leaves the picture."""
MOST = 10.0
"""Where the axis of perplexities above that with all words ends, at the latest: at +1,000 %."""
LONGEST_WORD = 16


def explanation_figure(told: Explanation) -> Figure:
    """Each word's surprise, the gates and what the last prediction rests on, one below another."""
    words = told.words[-MOST_WORDS:]
    inside = words[0].moved is not None
    heights = [1.0, *([1.0] if inside else []), 1.2]
    figure = new_figure(0.6 + 1.75 * sum(heights))
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _surprise(axes[0], words)
    if inside:
        _openness(axes[1], words, told.gate_names)
    _rests_on(axes[-1], told)
    names = [_name(word.word) + " (?)" * (not word.known) for word in words]
    axes[-1].set_xticks(range(len(words)), names, rotation=45 if len(words) < 16 else 90)
    for label in axes[-1].get_xticklabels():
        label.set_horizontalalignment("right" if len(words) < 16 else "center")
        label.set_rotation_mode("anchor" if len(words) < 16 else "default")
    axes[-1].set_xlim(-0.6, len(words) - 0.4)
    if len(words) < len(told.words):
        axes[-1].set_xlabel(f"the last {len(words)} of {len(told.words)} words")
    figure.align_ylabels()
    return figure


def _name(word: str) -> str:
    shown = "¶" if word == END else printable(word)
    return shown if len(shown) <= LONGEST_WORD else shown[: LONGEST_WORD - 1] + "…"


def _surprise(axes: Axes, words: Sequence[WordRead]) -> None:
    given = [word.probability for word in words]
    bits = [math.nan if p is None else -math.log2(max(p, 1e-300)) for p in given]
    axes.plot(bits, label="surprisal of this word", clip_on=False, **line(0))
    entropies = [word.entropy_bits for word in words]
    axes.plot(entropies, label="entropy of the next word", clip_on=False, **line(1))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("bits")
    _legend_above(axes)


def _openness(axes: Axes, words: Sequence[WordRead], gates: Sequence[str]) -> None:
    moved = [word.moved or 0.0 for word in words]
    for number, gate in enumerate(gates):
        openness = [word.gate(gate) for word in words]
        axes.plot(openness, label=f"{gate} gate", clip_on=False, **line(number))
    axes.plot(moved, label="movement of h" if not gates else "movement", clip_on=False, **line(4))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("openness; movement" if gates else "relative to ‖h‖")
    _legend_above(axes)


def _rests_on(axes: Axes, told: Explanation) -> None:
    parts = told.attributions[-MOST_WORDS:]
    # long texts have fewer attributions than words to read
    places = np.arange(len(parts)) + min(len(told.words), MOST_WORDS) - len(parts)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.bar(
        places - 0.2,
        [part.gradient_bits for part in parts],
        0.38,
        color=BLUE,
        label="gradient × input",
    )
    axes.bar(
        places + 0.2,
        [part.left_out_bits for part in parts],
        0.38,
        color=LIGHT,
        edgecolor="black",
        linewidth=0.5,
        hatch="////",
        label="read as <unk>",
    )
    axes.set_ylabel(f"bits for “{_name(told.prediction.word)}”")
    _legend_above(axes)


def _legend_above(axes: Axes) -> None:
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=4, columnspacing=0.9, handlelength=2.2
    )


def memory_figure(memories: Sequence[Memory], names: Sequence[str]) -> Figure:
    """Gradients that fade and what shorter contexts cost, one network or several.

    Args:
        memories: what was measured.
        names: to tell them from one another, as many.
    """
    faded = any(memory.whole is not None for memory in memories)
    entries = 1 + len(memories) + (len(memories) == 1)
    figure = new_figure((6.0 if faded else 3.2) + 0.18 * entries)
    axes = figure.subplots(2 if faded else 1, 1, squeeze=False)[:, 0]
    if faded:
        _gradients(axes[0], memories)
    _contexts(axes[-1], memories)
    _legend_below(figure, axes[-1], memories, names)
    return figure


def _legend_below(
    figure: Figure, axes: Axes, memories: Sequence[Memory], names: Sequence[str]
) -> None:
    """What each line is, with the figures that sum it up."""
    handles, _ = axes.get_legend_handles_labels()
    (band, *lines), labels = handles, []
    for memory, name in zip(memories, names, strict=True):
        fade = "" if memory.whole is None else f"{half_life_in_words(memory.whole)}, "
        labels.append(f"{printable(name)}: {fade}needs {needed_in_words(memory)}")
    if len(memories) == 1 and memories[0].hidden is not None:
        (alone,) = figure.axes[0].lines[1:]
        lines.append(alone)
        labels.append(f"the same by h alone, without c: {half_life_in_words(memories[0].hidden)}")
    figure.legend(
        [*lines, band],
        [*labels, "within 1 % of the perplexity with all words"],
        loc="outside lower center",
        handlelength=3.2,
    )


def _gradients(axes: Axes, memories: Sequence[Memory]) -> None:
    for number, memory in enumerate(memories):
        if memory.whole is not None:
            _fade(axes, memory.whole, number)
    if len(memories) == 1 and memories[0].hidden is not None:
        _fade(axes, memories[0].hidden, 1)
    reach = max(memory.reach for memory in memories)
    axes.set_yscale("log")
    axes.set_ylim(bottom=max(axes.get_ylim()[0], LEAST))
    axes.set_xlim(-0.02 * reach, 1.02 * reach)
    axes.set_xlabel("k, words back")
    axes.set_ylabel("gradient left, geometric mean")
    axes.set_title("‖∂ loss(t) / ∂ state(t − k)‖ relative to k = 0")


def _fade(axes: Axes, curve: GradientDecay, number: int) -> None:
    left = np.where(curve.geometric_mean > 0, curve.geometric_mean, np.nan)
    every = max(1, len(left) // 10)
    # markers of several lines do not cover one another
    axes.plot(left, markevery=(number * every // 3 % every, every), **line(number))


def _contexts(axes: Axes, memories: Sequence[Memory]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    enough = 100 * ENOUGH
    axes.axhspan(-enough, enough, color=BAND, linewidth=0, label="within 1 %")
    for number, memory in enumerate(memories):
        words = [cost.words or 0 for cost in memory.costs[:-1]]
        above = [100 * cost.above for cost in memory.costs[:-1]]
        known = [cost.standard_error for cost in memory.costs[:-1]]
        errors = None if None in known else [100 * (error or 0.0) for error in known]
        axes.errorbar(words, above, yerr=errors, capsize=2, label=str(number), **line(number))
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=enough, linscale=0.5)
    most = max(max(cost.above for cost in memory.costs) for memory in memories)
    least = min(min(cost.above for cost in memory.costs) for memory in memories)
    axes.set_ylim(min(-1.2 * enough, 110 * least), max(130 * min(most, MOST), 3 * enough))
    axes.yaxis.set_major_locator(
        FixedLocator([-1, 0, 1, *(m * 10**e for e in range(7) for m in (3, 10))])
    )
    axes.yaxis.set_major_formatter(FuncFormatter(_signed))
    axes.yaxis.set_minor_locator(NullLocator())
    ticks = [cost.words for cost in max(memories, key=lambda m: m.reach).costs[:-1]]
    shown = [tick for i, tick in enumerate(ticks) if tick is not None and _apart(ticks, i)]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("words of context that the network may see")
    axes.set_ylabel("perplexity above that with all")


def _signed(value: float, place: int | None = None) -> str:
    return "0 %" if value == 0 else f"{value:+,.4g} %".replace("-", "−")


def _apart(ticks: Sequence[int | None], place: int) -> bool:
    """Whether a tick's label has room before the next."""
    here, following = ticks[place], ticks[place + 1] if place + 1 < len(ticks) else None
    return here is not None and (following is None or following > 1.3 * here)
