"""How far back networks remember: gradients that fade, and what shorter contexts cost."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from nextword.errors import ModelError
from nextword.formatting import plain
from nextword.inference.loaded_model import LoadedModel
from nextword.interpret.context import (
    ContextCost,
    context_costs,
    surprisals_within,
    walk,
    words_needed,
)
from nextword.interpret.gradients import GradientDecay, fade, gradient_norms
from nextword.interpret.plan import PLACES, REACH, SLOW, Plan, plan
from nextword.models.base import LanguageModel, State
from nextword.models.recurrent import RecurrentModel
from nextword.text.tokenized import TokenizedText

Progress = Callable[[str, int, int], object]
"""Is told what is measured, how much of the work is done, and how much there is."""


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
    """By the whole state; None for a network that has none."""
    hidden: GradientDecay | None
    """By h alone, where a state holds more."""
    costs: list[ContextCost]

    @property
    def words_needed(self) -> int | None:
        """Words of context that come within 1 % of the perplexity with all words."""
        return words_needed(self.costs)

    @property
    def perplexity(self) -> float:
        """With all words, at the places looked at."""
        return self.costs[-1].perplexity

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON: numbers that are not finite become None."""
        told: dict[str, Any] = plain(self._figures())
        return told

    def _figures(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "text": self.text,
            "reach": self.reach,
            "places": {"gradient": self.gradient_places, "context": self.context_places},
            "half_life": None if self.whole is None else self.whole.half_life,
            "half_life_error": None if self.whole is None else self.whole.half_life_error,
            "words_until_1_percent": None if self.whole is None else self.whole.steps_to_1_percent,
            "words_within_1_percent": self.words_needed,
            "perplexity": self.perplexity,
            "gradient": _fade_dict(self.whole),
            "gradient_hidden": _fade_dict(self.hidden),
            "contexts": [asdict(cost) for cost in self.costs],
        }


def _fade_dict(curve: GradientDecay | None) -> dict[str, Any] | None:
    if curve is None:
        return None
    return {
        "half_life": curve.half_life,
        "half_life_error": curve.half_life_error,
        "words_until_1_percent": curve.steps_to_1_percent,
        "geometric_mean": curve.geometric_mean.tolist(),
        "mean": curve.mean.tolist(),
        "vanished": curve.vanished.tolist(),
    }


def check_memory(loaded: LoadedModel, part: TokenizedText, reach: int, places: int) -> None:
    """Say at once, before long work, that a model's memory cannot be measured.

    Raises:
        ModelError: there is no network, or of a kind whose equations are not known.
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
        loaded: the network; what is mixed with it is left aside. The work is done on the CPU,
            of which float64 is no burden.
        name: to tell it from others.
        part: text that it has not seen.
        reach: words to look back.
        places: losses whose gradient is followed.
        progress: is told how far the work has come.

    Raises:
        ModelError: there is no network.
        TextError: the text is too short.
    """
    model, looked = _on_cpu(loaded.network.eval()), plan(part, reach, places)
    recurrent = model.recurrent
    count = _Count(name, looked.work(recurrent), progress)
    starts = looked.gradient_places - reach if recurrent else np.zeros(0, np.int64)
    read = walk(model, looked.ids, looked.context_places, starts, count.slow)
    if not np.isfinite(read.surprisals).all():
        raise ModelError(f"{name}: its probabilities are not numbers; its weights are damaged")
    whole, hidden = None, None
    if isinstance(model, RecurrentModel):
        whole, hidden = _fades(model, looked, read.states, count.slow)
    within = {
        words: surprisals_within(model, looked.ids, looked.context_places, words, count.more)
        for words in looked.contexts
    }
    return Memory(
        name=name,
        kind=loaded.config.title,
        text=part.name,
        reach=reach,
        gradient_places=len(looked.gradient_places) if recurrent else 0,
        context_places=len(looked.context_places),
        whole=whole,
        hidden=hidden,
        costs=context_costs(within, read.surprisals),
    )


def _on_cpu(model: LanguageModel) -> LanguageModel:
    """The network, or a copy of it where it is elsewhere."""
    where = {part.device.type for part in model.parameters()}
    return model if where <= {"cpu"} else copy.deepcopy(model).cpu()


def _fades(
    model: RecurrentModel, looked: Plan, states: State, progress: Callable[[int], object]
) -> tuple[GradientDecay, GradientDecay | None]:
    exact = copy.deepcopy(model).double().requires_grad_(False)
    places = looked.gradient_places
    words = torch.from_numpy(looked.ids[places[:, None] + np.arange(1 - looked.reach, 1)])
    targets = torch.from_numpy(looked.ids[places + 1])
    before = tuple(part.double() for part in states)
    norms = gradient_norms(exact, before, words, targets, progress)
    more_than_h = model.layers[0].states > 1
    return fade(norms.whole), fade(norms.hidden) if more_than_h else None


class _Count:
    """Adds up work done, for a progress bar."""

    def __init__(self, name: str, total: int, progress: Progress) -> None:
        self.name, self.total, self.progress, self.read = name, total, progress, 0

    def slow(self, words: int) -> None:
        self.more(SLOW * words)

    def more(self, words: int) -> None:
        self.read += words
        self.progress(self.name, self.read, self.total)
