"""Words that one model ranks first and no other model does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.evaluation.metrics import real_words
from nextword.inference.scoring import TokenScores
from nextword.text.vocabulary import END, UNKNOWN_ID

WORDS, EXAMPLES = 10, 5
"""The number of words and examples listed."""
CONTEXT_WORDS = 8
"""Words shown before an example, at most; all from the same paragraph."""
OPENING_MARKS = frozenset("\"'“‘«„([")
"""Punctuation that the words before an example may begin with."""


@dataclass(frozen=True)
class WordHits:
    """A word, and how often only one model ranked it first."""

    word: str
    times: int
    others: int
    """How often only the best other model ranked it first."""


@dataclass(frozen=True)
class Example:
    """A position where only one model ranked the word first."""

    before: str
    """The words before it."""
    word: str
    probability: float
    """By that model."""
    others: float
    """The highest probability by another model."""


@dataclass(frozen=True)
class UniqueHits:
    """The words that only one model ranks first."""

    tokens: int
    """The number of positions; unknown words do not count."""
    share: float
    """Of all positions."""
    words: list[WordHits]
    """Words with a letter or digit, by the lead over the other models."""
    examples: list[Example]
    """The positions with the largest ratio to the other models, each word once."""


def find_unique_hits(
    scores: Sequence[TokenScores],
    vocabularies: Sequence[Sequence[str]],
    words: Sequence[str],
    spaced: NDArray[np.bool_],
) -> list[UniqueHits]:
    """The words that each of several models alone ranks first.

    Args:
        scores: of each model on the same words of the same text; at least two.
        vocabularies: of each model, in id order.
        words: the words of the text, unknown words included.
        spaced: whether a space follows each word, ``(positions,)``.
    """
    # (models, positions)
    hits = np.stack([(each.ranks == 1) & (each.ids != UNKNOWN_ID) for each in scores])
    probabilities = np.stack([np.exp(-each.surprisals.astype(np.float64)) for each in scores])
    unique = [np.flatnonzero(row) for row in hits & (hits.sum(0) == 1)]
    real = [
        positions[real_words(vocabulary)[each.ids[positions]]]
        for positions, each, vocabulary in zip(unique, scores, vocabularies, strict=True)
    ]
    counts = [Counter(words[position] for position in positions) for positions in real]
    results = []
    for model, positions in enumerate(unique):
        others = np.delete(probabilities, model, axis=0).max(0)
        results.append(
            UniqueHits(
                tokens=len(positions),
                share=len(positions) / max(len(words), 1),
                words=_leading_words(counts[model], counts[:model] + counts[model + 1 :]),
                examples=_examples(real[model], probabilities[model], others, words, spaced),
            )
        )
    return results


def _leading_words(own: Counter[str], others: Sequence[Counter[str]]) -> list[WordHits]:
    words = [
        WordHits(word, times, max(counts[word] for counts in others)) for word, times in own.items()
    ]
    leading = [hits for hits in words if hits.times > hits.others]
    return sorted(leading, key=lambda hits: (hits.others - hits.times, -hits.times))[:WORDS]


def _examples(
    positions: NDArray[np.int64],
    own: NDArray[np.float64],
    others: NDArray[np.float64],
    words: Sequence[str],
    spaced: NDArray[np.bool_],
) -> list[Example]:
    gain = np.log(own[positions]) - np.log(np.maximum(others[positions], 1e-300))
    examples: dict[str, Example] = {}
    for position in positions[np.argsort(-gain, kind="stable")].tolist():
        if len(examples) == EXAMPLES:
            break
        word = words[position]
        if word not in examples:
            before = _words_before(words, spaced, position)
            examples[word] = Example(before, word, float(own[position]), float(others[position]))
    return list(examples.values())


def _words_before(words: Sequence[str], spaced: NDArray[np.bool_], position: int) -> str:
    """The last words of the paragraph before a position, as they are written."""
    start = max(0, position - CONTEXT_WORDS)
    for earlier in range(position - 1, start - 1, -1):
        if words[earlier] == END:
            start = earlier + 1
            break
    while start < position and not _may_begin(words[start]):
        start += 1
    return "".join(words[i] + " " * bool(spaced[i]) for i in range(start, position))


def _may_begin(word: str) -> bool:
    return any(map(str.isalnum, word)) or word[0] in OPENING_MARKS
