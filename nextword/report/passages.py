"""Passages of the held-out text, each word shaded by its surprisal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.formatting import escape_control, percent, shade
from nextword.inference.scoring import TokenScores
from nextword.text.vocabulary import END

LONGEST, SHORTEST = 60, 12
"""Words of a passage. A longer paragraph is cut to its most surprising stretch, shorter ones are
skipped."""
PASSAGES = 5
"""The number of passages listed."""


@dataclass(frozen=True)
class ShadedWord:
    """A word and its shade."""

    text: str
    spaced: bool
    """Whether a space follows."""
    known: bool
    shade: int
    description: str
    """Bits, probability and rank, in words."""


@dataclass(frozen=True)
class ShadedPassage:
    """A stretch of one paragraph."""

    words: list[ShadedWord]
    bits: float
    """Mean surprisal of its words."""
    cut: tuple[bool, bool]
    """Whether the paragraph goes on before it, and after it."""


@dataclass(frozen=True)
class _Stretch:
    """The consecutive words of a paragraph with the highest mean surprisal."""

    start: int
    end: int
    bits: float
    cut: tuple[bool, bool]


def hardest_passages(
    scores: TokenScores, words: Sequence[str], most: int = PASSAGES
) -> list[ShadedPassage]:
    """The passages with the most bits per word, the hardest first, at most one per paragraph.

    Args:
        scores: of a model on the text.
        words: the words of the text, unknown words included.
        most: how many passages.
    """
    stretches = sorted(_stretches(scores, words), key=lambda stretch: -stretch.bits)
    return [_shaded(scores, words, stretch) for stretch in stretches[:most]]


def ordinary_passage(scores: TokenScores, words: Sequence[str]) -> ShadedPassage | None:
    """The passage of median difficulty; None if all paragraphs are too short."""
    stretches = sorted(_stretches(scores, words), key=lambda stretch: stretch.bits)
    return _shaded(scores, words, stretches[len(stretches) // 2]) if stretches else None


def _bits(scores: TokenScores) -> NDArray[np.float64]:
    return scores.surprisals.astype(np.float64) / math.log(2)


def _stretches(scores: TokenScores, words: Sequence[str]) -> Iterator[_Stretch]:
    """The most surprising stretch of each paragraph that is long enough."""
    sums = np.concatenate([[0.0], np.cumsum(_bits(scores))])
    start = 0
    ends = [position for position, word in enumerate(words) if word == END]
    for end in [*ends, len(words)]:
        length = min(end - start, LONGEST)
        if length >= SHORTEST:
            totals = sums[start + length : end + 1] - sums[start : end + 1 - length]
            first = start + int(totals.argmax())
            cut = (first > start, first + length < end)
            yield _Stretch(first, first + length, float(totals.max()) / length, cut)
        start = end + 1


def _shaded(scores: TokenScores, words: Sequence[str], stretch: _Stretch) -> ShadedPassage:
    bits, known = _bits(scores), scores.known
    shaded = [
        ShadedWord(
            escape_control(words[i]),
            bool(scores.spaced[i]),
            bool(known[i]),
            shade(float(bits[i])),
            f"{bits[i]:.1f} bits, {percent(2.0 ** -float(bits[i]))}, rank {scores.ranks[i]:,}"
            + ("" if known[i] else ", not in the vocabulary"),
        )
        for i in range(stretch.start, stretch.end)
    ]
    return ShadedPassage(shaded, stretch.bits, stretch.cut)
