"""The vanishing gradient, measured: the norm of d loss_t / d h_(t-k) as k grows.

Bengio, Simard and Frasconi (1994) and Pascanu, Mikolov and Bengio (2013) show that this gradient is
a product of k Jacobians, and so vanishes (or explodes) exponentially with k. Here it is measured
on a trained network and real text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nextword.models.base import State
from nextword.models.recurrent import RecurrentModel

_NUMBERS = 1 << 24
"""About as many numbers of eight bytes may one backward pass keep."""
_KEPT = 6
"""About as many numbers are kept for each row of a cell's weights at each word."""
GROUPS = 20
"""Groups of positions that the standard error of a half-life rests on."""
NEGLIGIBLE = 0.01
"""A gradient below this share of its initial norm counts as vanished."""


@dataclass(frozen=True, eq=False)
class GradientDecay:
    """The norm of a gradient relative to k = 0, averaged over positions."""

    mean: NDArray[np.float64]
    """``(reach + 1,)``"""
    geometric_mean: NDArray[np.float64]
    """``(reach + 1,)``, over the positions where the gradient is not zero."""
    vanished: NDArray[np.float64]
    """``(reach + 1,)``: the share of positions where the gradient is zero even in float64."""
    half_life_error: float | None = None
    """Standard error of :attr:`half_life`; None if there is none, or too few positions for it."""

    @property
    def left(self) -> NDArray[np.float64]:
        """``(reach + 1,)``: the geometric mean; zero where most positions have no gradient."""
        return _left(self.geometric_mean, self.vanished)

    @property
    def half_life(self) -> float | None:
        """The number of words over which the gradient halves; None if it does not vanish, 0 if it
        is gone before that could be measured.

        A straight line is fitted by least squares to the logarithm of :attr:`left` over
        k = 1, 2, ... as far as it is above zero. k = 0 is left out: there an LSTM's c has no
        gradient.
        """
        return half_life(self.left)

    @property
    def steps_to_1_percent(self) -> int | None:
        """The first k from which on less than :data:`NEGLIGIBLE` is left; None beyond the reach."""
        more = np.flatnonzero(self.left >= NEGLIGIBLE)
        first = int(more[-1]) + 1 if len(more) else 0
        return first if first < len(self.geometric_mean) else None


