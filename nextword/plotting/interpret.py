"""Figures of what goes on in a network: a prompt word by word, and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nextword.formatting import percent
from nextword.interpret.context import ENOUGH
from nextword.interpret.explanation import Explanation, WordRead
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import Memory, context_phrase, half_life_phrase
from nextword.plotting.style import BAND, BLUE, GREY, LIGHT, line, new_figure, printable
from nextword.text.vocabulary import END

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_WORDS = 30
"""A longer text shows its last words."""
MIN_GRADIENT = 1e-8
"""The lower end of the gradient axis, at least."""
MAX_INCREASE = 10.0
"""The upper end of the axis of perplexity increases, at most: +1,000 %."""
MAX_LETTERS = 16
"""Of a word on an axis."""
MAX_TITLE = 60
"""Characters of a prompt in a title; a longer prompt shows its end."""


def explanation_figure(explanation: Explanation, prompt: str, model: str) -> Figure:
    """Surprisal, gates and attributions of each word, one below another.

    Args:
        explanation: of the prompt.
        prompt: the text, for the title.
        model: the name of the model, for the title.
    """
    words = explanation.words[-MAX_WORDS:]
    inside = words[0].moved is not None
    heights = [1.0, *([1.0] if inside else []), 1.2]
    figure = new_figure(1.0 + 1.75 * sum(heights))
    figure.suptitle(_explanation_title(explanation, prompt, model), fontsize=10)
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _surprise(axes[0], words)
    if inside:
        _plot_gates(axes[1], words, explanation.gate_names)
    _attributions(axes[-1], explanation)
    names = [_name(word.word) + " (?)" * (not word.known) for word in words]
    axes[-1].set_xticks(range(len(words)), names, rotation=45 if len(words) < 16 else 90)
    for label in axes[-1].get_xticklabels():
        label.set_horizontalalignment("right" if len(words) < 16 else "center")
        label.set_rotation_mode("anchor" if len(words) < 16 else "default")
    axes[-1].set_xlim(-0.6, len(words) - 0.4)
    if len(words) < len(explanation.words):
        axes[-1].set_xlabel(f"the last {len(words)} of {len(explanation.words)} words")
    figure.align_ylabels()
    return figure


def _explanation_title(explanation: Explanation, prompt: str, model: str) -> str:
    """The end of the prompt, the model, and what it predicts."""
    text = " ".join(prompt.split())
    if len(text) > MAX_TITLE:
        text = "…" + text[len(text) - MAX_TITLE + 1 :]
    prediction = explanation.prediction
    likeliest = f"{_name(prediction.word)} ({percent(prediction.probability)})"
    return f"“{printable(text)}”\n{printable(model)} predicts: {likeliest}"


def _name(word: str) -> str:
    shown = "¶" if word == END else printable(word)
    return shown if len(shown) <= MAX_LETTERS else shown[: MAX_LETTERS - 1] + "…"


def _surprise(axes: Axes, words: Sequence[WordRead]) -> None:
    probabilities = [word.probability for word in words]
    bits = [math.nan if p is None else -math.log2(max(p, 1e-300)) for p in probabilities]
    axes.plot(bits, label="surprisal of this word", clip_on=False, **line(0))
    entropies = [word.entropy_bits for word in words]
    axes.plot(entropies, label="entropy of the next word", clip_on=False, **line(1))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("bits")
    _legend_above(axes)


def _plot_gates(axes: Axes, words: Sequence[WordRead], gates: Sequence[str]) -> None:
    moved = [word.moved or 0.0 for word in words]
    for number, gate in enumerate(gates):
        activation = [word.gate(gate) for word in words]
        axes.plot(activation, label=f"{gate} gate", clip_on=False, **line(number))
    axes.plot(moved, label="change of h", clip_on=False, **line(4))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("gate activation; change of h" if gates else "relative to ‖h‖")
    _legend_above(axes)


def _attributions(axes: Axes, explanation: Explanation) -> None:
    parts = explanation.attributions[-MAX_WORDS:]
    # of a long text only the last words have attributions
    places = np.arange(len(parts)) + min(len(explanation.words), MAX_WORDS) - len(parts)
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
    axes.set_ylabel(f"bits for “{_name(explanation.prediction.word)}”")
    _legend_above(axes)


def _legend_above(axes: Axes) -> None:
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=4, columnspacing=0.9, handlelength=2.2
    )


def memory_figure(memories: Sequence[Memory], names: Sequence[str]) -> Figure:
    """Vanishing gradients and the cost of short contexts, for one network or several.

    Args:
        memories: of the networks.
        names: of the networks.
    """
    recurrent = any(memory.whole is not None for memory in memories)
    entries = 1 + len(memories) + (len(memories) == 1)
    figure = new_figure((6.0 if recurrent else 3.2) + 0.18 * entries)
    axes = figure.subplots(2 if recurrent else 1, 1, squeeze=False)[:, 0]
    if recurrent:
        _gradients(axes[0], memories)
    _contexts(axes[-1], memories)
    _legend_below(figure, axes[-1], memories, names)
    return figure


def _legend_below(
    figure: Figure, axes: Axes, memories: Sequence[Memory], names: Sequence[str]
) -> None:
    """The name of each line, with its summary."""
    handles, _ = axes.get_legend_handles_labels()
    (band, *lines), labels = handles, []
    for memory, name in zip(memories, names, strict=True):
        decay = "" if memory.whole is None else f"{half_life_phrase(memory.whole)}, "
        labels.append(f"{printable(name)}: {decay}needs {context_phrase(memory)}")
    if len(memories) == 1 and memories[0].hidden is not None:
        (alone,) = figure.axes[0].lines[1:]
        lines.append(alone)
        labels.append(
            f"{printable(names[0])}, by h alone, without c: {half_life_phrase(memories[0].hidden)}"
        )
    figure.legend(
        [*lines, band],
        [*labels, "within 1 % of the perplexity with full context"],
        loc="outside lower center",
        handlelength=3.2,
    )


def _gradients(axes: Axes, memories: Sequence[Memory]) -> None:
    for number, memory in enumerate(memories):
        if memory.whole is not None:
            _decay(axes, memory.whole, number)
    if len(memories) == 1 and memories[0].hidden is not None:
        _decay(axes, memories[0].hidden, 1)
    reach = max(memory.reach for memory in memories)
    axes.set_yscale("log")
    axes.set_ylim(bottom=max(axes.get_ylim()[0], MIN_GRADIENT))
    axes.set_xlim(-0.02 * reach, 1.02 * reach)
    axes.set_xlabel("k, words back")
    axes.set_ylabel("gradient left (geometric mean)")
    axes.set_title("‖∂ loss(t) / ∂ state(t − k)‖ relative to k = 0")


def _decay(axes: Axes, decay: GradientDecay, number: int) -> None:
    left = np.where(decay.geometric_mean > 0, decay.geometric_mean, np.nan)
    every = max(1, len(left) // 10)
    # markers of several lines do not cover one another
    axes.plot(left, markevery=(number * every // 3 % every, every), **line(number))


def _contexts(axes: Axes, memories: Sequence[Memory]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    enough = 100 * ENOUGH
    axes.axhspan(-enough, enough, color=BAND, linewidth=0, label="within 1 %")
    for number, memory in enumerate(memories):
        words = [cost.words or 0 for cost in memory.costs[:-1]]
        increase = [100 * cost.above for cost in memory.costs[:-1]]
        shares = [cost.standard_error for cost in memory.costs[:-1]]
        errors = None if None in shares else [100 * (error or 0.0) for error in shares]
        axes.errorbar(words, increase, yerr=errors, capsize=2, label=str(number), **line(number))
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=enough, linscale=0.5)
    most = max(max(cost.above for cost in memory.costs) for memory in memories)
    least = min(min(cost.above for cost in memory.costs) for memory in memories)
    axes.set_ylim(min(-1.2 * enough, 110 * least), max(130 * min(most, MAX_INCREASE), 3 * enough))
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
    axes.set_xlabel("words of context that the network sees")
    axes.set_ylabel("perplexity: increase over full context")


def _signed(value: float, place: int | None = None) -> str:
    return "0 %" if value == 0 else f"{value:+,.4g} %".replace("-", "−")


def _apart(ticks: Sequence[int | None], place: int) -> bool:
    """Whether a tick's label has room before the next tick."""
    here, following = ticks[place], ticks[place + 1] if place + 1 < len(ticks) else None
    return here is not None and (following is None or following > 1.3 * here)
