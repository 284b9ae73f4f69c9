"""How far back a network remembers: how its gradients vanish, and what short contexts cost."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.errors import ModelError, TextError
from nextword.formatting import plain, short
from nextword.inference.loaded_model import LoadedModel
from nextword.interpret.context import (
    ContextCost,
    context_costs,
    contexts_up_to,
    read_text,
    surprisals_within,
    words_needed,
)
from nextword.interpret.gradients import GradientDecay, gradient_decay, gradient_norms
from nextword.models.base import LanguageModel, State
from nextword.models.recurrent import RecurrentModel
from nextword.text.tokenized import TokenizedText
from nextword.text.vocabulary import END_ID

REACH, PLACES = 100, 200
SLOW = 10
"""Reading one word of the text, or taking one gradient, takes about as long as this many words of
short contexts, which are read in batches."""
CONTEXT_RATIO = 10
"""Contexts are compared at this many times as many positions as gradients are taken at: a
difference of 1 % in perplexity needs more of them."""

Progress = Callable[[str, int, int], object]
"""Called with a label, the work done so far, and all the work there is."""


@dataclass(frozen=True)
class MemorySettings:
    """How memory is measured."""

    reach: int = REACH
    """The number of words to look back."""
    places: int = PLACES
    """The number of positions where gradients are taken."""


@dataclass(frozen=True, eq=False)
class MeasuringPlan:
    """The positions of a text where memory is measured, evenly spread over it."""

    ids: NDArray[np.int64]
    """The text, preceded by the end of a paragraph, ``(words + 1,)``."""
    reach: int
    """The number of words to look back."""
    places: int
    """The largest number of positions where gradients are taken."""

    @cached_property
    def gradient_places(self) -> NDArray[np.int64]:
        """The position of the last word before each loss whose gradient is taken."""
        return self._spread(self.places)

    @cached_property
    def context_places(self) -> NDArray[np.int64]:
        """The position of the last word before each word that is predicted."""
        return self._spread(CONTEXT_RATIO * self.places)

    @property
    def contexts(self) -> list[int]:
        """The context lengths in words, each measured by itself."""
        return contexts_up_to(self.reach)

    def work(self, recurrent: bool) -> int:
        """The total work, in words of short contexts."""
        backward = self.reach * len(self.gradient_places) if recurrent else 0
        last = max(int(self.context_places[-1]), int(self.gradient_places[-1]))
        return SLOW * (last + 1 + backward) + sum(self.contexts) * len(self.context_places)

    def _spread(self, count: int) -> NDArray[np.int64]:
        last = len(self.ids) - 2
        return np.unique(np.linspace(self.reach, last, count).astype(np.int64))


def plan(part: TokenizedText, reach: int = REACH, places: int = PLACES) -> MeasuringPlan:
    """The positions of a text where memory is measured.

    Raises:
        TextError: the text is too short to look so far back.
    """
    # every text is read from the end of a paragraph on
    ids = np.concatenate([[END_ID], part.ids]).astype(np.int64)
    if len(ids) < reach + 2:
        raise TextError(
            f"{part.name}: holds {len(part.ids):,} words, too few to look {reach} words back; "
            "lower --reach or name a longer --text"
        )
    return MeasuringPlan(ids, reach, places)


@dataclass(frozen=True, eq=False)
class Memory:
    """How far back one network remembers, on one text."""

    name: str
    kind: str
    """Such as ``lstm`` or ``rnn (tanh)``."""
    text: str
    reach: int
    gradient_places: int
    context_places: int
    whole: GradientDecay | None
    """By the whole state; None for a network without one."""
    hidden: GradientDecay | None
    """By h alone, for a network whose state has more."""
    costs: list[ContextCost]

    @property
    def words_needed(self) -> int | None:
        """Words of context that come within 1 % of the perplexity with full context."""
        return words_needed(self.costs)

    @property
    def perplexity(self) -> float:
        """With full context, at the positions measured."""
        return self.costs[-1].perplexity

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON: numbers that are not finite become None."""
        figures: dict[str, Any] = plain(
            {
                "name": self.name,
                "kind": self.kind,
                "text": self.text,
                "reach": self.reach,
                "places": {"gradient": self.gradient_places, "context": self.context_places},
                "half_life": None if self.whole is None else self.whole.half_life,
                "half_life_error": None if self.whole is None else self.whole.half_life_error,
                "words_until_1_percent": None
                if self.whole is None
                else self.whole.steps_to_1_percent,
                "words_within_1_percent": self.words_needed,
                "perplexity": self.perplexity,
                "gradient": _decay_dict(self.whole),
                "gradient_hidden": _decay_dict(self.hidden),
                "contexts": [asdict(cost) for cost in self.costs],
            }
        )
        return figures


def _decay_dict(decay: GradientDecay | None) -> dict[str, Any] | None:
    if decay is None:
        return None
    return {
        "half_life": decay.half_life,
        "half_life_error": decay.half_life_error,
        "words_until_1_percent": decay.steps_to_1_percent,
        "geometric_mean": decay.geometric_mean.tolist(),
        "mean": decay.mean.tolist(),
        "vanished": decay.vanished.tolist(),
    }


