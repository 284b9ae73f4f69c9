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
from nextword.evaluation.keystrokes import SUGGESTIONS, Typist, most_saved
from nextword.evaluation.perplexity import perplexity
from nextword.evaluation.statistics import block_count, standard_error
from nextword.formatting import plain
from nextword.inference.decoder import Decoder, ScoredPositions
from nextword.inference.scoring import TokenScores, score_tokens
from nextword.text.tokenized import TokenizedText
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
    scores: TokenScores = field(repr=False, compare=False)
    """Of every token; all figures follow from them. Not in :meth:`as_dict`."""

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON: numbers that are not finite become None."""
        figures = {name: value for name, value in vars(self).items() if name != "scores"}
        return {name: plain(value) for name, value in figures.items()}


def evaluate(
    decoder: Decoder,
    text: TokenizedText,
    tokenizer: Tokenizer,
    counts: Tensor,
    suggestions: int = SUGGESTIONS,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Measure a model on a text; every token is predicted once, from all that precedes it.

    Args:
        decoder: the model at the beginning of a text; used up.
        text: what it is measured on.
        tokenizer: the model's.
        counts: how often each word stands in the training part, ``(vocabulary,)``.
        suggestions: words that the simulated typist sees at once.
        progress: called with the number of tokens just predicted.

    Raises:
        TextError: the text holds no word.
        ModelError: the model gives NaN.
    """
    if len(text.ids) == 0:
        raise TextError("the text holds no word to measure on")
    started = time.perf_counter()
    typist = Typist(tokenizer.words, suggestions)
    targets = text.ids.astype(np.int64)
    saved = np.empty(len(targets), dtype=np.int32)

    def count_keys(scored: ScoredPositions, here: slice) -> None:
        saved[here] = typist.saved(scored.likelier, targets[here], text.spaced[here])

    scores = score_tokens(decoder, text, tokenizer.words, count_keys, progress)
    return _measured(scores, saved, text, tokenizer, counts, suggestions, started)


def _measured(
    scores: TokenScores,
    saved: NDArray[np.int32],
    text: TokenizedText,
    tokenizer: Tokenizer,
    counts: Tensor,
    suggestions: int,
    started: float,
) -> Evaluation:
    """All figures, from the scores of the tokens and the keys saved on each."""
    nats = scores.surprisals.astype(np.float64)
    spelled = nats + scores.spellings
    ids, known, characters = scores.ids, scores.known, max(text.characters, 1)
    overall = accuracy(scores.ranks)
    errors = dict(overall.standard_errors)
    plain, errors["perplexity"] = perplexity(nats)
    of_known, errors["perplexity_known"] = perplexity(nats, known)
    of_spelled, errors["perplexity_spelled_out"] = perplexity(spelled)
    bits = spelled / math.log(2)
    errors["bits_per_character"] = standard_error(bits, scores.characters)
    errors["keystroke_savings"] = standard_error(saved, scores.characters)
    most = most_saved(np.where(known, scores.lengths, 0), scores.spaced)
    return Evaluation(
        perplexity=plain,
        perplexity_known=of_known,
        perplexity_spelled_out=of_spelled,
        bits_per_character=float(bits.sum()) / characters,
        tokens=len(ids),
        characters=text.characters,
        unknown_rate=float(np.mean(~known)),
        bits_per_unknown_word=_mean(scores.spellings[scores.spellings > 0]) / math.log(2),
        top_1=overall.top_1,
        top_3=overall.top_3,
        top_5=overall.top_5,
        mean_reciprocal_rank=overall.mean_reciprocal_rank,
        keystroke_savings=int(saved.sum(dtype=np.int64)) / characters,
        keystroke_savings_limit=int(most.sum()) / characters,
        suggestions=suggestions,
        real_words=accuracy(scores.ranks, real_words(tokenizer.words)[ids]),
        calibration=calibration(scores.confidences, scores.ranks == 1),
        by_frequency=by_frequency(ids, nats, counts.cpu().numpy()),
        by_position=by_position(ids, nats),
        costliest_words=costliest(ids, nats, tokenizer.words),
        blocks=block_count(len(ids)),
        standard_errors=errors,
        seconds=time.perf_counter() - started,
        scores=scores,
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan
