"""How far back networks remember, as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from nextword.formatting import change, figure
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import (
    HALF_LIFE,
    Memory,
    context_phrase,
    half_life_phrase,
    steps_phrase,
)

SHOWN = (0, 1, 2, 3, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1000)
"""Words back that have a line; JSON has all."""


def memory_lines(memory: Memory) -> Iterator[str]:
    """One network's gradients and contexts."""
    yield f"model   {memory.name}, {memory.kind}"
    yield f"text    {memory.text}"
    yield ""
    if memory.whole is None:
        yield f"{memory.kind}: no hidden state through which a gradient could flow"
    else:
        yield from _gradient_lines(memory, memory.whole)
    yield ""
    yield from _context_lines(memory)


def _gradient_lines(memory: Memory, whole: GradientDecay) -> Iterator[str]:
    state = "h and c" if memory.hidden is not None else "h"
    places = f"{memory.gradient_places:,} positions"
    yield f"Gradient of the loss by {state} k words before, relative to k = 0, over {places}"
    alone = "" if memory.hidden is None else f"{'h alone':>16}"
    yield f"{'k':>5}{'geometric mean':>16}{'mean':>12}{alone}"
    rows = sorted({k for k in SHOWN if k <= memory.reach} | {memory.reach})
    for k in rows:
        row = f"{k:>5}{whole.geometric_mean[k]:>16.3g}{whole.mean[k]:>12.3g}"
        if memory.hidden is not None:
            row += f"{memory.hidden.geometric_mean[k]:>16.3g}"
        yield row
    little = f"less than 1 % left after {steps_phrase(whole)}"
    yield f"{half_life_phrase(whole)}, fitted from k = 1 on; {little}"
    if memory.hidden is not None:
        yield f"h alone: {half_life_phrase(memory.hidden)}"
    yield HALF_LIFE
    if whole.vanished.any():
        share = 100 * whole.vanished[-1]
        yield f"nothing at all is left after {memory.reach} words at {share:.1f} % of the positions"


def _context_lines(memory: Memory) -> Iterator[str]:
    yield f"Perplexity by words of context, over {memory.context_places:,} positions"
    yield f"{'words':>5}{'perplexity':>16}    increase over full context"
    for cost in memory.costs[:-1]:
        above = change(cost.above, cost.standard_error)
        yield f"{cost.words:>5}{figure(cost.perplexity, None, 2):>16}    {above}"
    yield f"{'all':>5}{figure(memory.perplexity, None, 2):>16}"
    yield f"needs {context_phrase(memory)} of context to come within 1 %"
