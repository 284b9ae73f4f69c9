"""What forgetting costs: perplexity where the network may see only the last few words.

Khandelwal and others (2018) ask LSTMs in the same way how much context they use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.evaluation.perplexity import MOST_NATS, perplexity
from nextword.evaluation.statistics import standard_error
from nextword.models.base import LanguageModel, State

ENOUGH = 0.01
"""A context is enough where perplexity is at most this share above that with all words."""
_ROWS = 128
"""Windows that are read side by side."""


def contexts_up_to(reach: int) -> list[int]:
    """1, 2, 3, 5, 8, 13 and so on, and at the end ``reach`` itself."""
    found, following = [1], 2
    while following < reach:
        found, following = [*found, following], found[-1] + following
    return [*found, reach] if reach > 1 else found


@dataclass(frozen=True)
class ContextCost:
    """Perplexity where so many words may be seen."""

    words: int | None
    """None: all since the beginning of the text."""
    perplexity: float
    above: float
    """Perplexity over that with all words, less one."""
    standard_error: float | None
    """Of ``above``; both were measured at the same places. None where these are too few."""


@dataclass(frozen=True)
class Walk:
    """What is kept of one walk through a text."""

    surprisals: NDArray[np.float64]
    """Of the word after each place looked at, in nats ``(looked at,)``."""
    states: State
    """What was remembered after each place kept, ``(kept, ...)``."""


@torch.no_grad()
def walk(
    model: LanguageModel,
    ids: NDArray[np.int64],
    looked_at: NDArray[np.int64],
    kept: NDArray[np.int64],
    progress: Callable[[int], object] = lambda words: None,
) -> Walk:
    """Read a text from its beginning, the state carried from word to word.

    Args:
        model: the network, in evaluation mode.
        ids: the text ``(words,)``.
        looked_at: sorted places; the word after each is foretold.
        kept: sorted places; the state after the word at each is kept.
        progress: is told how many more words were read.
    """
    state = model.initial_state(1)
    surprisals: list[Tensor] = []
    states: list[State] = []
    last = int(max(looked_at[-1], kept[-1] if len(kept) else 0)) + 1
    cuts = np.unique(np.concatenate([kept + 1, np.arange(0, last, _ROWS), [0, last]]))
    kept_after = set((kept + 1).tolist())
    for start, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        features, state = model.features(torch.from_numpy(ids[None, start:end]), state)
        here = looked_at[(looked_at >= start) & (looked_at < end)]
        if len(here):
            targets = torch.from_numpy(ids[here + 1])
            surprisals.append(_surprisals(model, features[0, here - start], targets))
        if end in kept_after:
            states.append(state)
        progress(end - start)
    gathered = tuple(torch.cat(parts) for parts in zip(*states, strict=True))
    return Walk(torch.cat(surprisals).numpy(), gathered)


@torch.no_grad()
def surprisals_within(
    model: LanguageModel,
    ids: NDArray[np.int64],
    places: NDArray[np.int64],
    words: int,
    progress: Callable[[int], object] = lambda words: None,
) -> NDArray[np.float64]:
    """Surprisal of the word after each place, in nats, where h_0 = 0 stands so many words back.

    Args:
        model: the network, in evaluation mode.
        ids: the text.
        places: each at least ``words - 1``.
        words: that are seen, the one at the place itself among them.
        progress: is told how many more words were read.
    """
    found = []
    for start in range(0, len(places), _ROWS):
        here = places[start : start + _ROWS]
        seen = torch.from_numpy(ids[here[:, None] + np.arange(1 - words, 1)])
        features, _ = model.features(seen, model.initial_state(len(here)))
        found.append(_surprisals(model, features[:, -1], torch.from_numpy(ids[here + 1])))
        progress(seen.numel())
    return torch.cat(found).numpy()


def _surprisals(model: LanguageModel, features: Tensor, targets: Tensor) -> Tensor:
    scores: Tensor = model.output(features)
    told = scores.float().log_softmax(1)
    return -told.gather(1, targets[:, None])[:, 0].double()


def context_costs(
    within: dict[int, NDArray[np.float64]], everything: NDArray[np.float64]
) -> list[ContextCost]:
    """Perplexities side by side, the shortest context first, all words last.

    Args:
        within: surprisals in nats ``(places,)`` by words seen.
        everything: the same with all words seen.
    """
    found = []
    for words, surprisals in within.items():
        change = surprisals - everything
        ratio = math.exp(min(float(change.mean()), MOST_NATS))
        error = standard_error(change)
        found.append(
            ContextCost(
                words,
                perplexity(surprisals)[0],
                ratio - 1,
                None if error is None else error * ratio,
            )
        )
    return [*found, ContextCost(None, perplexity(everything)[0], 0.0, 0.0)]


def words_needed(costs: Sequence[ContextCost]) -> int | None:
    """The shortest measured context from which on perplexity stays within :data:`ENOUGH` of that
    with all words; None if none is."""
    needed: int | None = None
    for cost in reversed(costs[:-1]):
        if cost.above > ENOUGH:
            break
        needed = cost.words
    return needed


def needs_more(costs: Sequence[ContextCost], words: int) -> bool | None:
    """Whether some words of context are not :data:`ENOUGH`, by two standard errors.

    Args:
        costs: as measured, the shortest context first.
        words: of context.

    Returns:
        None where the measurement leaves it open: at the longest of these contexts, or at one
        that is longer still, :data:`ENOUGH` lies within two standard errors.
    """
    measured = {cost.words: cost for cost in costs if cost.words is not None}
    longest = max((seen for seen in measured if seen <= words), default=0)
    told = [_not_enough(cost) for seen, cost in measured.items() if seen >= longest]
    if True in told:
        return True
    return None if None in told or not told else False


def _not_enough(cost: ContextCost) -> bool | None:
    """Whether a context costs more than :data:`ENOUGH`; None where that is not sure."""
    if cost.standard_error is None or abs(cost.above - ENOUGH) <= 2 * cost.standard_error:
        return None
    return cost.above > ENOUGH


def loses_more(costs: Sequence[ContextCost], others: Sequence[ContextCost], words: int) -> bool:
    """Whether one network surely loses more than another where it sees just some words.

    Args:
        costs: of the one.
        others: of the other.
        words: of context, measured of both.
    """
    (one,), (other,) = ([c for c in each if c.words == words] for each in (costs, others))
    if one.standard_error is None or other.standard_error is None:
        return False
    error = math.hypot(one.standard_error, other.standard_error)
    return one.above - other.above > 2 * error
