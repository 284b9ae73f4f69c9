"""Runs without files: a network over a dozen words that stands before a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextword.comparison.contender import Contender
from nextword.evaluation.held_out import HeldOut
from nextword.model_folder import LoadedModel
from nextword.run_log import LoggedLook, RunLog


@pytest.fixture
def contend(
    untrained: Callable[..., LoadedModel], random_text: Callable[..., HeldOut]
) -> Callable[..., Contender]:
    """Makes a contender of some kind; all stand before the same text."""

    def make(name: str, words: int = 1200, **settings: object) -> Contender:
        looks = [
            LoggedLook(kind="valid", step=i, words=100 * i, seconds=0.5 * i, perplexity=90.0 / i)
            for i in (1, 2, 3)
        ]
        log = RunLog(looks=looks)
        return Contender(
            name, Path(name), untrained(**settings), random_text(words), None, log, "a text"
        )

    return make
