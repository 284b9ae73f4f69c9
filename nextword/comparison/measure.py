"""The metric that runs are compared by, and how much they differ in it.

Where one model finds a text hard the other mostly does, too, so their difference varies much less
than either metric: it is taken word by word, or letter by letter if the tokenizers differ.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nextword.inference.scoring import TokenScores
from nextword.statistics import Change, perplexity_change, standard_error

Measure = Literal["perplexity", "perplexity_spelled_out", "bits_per_character"]
"""Keys of :data:`~nextword.evaluation.metrics.METRICS`."""


def measure_for(same_words: bool, same_vocabulary: bool) -> Measure:
    """The metric that runs can be compared by.

    Args:
        same_words: whether all split the text into the same words.
        same_vocabulary: whether all have the same vocabulary.
    """
    if not same_words:
        return "bits_per_character"
    return "perplexity" if same_vocabulary else "perplexity_spelled_out"


def change_of(measure: Measure, scores: TokenScores, others: TokenScores) -> Change:
    """How much a metric of one model differs from that of another on the same text."""
    if measure == "bits_per_character":
        return bits_change(scores, others)
    if measure == "perplexity":
        return perplexity_change(scores.surprisals, others.surprisals)
    return perplexity_change(
        scores.surprisals + scores.spellings, others.surprisals + others.spellings
    )


def bits_change(scores: TokenScores, others: TokenScores) -> Change:
    """The difference between the bits that two models need for a text, unknown words spelled out.

    The two may split the text into different words; the letters are the same.
    """
    bits, other_bits = bits_by_letter(scores), bits_by_letter(others)
    if bits.sum() <= 0 or other_bits.sum() <= 0:
        return Change(0.0, None)  # no share of nothing
    ratio = float(bits.sum()) / float(other_bits.sum())
    # folding capitals may change the number of letters by a few, which shifts little
    letters = min(len(bits), len(other_bits))
    words = min(len(scores.ids), len(others.ids))
    error = standard_error(bits[:letters], other_bits[:letters], words)
    return Change(math.log(ratio), None if error is None else error / ratio)


def bits_by_letter(scores: TokenScores) -> NDArray[np.float64]:
    """The bits of each word, spread evenly over its letters, ``(letters,)``.

    The end of a paragraph has no letters and counts with the letter before it.
    """
    bits = (scores.surprisals.astype(np.float64) + scores.spellings) / math.log(2)
    letters = scores.lengths
    spread = np.repeat(bits / np.maximum(letters, 1), letters)
    if len(spread):
        ends = letters == 0
        last = np.maximum(np.cumsum(letters)[ends] - 1, 0)
        np.add.at(spread, last, bits[ends])
    return spread
