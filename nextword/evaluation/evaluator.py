"""All measures of one model on one text, in one pass over it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.errors import TextError
from nextword.evaluation.keystrokes import Typist
from nextword.evaluation.stream import ROWS, WINDOW, read_stream, surprisals
from nextword.models.folder import LoadedModel

TOP = (1, 3, 5)
"""How many of the likeliest words may hold the one that came."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured; the fields are those of ``nextword eval --json``."""

    perplexity: float
    """The exponential of the mean surprisal of every word, ends of paragraphs included."""
    bits_per_character: float
    """The text's information in bits over its characters, spaces and line ends included."""
    tokens: int
    """Words that were predicted, each once."""
    unknown_rate: float
    """Share of them that the vocabulary lacks."""
    top_1: float
    """Share that was the likeliest word."""
    top_3: float
    """Share that was among the three likeliest."""
    top_5: float
    """Share that was among the five likeliest."""
    keystroke_savings: float
    """Share of the keys that a typist with three suggestions need not press."""
    seconds: float
    """Time taken."""

    def as_dict(self) -> dict[str, float]:
        """The fields by name, ready for JSON."""
        return asdict(self)


def evaluate(
    loaded: LoadedModel,
    ids: NDArray[np.integer],
    characters: int,
    window: int = WINDOW,
    rows: int = ROWS,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Measure a model on a text: one stream, the state carried, the softmax exact.

    Args:
        loaded: the network and its words.
        ids: the text in the network's word ids ``(words,)``.
        characters: characters of the text, spaces and line ends included.
        window: words read at a time; changes no result.
        rows: places scored at a time; changes no result.
        progress: is told how many more words were scored.

    Raises:
        TextError: the text holds no word.
    """
    if len(ids) == 0:
        raise TextError("the text holds no word to measure on")
    started = time.perf_counter()
    typist = Typist(loaded.tokenizer.words)
    nats, unknown, saved = 0.0, 0, 0
    hits = dict.fromkeys(TOP, 0)
    for scored in read_stream(loaded.model, ids, window, rows):
        nats += surprisals(scored).sum(dtype=torch.float64).item()
        unknown += int((scored.targets == loaded.tokenizer.unknown_id).sum())
        own = scored.scores.gather(1, scored.targets.unsqueeze(1))
        better = (scored.scores > own).sum(1)
        for k in TOP:
            hits[k] += int((better < k).sum())
        saved += typist.saved(scored.scores, scored.targets)
        if progress is not None:
            progress(len(scored.targets))
    tokens = len(ids)
    return Evaluation(
        perplexity=math.exp(min(nats / tokens, 700.0)),
        bits_per_character=nats / math.log(2) / max(characters, 1),
        tokens=tokens,
        unknown_rate=unknown / tokens,
        top_1=hits[1] / tokens,
        top_3=hits[3] / tokens,
        top_5=hits[5] / tokens,
        keystroke_savings=saved / max(characters, 1),
        seconds=time.perf_counter() - started,
    )