def _left(
    geometric_mean: NDArray[np.float64], vanished: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.where(vanished > 0.5, 0.0, geometric_mean)


def half_life(left: NDArray[np.float64]) -> float | None:
    """The half-life of a curve, see :attr:`GradientDecay.half_life`.

    Args:
        left: ``(reach + 1,)``, k from 0 on, ``reach`` at least 2.
    """
    distances = np.flatnonzero(left[1:] > 0) + 1
    if len(distances) < 2:
        return 0.0
    slope = float(np.polyfit(distances, np.log2(left[distances]), 1)[0])
    return -1 / slope if slope < -1e-9 else None


def gradient_decay(norms: NDArray[np.float64]) -> GradientDecay:
    """Average gradient norms over positions.

    Args:
        norms: ``(positions, reach + 1)``, k from 0 on, positions in the text's order; the first
            of each row is the unit.
    """
    usable = norms[norms[:, 0] > 0]
    if not len(usable):
        nothing = np.zeros(norms.shape[1])
        return GradientDecay(nothing, nothing, nothing + 1)
    relative = usable / usable[:, :1]
    nonzero = relative > 0
    logs = np.log(np.where(nonzero, relative, 1.0))
    geometric = _geometric_mean(logs.sum(0), nonzero.sum(0))
    vanished = 1 - nonzero.sum(0) / len(relative)
    return GradientDecay(relative.mean(0), geometric, vanished, _half_life_error(logs, nonzero))


def _geometric_mean(logs: NDArray[np.float64], counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """From sums of logarithms and their counts; zero where the count is."""
    return np.where(counts > 0, np.exp(logs / np.maximum(counts, 1)), 0.0)


def _half_life_error(logs: NDArray[np.float64], nonzero: NDArray[np.bool_]) -> float | None:
    """By a jackknife over groups of neighbouring positions (Efron and Tibshirani, 1993)."""
    if len(logs) < 2 * GROUPS:
        return None
    starts = np.arange(GROUPS) * len(logs) // GROUPS
    sums = np.add.reduceat(logs, starts)
    counts = np.add.reduceat(nonzero.astype(np.int64), starts)
    sizes = np.diff([*starts, len(logs)])
    half_lives = np.zeros(GROUPS)
    for group in range(GROUPS):
        rest = counts.sum(0) - counts[group]
        mean = _geometric_mean(sums.sum(0) - sums[group], rest)
        value = half_life(_left(mean, 1 - rest / (len(logs) - sizes[group])))
        if value is None:
            return None
        half_lives[group] = value
    squares = np.square(half_lives - half_lives.mean()).sum()
    return float(np.sqrt((GROUPS - 1) / GROUPS * squares))


class Norms(NamedTuple):
    """Norms of d loss_t / d state_(t-k), each ``(positions, reach + 1)`` float64, k from 0 on."""

    whole: NDArray[np.float64]
    """By the whole state: h and c of all layers."""
    hidden: NDArray[np.float64]
    """By h alone, c held constant; the same unless the network is an LSTM."""


def gradient_norms(
    model: RecurrentModel,
    state: State,
    words: Tensor,
    targets: Tensor,
    progress: Callable[[int], object] = lambda words: None,
) -> Norms:
    """Norms of the gradient of the last word's loss by the states before it.

    Args:
        model: the network in float64, since single precision ends at 1e-45, its weights without
            gradients.
        state: h_(t-reach) (and c) at each position, ``(positions, hidden)``.
        words: the words after it, ``(positions, reach)``.
        targets: the words after those, ``(positions,)``.
        progress: called with the number of words read since the last call.
    """
    rows = sum(cell.gates * cell.hidden_size for cell in model.layers)
    at_once = max(1, _NUMBERS // (_KEPT * rows * words.shape[1]))
    batches: list[Norms] = []
    for start in range(0, len(words), at_once):
        here = slice(start, start + at_once)
        before = tuple(part[here] for part in state)
        batches.append(_norms(model, before, words[here], targets[here]))
        progress(words[here].numel())
    whole, hidden = zip(*batches, strict=True)
    return Norms(np.concatenate(whole), np.concatenate(hidden))


@torch.enable_grad()
def _norms(model: RecurrentModel, state: State, words: Tensor, targets: Tensor) -> Norms:
    state = tuple(part.detach().requires_grad_() for part in state)
    kept = [state]
    for vectors in model.vectors(words).unbind(1):
        step = model.step(vectors, state)
        # a view is a node of its own: h and c of one word become free of each other, as in the
        # derivative by a state, where c would else count once more for the h it makes
        state = tuple(part.view_as(part) for part in step.state)
        kept.append(state)
    scores = model.output(model.features_of(state))
    loss = functional.cross_entropy(scores, targets, reduction="sum")
    flat = [part for state in kept for part in state]
    gradients = torch.autograd.grad(loss, flat, allow_unused=True, materialize_grads=True)
    size = len(state)
    steps = [gradients[place : place + size] for place in range(0, len(gradients), size)][::-1]
    whole = [torch.cat(step, 1) for step in steps]
    hidden = [torch.cat(model.hidden_states(step), 1) for step in steps]
    return Norms(_lengths(whole), _lengths(hidden))


def _lengths(gradients: list[Tensor]) -> NDArray[np.float64]:
    """The norm of each row of each step: ``(places, steps)``."""
    lengths: NDArray[np.float64] = torch.stack([g.norm(dim=1) for g in gradients], 1).numpy()
    return lengths
