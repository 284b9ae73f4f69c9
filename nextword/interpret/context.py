"""Perplexity where a network sees only the last few words: how much context it uses.

The method is that of Khandelwal and others (2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.models.base import LanguageModel, State
from nextword.statistics import perplexity, perplexity_change

ENOUGH = 0.01
"""A context is enough if perplexity rises by at most this share over full context."""
_ROWS = 128
"""Windows per batch."""


def contexts_up_to(reach: int) -> list[int]:
    """The Fibonacci numbers 1, 2, 3, 5, 8, ... below ``reach``, then ``reach`` itself."""
    lengths, following = [1], 2
    while following < reach:
        lengths, following = [*lengths, following], lengths[-1] + following
    return [*lengths, reach] if reach > 1 else lengths


@dataclass(frozen=True)
class ContextCost:
    """Perplexity at one length of context."""

    words: int | None
    """Words of context; None for full context, from the beginning of the text on."""
    perplexity: float
    above: float
    """The increase over the perplexity with full context, as a share of it."""
    standard_error: float | None
    """Of ``above``, paired by position; None if there are too few positions."""


@dataclass(frozen=True)
class Reading:
    """Surprisals and states from one pass over a text."""

    surprisals: NDArray[np.float64]
    """Of the word after each scored position, in nats ``(scored,)``."""
    states: State
    """The state after each position of ``kept``, ``(kept, ...)``."""


@torch.no_grad()
def read_text(
    model: LanguageModel,
    ids: NDArray[np.int64],
    scored: NDArray[np.int64],
    kept: NDArray[np.int64],
    progress: Callable[[int], object] = lambda words: None,
) -> Reading:
    """Read a text from its beginning, the state carried from word to word.

    Args:
        model: the network, in evaluation mode.
        ids: the text ``(words,)``.
        scored: sorted positions; the word after each is predicted.
        kept: sorted positions; the state after each is kept.
        progress: called with the number of words read since the last call.
    """
    state = model.initial_state(1)
    surprisals: list[Tensor] = []
    states: list[State] = []
    last = int(max(scored[-1], kept[-1] if len(kept) else 0)) + 1
    cuts = np.unique(np.concatenate([kept + 1, np.arange(0, last, _ROWS), [0, last]]))
    kept_after = set((kept + 1).tolist())
    for start, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        features, state = model.features(torch.from_numpy(ids[None, start:end]), state)
        here = scored[(scored >= start) & (scored < end)]
        if len(here):
            targets = torch.from_numpy(ids[here + 1])
            surprisals.append(_surprisals(model, features[0, here - start], targets))
        if end in kept_after:
            states.append(state)
        progress(end - start)
    stacked = tuple(torch.cat(parts) for parts in zip(*states, strict=True))
    return Reading(torch.cat(surprisals).numpy(), stacked)


@torch.no_grad()
def surprisals_within(
    model: LanguageModel,
    ids: NDArray[np.int64],
    places: NDArray[np.int64],
    words: int,
    progress: Callable[[int], object] = lambda words: None,
) -> NDArray[np.float64]:
    """Surprisal of the word after each position, in nats, starting at h_0 = 0 a few words back.

    Args:
        model: the network, in evaluation mode.
        ids: the text.
        places: positions, each at least ``words - 1``.
        words: words of context, including the one at the position itself.
        progress: called with the number of words read since the last call.
    """
    surprisals = []
    for start in range(0, len(places), _ROWS):
        here = places[start : start + _ROWS]
        seen = torch.from_numpy(ids[here[:, None] + np.arange(1 - words, 1)])
        features, _ = model.features(seen, model.initial_state(len(here)))
        surprisals.append(_surprisals(model, features[:, -1], torch.from_numpy(ids[here + 1])))
        progress(seen.numel())
    return torch.cat(surprisals).numpy()


def _surprisals(model: LanguageModel, features: Tensor, targets: Tensor) -> Tensor:
    scores: Tensor = model.output(features)
    log_probabilities = scores.float().log_softmax(1)
    return -log_probabilities.gather(1, targets[:, None])[:, 0].double()


def context_costs(
    within: dict[int, NDArray[np.float64]], everything: NDArray[np.float64]
) -> list[ContextCost]:
    """Perplexity by words of context, the shortest first, full context last.

    Args:
        within: surprisals in nats, ``(positions,)``, by words of context.
        everything: the same with full context.
    """
    costs = []
    for words, surprisals in within.items():
        change = perplexity_change(surprisals, everything)
        value = perplexity(surprisals)[0]
        costs.append(ContextCost(words, value, change.share, change.standard_error))
    return [*costs, ContextCost(None, perplexity(everything)[0], 0.0, 0.0)]


def words_needed(costs: Sequence[ContextCost]) -> int | None:
    """The shortest measured context from which on perplexity stays within :data:`ENOUGH` of that
    with full context; None if there is none."""
    needed: int | None = None
    for cost in reversed(costs[:-1]):
        if cost.above > ENOUGH:
            break
        needed = cost.words
    return needed
