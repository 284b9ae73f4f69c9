"""Words that one model had first where no other did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.accuracy import real_words
from nextword.inference.scoring import TokenScores
from nextword.text.vocabulary import END, UNKNOWN_ID

WORDS, EXAMPLES = 10, 5
"""How many are named."""
BEFORE = 8
"""Words before an example, at most; none from before its paragraph."""
OPEN = frozenset("\"'“‘«„([")
"""Marks with which the words before an example may begin."""


@dataclass(frozen=True)
class WordHits:
    """A word, and how often one model alone had it first."""

    word: str
    times: int
    others: int
    """The most that another model alone had it first."""


@dataclass(frozen=True)
class Example:
    """A place where one model was right and all others were wrong."""

    before: str
    """The words before it."""
    word: str
    probability: float
    """What the model gave to it."""
    others: float
    """The most that another gave to it."""


@dataclass(frozen=True)
class UniqueHits:
    """What one model gets that no other gets."""

    tokens: int
    """Places where it alone had the word first; unknown words are left out."""
    share: float
    """Of all places."""
    words: list[WordHits]
    """Words with a letter or digit, those first where it is furthest ahead of the others."""
    examples: list[Example]
    """Where the others gave the word least, each word once."""


def find_unique_hits(
    measured: Sequence[TokenScores],
    vocabularies: Sequence[Sequence[str]],
    words: Sequence[str],
    spaced: NDArray[np.bool_],
) -> list[UniqueHits]:
    """What each of several models gets that no other gets.

    Args:
        measured: how each fared, at least two, on the same words of the same text.
        vocabularies: of each, the words by their ids.
        words: the text's words, known or not.
        spaced: whether a space follows each, ``(places,)``.
    """
    first = np.stack([(places.ranks == 1) & (places.ids != UNKNOWN_ID) for places in measured])
    told = np.stack([np.exp(-places.surprisals.astype(np.float64)) for places in measured])
    alone = [np.flatnonzero(row) for row in first & (first.sum(0) == 1)]
    real = [
        here[real_words(vocabulary)[places.ids[here]]]
        for here, places, vocabulary in zip(alone, measured, vocabularies, strict=True)
    ]
    counts = [Counter(words[place] for place in places) for places in real]
    found = []
    for number, here in enumerate(alone):
        others = np.delete(told, number, axis=0).max(0)
        found.append(
            UniqueHits(
                tokens=len(here),
                share=len(here) / max(len(words), 1),
                words=_won(counts[number], counts[:number] + counts[number + 1 :]),
                examples=_examples(real[number], told[number], others, words, spaced),
            )
        )
    return found


def _won(own: Counter[str], others: Sequence[Counter[str]]) -> list[WordHits]:
    told = [
        WordHits(word, times, max(each[word] for each in others)) for word, times in own.items()
    ]
    ahead = [won for won in told if won.times > won.others]
    return sorted(ahead, key=lambda won: (won.others - won.times, -won.times))[:WORDS]


def _examples(
    places: NDArray[np.int64],
    own: NDArray[np.float64],
    others: NDArray[np.float64],
    words: Sequence[str],
    spaced: NDArray[np.bool_],
) -> list[Example]:
    gain = np.log(own[places]) - np.log(np.maximum(others[places], 1e-300))
    examples: dict[str, Example] = {}
    for place in places[np.argsort(-gain, kind="stable")].tolist():
        if len(examples) == EXAMPLES:
            break
        word = words[place]
        if word not in examples:
            before = _before(words, spaced, place)
            examples[word] = Example(before, word, float(own[place]), float(others[place]))
    return list(examples.values())


def _before(words: Sequence[str], spaced: NDArray[np.bool_], place: int) -> str:
    """The last words of the paragraph before a place, as they are written."""
    start = max(0, place - BEFORE)
    for earlier in range(place - 1, start - 1, -1):
        if words[earlier] == END:
            start = earlier + 1
            break
    while start < place and not any(map(str.isalnum, words[start])) and words[start][0] not in OPEN:
        start += 1
    written = [word + " " * bool(spaced[i]) for i, word in enumerate(words[start:place], start)]
    return "".join(written)
