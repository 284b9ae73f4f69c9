"""What was measured of memory, in words; every surface says it in the same."""

from __future__ import annotations

from nextword import formatting as figures
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import Memory


def half_life(curve: GradientDecay) -> str:
    """The figure alone: ``22.5 ± 0.6``, or ``endless`` where the gradient does not fade."""
    half = curve.half_life
    return "endless" if half is None else figures.short(half, curve.half_life_error)


def half_life_in_words(curve: GradientDecay) -> str:
    """The same with its name and unit."""
    if curve.half_life == 0:
        return "gone after a word or two"
    return f"half-life {half_life(curve)}" + " words" * (curve.half_life is not None)


def steps_to_1_percent(curve: GradientDecay) -> str:
    """After how many words less than 1 % is left: ``25``, or ``> 100`` where more still is."""
    return _up_to(curve.steps_to_1_percent, len(curve.left) - 1)


def steps_to_1_percent_in_words(curve: GradientDecay) -> str:
    """The same as it stands in a sentence."""
    return _up_to_in_words(curve.steps_to_1_percent, len(curve.left) - 1)


def needed(memory: Memory) -> str:
    """How many words of context are needed: ``21``, or ``> 100`` where so many are too few."""
    return _up_to(memory.words_needed, memory.reach)


def needed_in_words(memory: Memory) -> str:
    """The same as it stands in a sentence."""
    return _up_to_in_words(memory.words_needed, memory.reach)


def words(count: int) -> str:
    """So many words."""
    return f"{count} word{'s' * (count != 1)}"


def _up_to_in_words(count: int | None, reach: int) -> str:
    return f"more than {words(reach)}" if count is None else words(count)


def _up_to(count: int | None, reach: int) -> str:
    return f"> {reach}" if count is None else str(count)
