"""Passages of the held-out text, every word with how surprising it was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.formatting import escape_control, percent
from nextword.inference.scoring import TokenScores
from nextword.inference.shades import shade
from nextword.text.vocabulary import END

LONGEST, SHORTEST = 60, 12
"""Words of a passage; of a longer paragraph its most surprising stretch, shorter ones are left
out."""
MOST = 5


@dataclass(frozen=True)
class ShadedWord:
    """A word and its shade."""

    text: str
    spaced: bool
    """Whether a space follows."""
    known: bool
    shade: int
    told: str
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
    """The most surprising words of a paragraph that stand together."""

    start: int
    end: int
    bits: float
    cut: tuple[bool, bool]


def hardest_passages(
    places: TokenScores, words: Sequence[str], most: int = MOST
) -> list[ShadedPassage]:
    """The passages with the most bits a word, the hardest first, one of a paragraph at most.

    Args:
        places: how a model fared.
        words: the text's words, known or not.
        most: how many.
    """
    found = sorted(_stretches(places, words), key=lambda stretch: -stretch.bits)
    return [_shaded(places, words, stretch) for stretch in found[:most]]


def ordinary_passage(places: TokenScores, words: Sequence[str]) -> ShadedPassage | None:
    """The passage of middling difficulty; None where all paragraphs are too short."""
    found = sorted(_stretches(places, words), key=lambda stretch: stretch.bits)
    return _shaded(places, words, found[len(found) // 2]) if found else None


def _bits(places: TokenScores) -> NDArray[np.float64]:
    bits: NDArray[np.float64] = places.surprisals.astype(np.float64) / math.log(2)
    return bits


def _stretches(places: TokenScores, words: Sequence[str]) -> Iterator[_Stretch]:
    """The most surprising stretch of each paragraph that is long enough."""
    sums = np.concatenate([[0.0], np.cumsum(_bits(places))])
    start = 0
    ends = [place for place, word in enumerate(words) if word == END]
    for end in [*ends, len(words)]:
        length = min(end - start, LONGEST)
        if length >= SHORTEST:
            totals = sums[start + length : end + 1] - sums[start : end + 1 - length]
            first = start + int(totals.argmax())
            cut = (first > start, first + length < end)
            yield _Stretch(first, first + length, float(totals.max()) / length, cut)
        start = end + 1


def _shaded(places: TokenScores, words: Sequence[str], stretch: _Stretch) -> ShadedPassage:
    bits, known = _bits(places), places.known
    shaded = [
        ShadedWord(
            escape_control(words[i]),
            bool(places.spaced[i]),
            bool(known[i]),
            shade(float(bits[i])),
            f"{bits[i]:.1f} bits, {percent(2.0 ** -float(bits[i]))}, rank {places.ranks[i]:,}"
            + ("" if known[i] else ", not in the vocabulary"),
        )
        for i in range(stretch.start, stretch.end)
    ]
    return ShadedPassage(shaded, stretch.bits, stretch.cut)
