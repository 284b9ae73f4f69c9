"""All measures of one model on one text, in one pass over it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nextword.errors import TextError
from nextword.evaluation.accuracy import Accuracy, accuracy, real_words
from nextword.evaluation.breakdown import Band, Cost, by_frequency, by_position, costliest
from nextword.evaluation.calibration import Calibration, calibration
from nextword.evaluation.held_out import HeldOut
from nextword.evaluation.keystrokes import SUGGESTIONS, most_saved
from nextword.evaluation.perplexity import perplexity
from nextword.evaluation.statistics import block_count, standard_error
from nextword.evaluation.token_scores import Places, read_places
from nextword.formatting import plain
from nextword.inference.decoder import Decoder
from nextword.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Evaluation:
    """What was measured; the fields are those of ``nextword eval --json``.

    A figure is NaN where the text has nothing to take it from.
    """

    perplexity: float
    """The exponential of the mean surprisal of every word, ends of paragraphs included."""
    perplexity_known: float
    """The same over the words that the vocabulary has."""
    perplexity_spelled_out: float
    """The same over all words, unknown ones charged for their letters as well."""
    bits_per_character: float
    """The text's information in bits, unknown words spelled out, over its characters, spaces and
    line ends included."""
    tokens: int
    """Words that were predicted, each once."""
    characters: int
    """Characters of the text, one for each paragraph's or line's end included."""
    unknown_rate: float
    """Share of the words that the vocabulary lacks."""
    bits_per_unknown_word: float
    """Mean cost of spelling one."""
    top_1: float
    """Share of the words that was the likeliest."""
    top_3: float
    """Share that was among the three likeliest."""
    top_5: float
    """Share that was among the five likeliest."""
    mean_reciprocal_rank: float
    """The mean of one over a word's rank."""
    keystroke_savings: float
    """Share of the keys that a typist who sees suggestions need not press."""
    keystroke_savings_limit: float
    """The same, if every known word were on offer before its first letter."""
    suggestions: int
    """Words that the typist is shown at once."""
    real_words: Accuracy
    """Known words that hold a letter or digit, ends and punctuation left out."""
    calibration: Calibration
    by_frequency: list[Band]
    """By how often the training part has a word."""
    by_position: list[Band]
    """By the word's number in its paragraph or line."""
    costliest_words: list[Cost]
    """The words that cost most bits in total."""
    blocks: int
    """Blocks of text that the standard errors rest on; 0 where the text is too short for any."""
    standard_errors: dict[str, float | None]
    """Of the figures above, by their names."""
    seconds: float
    """Time taken."""
    places: Places = field(repr=False, compare=False)
    """What all of it was computed from, place by place; not in :meth:`as_dict`."""

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON: numbers that are not finite become None."""
        figures = {name: value for name, value in vars(self).items() if name != "places"}
        return {name: plain(value) for name, value in figures.items()}


def evaluate(
    decoder: Decoder,
    text: HeldOut,
    tokenizer: Tokenizer,
    counts: Tensor,
    suggestions: int = SUGGESTIONS,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Measure a model on a text, every word foretold once from all that stands before it.

    Args:
        reading: the model at the beginning of a text; used up.
        text: what it is measured on.
        tokenizer: the model's.
        counts: how often each word stood in the training part, ``(vocabulary,)``.
        suggestions: words that the typist is shown at once.
        progress: is told how many more words were read.

    Raises:
        TextError: the text holds no word.
        ModelError: the model says things that are no probabilities.
    """
    if len(text.ids) == 0:
        raise TextError("the text holds no word to measure on")
    started = time.perf_counter()
    places = read_places(decoder, text, tokenizer.words, suggestions, progress)
    return _measured(places, text, tokenizer, counts, suggestions, started)


def _measured(
    places: Places,
    text: HeldOut,
    tokenizer: Tokenizer,
    counts: Tensor,
    suggestions: int,
    started: float,
) -> Evaluation:
    """All figures from what was noted in the pass."""
    nats = places.surprisals.astype(np.float64)
    spelled = nats + places.spellings
    words, known, characters = places.words, places.known, max(text.characters, 1)
    every = accuracy(places.ranks)
    errors = dict(every.standard_errors)
    plain, errors["perplexity"] = perplexity(nats)
    of_known, errors["perplexity_known"] = perplexity(nats, known)
    of_spelled, errors["perplexity_spelled_out"] = perplexity(spelled)
    bits = spelled / math.log(2)
    errors["bits_per_character"] = standard_error(bits, places.characters)
    errors["keystroke_savings"] = standard_error(places.saved, places.characters)
    return Evaluation(
        perplexity=plain,
        perplexity_known=of_known,
        perplexity_spelled_out=of_spelled,
        bits_per_character=float(bits.sum()) / characters,
        tokens=len(words),
        characters=text.characters,
        unknown_rate=float(np.mean(~known)),
        bits_per_unknown_word=_mean(places.spellings[places.spellings > 0]) / math.log(2),
        top_1=every.top_1,
        top_3=every.top_3,
        top_5=every.top_5,
        mean_reciprocal_rank=every.mean_reciprocal_rank,
        keystroke_savings=int(places.saved.sum(dtype=np.int64)) / characters,
        keystroke_savings_limit=_limit(places) / characters,
        suggestions=suggestions,
        real_words=accuracy(places.ranks, real_words(tokenizer.words)[words]),
        calibration=calibration(places.confidences, places.ranks == 1),
        by_frequency=by_frequency(words, nats, counts.cpu().numpy()),
        by_position=by_position(words, nats),
        costliest_words=costliest(words, nats, tokenizer.words),
        blocks=block_count(len(words)),
        standard_errors=errors,
        seconds=time.perf_counter() - started,
        places=places,
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _limit(places: Places) -> int:
    """Keys saved if every known word were on offer before its first letter."""
    return int(most_saved(np.where(places.known, places.letters, 0), places.spaced).sum())