def check_memory(loaded: LoadedModel, part: TokenizedText, reach: int, places: int) -> None:
    """Check, before any long work, that a model's memory can be measured.

    Raises:
        ModelError: the model has no network.
        TextError: the text is too short.
    """
    loaded.network  # noqa: B018
    plan(part, reach, places)


def measure_memory(
    loaded: LoadedModel,
    name: str,
    part: TokenizedText,
    reach: int = REACH,
    places: int = PLACES,
    progress: Progress = lambda name, read, total: None,
) -> Memory:
    """Measure how far back a network remembers.

    Args:
        loaded: the model; other parts of a mixture are left aside. The network runs on the CPU,
            where float64 is fast.
        name: the network's name in tables and pictures.
        part: text that it was not trained on.
        reach: the number of words to look back.
        places: the number of positions where gradients are taken.
        progress: called with ``name`` as the work goes on.

    Raises:
        ModelError: the model has no network, or its probabilities are not numbers.
        TextError: the text is too short.
    """
    model = _on_cpu(loaded.network.eval())
    positions = plan(part, reach, places)
    recurrent = model.recurrent
    counter = _WorkCounter(name, positions.work(recurrent), progress)
    starts = positions.gradient_places - reach if recurrent else np.zeros(0, np.int64)
    reading = read_text(model, positions.ids, positions.context_places, starts, counter.add_slow)
    if not np.isfinite(reading.surprisals).all():
        raise ModelError(f"{name}: its probabilities are not numbers; its weights are damaged")
    whole, hidden = None, None
    if isinstance(model, RecurrentModel):
        whole, hidden = _decays(model, positions, reading.states, counter.add_slow)
    within = {
        words: surprisals_within(model, positions.ids, positions.context_places, words, counter.add)
        for words in positions.contexts
    }
    return Memory(
        name=name,
        kind=loaded.architecture.title,
        text=part.name,
        reach=reach,
        gradient_places=len(positions.gradient_places) if recurrent else 0,
        context_places=len(positions.context_places),
        whole=whole,
        hidden=hidden,
        costs=context_costs(within, reading.surprisals),
    )


def _on_cpu(model: LanguageModel) -> LanguageModel:
    """The network, or a copy of it if it is on another device."""
    devices = {parameter.device.type for parameter in model.parameters()}
    return model if devices <= {"cpu"} else copy.deepcopy(model).cpu()


def _decays(
    model: RecurrentModel,
    positions: MeasuringPlan,
    states: State,
    progress: Callable[[int], object],
) -> tuple[GradientDecay, GradientDecay | None]:
    """By the whole state, and by h alone if the state has more."""
    exact = copy.deepcopy(model).double().requires_grad_(False)
    places = positions.gradient_places
    words = torch.from_numpy(positions.ids[places[:, None] + np.arange(1 - positions.reach, 1)])
    targets = torch.from_numpy(positions.ids[places + 1])
    before = tuple(part.double() for part in states)
    norms = gradient_norms(exact, before, words, targets, progress)
    more_than_h = model.layers[0].states > 1
    return gradient_decay(norms.whole), gradient_decay(norms.hidden) if more_than_h else None


class _WorkCounter:
    """Adds up the work done, for a progress bar."""

    def __init__(self, name: str, total: int, progress: Progress) -> None:
        self.name, self.total, self.progress, self.done = name, total, progress, 0

    def add_slow(self, words: int) -> None:
        self.add(SLOW * words)

    def add(self, words: int) -> None:
        self.done += words
        self.progress(self.name, self.done, self.total)


# The figures of memory in words, the same on every surface.

HALF_LIFE = "half-life: the number of words over which the gradient halves on its way back"
CONTEXT_NEEDED = (
    "context needed: words to see to come within 1 % of the perplexity with full context"
)


def half_life_figure(decay: GradientDecay) -> str:
    """``22.5 ± 0.6``, or ``endless`` if the gradient does not vanish."""
    half_life = decay.half_life
    return "endless" if half_life is None else short(half_life, decay.half_life_error)


def half_life_phrase(decay: GradientDecay) -> str:
    """``half-life 22.5 ± 0.6 words``."""
    if decay.half_life == 0:
        return "vanishes within two words"
    return f"half-life {half_life_figure(decay)}" + " words" * (decay.half_life is not None)


def steps_figure(decay: GradientDecay) -> str:
    """Words until less than 1 % of the gradient is left: ``25``, or ``> 100`` beyond the reach."""
    return _figure(decay.steps_to_1_percent, len(decay.left) - 1)


def steps_phrase(decay: GradientDecay) -> str:
    """The same with its unit: ``25 words``, or ``more than 100 words``."""
    return _phrase(decay.steps_to_1_percent, len(decay.left) - 1)


def context_figure(memory: Memory) -> str:
    """Words of context needed: ``21``, or ``> 100`` beyond the reach."""
    return _figure(memory.words_needed, memory.reach)


def context_phrase(memory: Memory) -> str:
    """The same with its unit: ``21 words``, or ``more than 100 words``."""
    return _phrase(memory.words_needed, memory.reach)


def count_words(count: int) -> str:
    """``1 word``, ``2 words``."""
    return f"{count} word{'s' * (count != 1)}"


def _figure(count: int | None, reach: int) -> str:
    return f"> {reach}" if count is None else str(count)


def _phrase(count: int | None, reach: int) -> str:
    return f"more than {count_words(reach)}" if count is None else count_words(count)
