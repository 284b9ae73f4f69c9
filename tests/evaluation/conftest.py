"""Models to measure: random weights, or a script; and a typist who is slow but plainly right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nextword.inference.decoder import Decoder, Distributions, Ids, ModelReadout


class ScriptReadout(ModelReadout):
    """Some of the distributions of a script, ``(places, vocabulary)``."""

    def __init__(self, probabilities: np.ndarray) -> None:
        self.probabilities = probabilities

    def distributions(self, rows: slice = slice(None)) -> Distributions:
        said = self.probabilities[rows]
        with np.errstate(divide="ignore"):
            logarithms = np.log(said)
        return Distributions(said, np.zeros((len(said), 0), np.float32), logarithms)


class Script(Decoder):
    """Says at each place what it was told to say there, whatever it reads.

    Args:
        probabilities: ``(places, vocabulary)``.
    """

    def __init__(self, probabilities: Sequence[Sequence[float]] | np.ndarray) -> None:
        self.probabilities = np.asarray(probabilities, dtype=np.float32)
        self.place = 0

    def read(self, ids: Ids) -> ScriptReadout:
        said = self.probabilities[self.place : self.place + len(ids)]
        self.place += len(ids)
        return ScriptReadout(said)


@pytest.fixture(scope="session")
def script() -> type[Script]:
    """The reading above; modules of tests cannot import one another."""
    return Script


@pytest.fixture(scope="session")
def saved_slowly() -> Callable[..., int]:
    """Types one word key by key, takes it from the suggestions when it can, counts the rest."""

    def saved(
        words: Sequence[str],
        scores: Sequence[float],
        target: int,
        spaced: bool = True,
        shown: int = 3,
    ) -> int:
        word = words[target]
        if word in ("<unk>", "<eos>"):
            return 0
        for typed in range(len(word)):
            fitting = [i for i in range(2, len(words)) if words[i].startswith(word[:typed])]
            fitting.sort(key=lambda i: -scores[i])
            if target in fitting[:shown]:
                without = len(word) + int(spaced)
                return max(without - (typed + 1), 0)  # one key for the rest and the space
        return 0

    return saved
