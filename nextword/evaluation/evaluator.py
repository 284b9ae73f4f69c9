"""All metrics of one model on one text, in one pass over it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.errors import TextError
from nextword.evaluation.breakdown import Band, Cost, by_frequency, by_position, costliest
from nextword.evaluation.held_out import text_of_run
from nextword.evaluation.keystrokes import SUGGESTIONS, Typist
from nextword.evaluation.metrics import (
    METRICS,
    Calibration,
    MetricValue,
    MetricValues,
    Sample,
    calibration,
    compute_metrics,
    real_words,
)
from nextword.formatting import plain
from nextword.inference.decoder import Decoder, NgramDecoder
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.scoring import TokenScores, score_tokens
from nextword.ngram.model import NgramModel
from nextword.statistics import block_count
from nextword.text.tokenized import TokenizedText
from nextword.text.tokenizer import Tokenizer

Opener = Callable[[], Decoder]
"""Opens a model at the beginning of a text."""


@dataclass(frozen=True)
class Evaluation(MetricValues):
    """The metrics of a whole text and their breakdowns: the fields of ``nextword eval --json``.

    A figure is NaN where the text has nothing to take it from.
    """

    characters: int
    """Characters of the text, one for each paragraph's or line's end included."""
    suggestions: int
    """The number of words that the typist of the keystroke savings sees at once."""
    real_words: MetricValues
    """Top-k accuracy and reciprocal rank of known words that have a letter or digit."""
    calibration: Calibration
    by_frequency: list[Band]
    """Perplexity by the number of times that the training part has the word."""
    by_position: list[Band]
    """Perplexity by the word's number in its paragraph or line."""
    costliest_words: list[Cost]
    """The words with the most bits in total."""
    blocks: int
    """Blocks of text that the standard errors rest on; 0 if the text is too short for any."""
    seconds: float
    """Duration of the evaluation."""
    scores: TokenScores = field(repr=False, compare=False)
    """The scores of each position, which all figures are computed from; not in JSON."""

    perplexity = MetricValue()
    """The exponential of the mean surprisal of every word, ends of paragraphs included."""
    perplexity_known = MetricValue()
    """The same over the words that the vocabulary has."""
    perplexity_spelled_out = MetricValue()
    """The same over all words, unknown words charged for their letters, too."""
    bits_per_character = MetricValue()
    """The text's information in bits, unknown words spelled out, divided by its characters."""
    unknown_rate = MetricValue()
    """The share of words that the vocabulary lacks."""
    bits_per_unknown_word = MetricValue()
    """The mean cost of spelling an unknown word."""
    keystroke_savings = MetricValue()
    """The share of keys that a typist who sees suggestions need not press."""
    keystroke_savings_limit = MetricValue()
    """The same if every known word were suggested before its first letter."""

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON: numbers that are not finite become None."""
        inherited = MetricValues.__dataclass_fields__
        others = {
            name: value
            for name, value in vars(self).items()
            if name not in inherited and name not in ("scores", "real_words")
        }
        return {
            **super().as_dict(),
            **{name: plain(value) for name, value in others.items()},
            "real_words": self.real_words.as_dict(),
        }


def evaluate(
    decoder: Decoder,
    text: TokenizedText,
    tokenizer: Tokenizer,
    counts: NDArray[np.int64],
    suggestions: int = SUGGESTIONS,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Measure a model on a text, predicting each word once from all words before it.

    Args:
        decoder: the model at the beginning of a text; used up.
        text: the text to predict.
        tokenizer: the model's tokenizer.
        counts: how often the training part has each word, ``(vocabulary,)``.
        suggestions: the number of words that the typist sees at once.
        progress: called with the number of words read since the last call.

    Raises:
        TextError: the text has no word.
        ModelError: the model's probabilities are not numbers.
    """
    if len(text.ids) == 0:
        raise TextError("the text holds no word to measure on")
    started = time.perf_counter()
    typist = Typist(tokenizer.words, suggestions)
    targets = text.ids.astype(np.int64)
    saved = np.empty(len(targets), dtype=np.int32)

    def count_keys(likelier: NDArray[np.bool_], here: slice) -> None:
        saved[here] = typist.saved(likelier, targets[here], text.spaced[here])

    scores = score_tokens(decoder, text, tokenizer.words, count_keys, progress)
    ids, nats = scores.ids, scores.surprisals.astype(np.float64)
    characters = max(text.characters, 1)
    everything = Sample(scores, saved, np.ones(len(ids), dtype=np.bool_), characters)
    real = Sample(scores, saved, real_words(tokenizer.words)[ids], characters)
    of_all = compute_metrics(everything, list(METRICS.values()))
    return Evaluation(
        tokens=of_all.tokens,
        values=of_all.values,
        standard_errors=of_all.standard_errors,
        characters=text.characters,
        suggestions=suggestions,
        real_words=compute_metrics(real, [m for m in METRICS.values() if m.of_real_words]),
        calibration=calibration(scores.confidences, scores.ranks == 1),
        by_frequency=by_frequency(ids, nats, counts),
        by_position=by_position(ids, nats),
        costliest_words=costliest(ids, nats, tokenizer.words),
        blocks=block_count(len(ids)),
        seconds=time.perf_counter() - started,
        scores=scores,
    )


def simpler_models(loaded: LoadedModel, folder: Path) -> dict[str, Opener]:
    """Unigrams, n-grams and the network alone, the simplest first, over the model's vocabulary.

    Args:
        loaded: the model that they are compared with.
        folder: its folder, inside the run that knows what it learned from.

    Raises:
        ModelError: the run or its text no longer exists.
    """
    size = len(loaded.tokenizer)
    training_ids = text_of_run(folder, loaded.tokenizer).parts["train"].ids
    unigram = NgramModel.fit(training_ids, size, 1)
    found: dict[str, Opener] = {"unigram": partial(NgramDecoder, unigram)}
    if loaded.has_network:
        ngram = loaded.mixture.ngram or NgramModel.fit(
            training_ids, size, loaded.architecture.order
        )
        found[f"Kneser-Ney {ngram.order}-gram"] = partial(NgramDecoder, ngram)
    if loaded.mixture.ngram is not None:
        found["network alone"] = loaded.alone().decoder
    return found
