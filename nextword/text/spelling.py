"""The surprisal of the spelling of unknown words.

A model gives all unknown words one probability, so the fewer words it knows, the easier its task.
A letter model corrects for that by spelling the unknown word: together the two give every string a
probability, and models with different vocabularies can be compared.

The letter model is an interpolated Kneser-Ney n-gram (Chen and Goodman, 1998) learned from the
vocabulary, each word once, because unknown words are rare and are spelled like the many rare words
rather than the few common ones. Unseen letters fall back on a uniform distribution over Unicode.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ORDER = 6
"""Letters in the longest n-gram; for English, 5 costs 0.6 bits a word more, 7 gains 0.2."""
DISCOUNT = 0.75
"""Absolute discount of every count; estimating it from the counts cost 0.1 bits a word more."""
UNICODE = 0x110000 - 0x800
"""Number of characters: all code points except surrogates."""
_START, _END = 0x110000, 0x110001
"""Symbols before and after each word, beyond all code points."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def spelling_surprisals(
    vocabulary: Sequence[str], words: Sequence[str], characters: int = UNICODE
) -> Floats:
    """Minus the log-probability of each word's spelling, ``(words,)`` in nats.

    The probabilities sum to one over all non-empty strings outside the vocabulary.

    Args:
        vocabulary: the words to learn from, without special words.
        words: the words to spell, none empty or in the vocabulary.
        characters: size of the alphabet.
    """
    if not words:
        return np.zeros(0)
    probabilities = letter_probabilities(vocabulary, [*vocabulary, "", *words], characters)
    ends = np.cumsum([1 + len(word) for word in chain(vocabulary, [""], words)])
    log_spelled = np.add.reduceat(np.log(probabilities), np.concatenate([[0], ends[:-1]]))
    excluded = len(vocabulary) + 1
    log_possible = np.log1p(-np.exp(log_spelled[:excluded]).sum())
    return np.asarray(log_possible - log_spelled[excluded:], dtype=np.float64)


def letter_probabilities(
    vocabulary: Sequence[str], words: Sequence[str], characters: int = UNICODE
) -> Floats:
    """The probabilities of all letters and ends of the words, ``(letters + words,)``.

    Args:
        vocabulary: the words to learn from.
        words: the words to spell.
        characters: size of the alphabet.
    """
    text = _symbols([*vocabulary, *words])
    learned = sum(len(word) + 1 for word in vocabulary)
    is_learned = np.arange(len(text.symbols)) < learned
    levels = _levels(text)
    probabilities = np.full(len(text.symbols), 1 / (characters + 1))
    for length, level in enumerate(levels):
        longer = levels[length + 1] if length + 1 < len(levels) else None
        counted = is_learned & level.exists
        if longer is not None:
            counted &= _first_of_each(longer.event) | ~longer.exists
        probabilities = _interpolated(probabilities, level, counted.astype(np.float64))
    return probabilities[learned:]


class _Symbols(NamedTuple):
    """Concatenated words as numbers, both ``(letters + words,)``."""

    symbols: Ints
    """Code points, and an end after each word."""
    position: Ints
    """Number of letters of the same word before the symbol."""


class _Level(NamedTuple):
    """Which symbols share a context of some length, all ``(letters + words,)``."""

    context: Ints
    """Number of the context."""
    event: Ints
    """Number of the pair of context and symbol."""
    exists: NDArray[np.bool_]
    """Whether the word has so many symbols before this one, its start counted."""


def _symbols(words: Sequence[str]) -> _Symbols:
    lengths = np.array([len(word) + 1 for word in words], dtype=np.int64)
    ends = np.cumsum(lengths)
    symbols = np.empty(int(lengths.sum()), dtype=np.int64)
    letters = np.ones(len(symbols), dtype=np.bool_)
    letters[ends - 1] = False
    code_points = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32)
    symbols[letters], symbols[~letters] = code_points, _END
    return _Symbols(symbols, np.arange(len(symbols)) - np.repeat(ends - lengths, lengths))


def _levels(text: _Symbols) -> list[_Level]:
    """The contexts of 0 to ``ORDER - 1`` letters."""
    context = np.zeros(len(text.symbols), dtype=np.int64)
    levels = []
    for length in range(ORDER):
        exists = text.position + 1 >= length
        if length > 0:
            before = np.roll(text.symbols, length)
            before[text.position + 1 == length] = _START
            context = np.where(exists, _paired(context, before), -1)
        levels.append(_Level(context, _paired(context, text.symbols), exists))
    return levels


def _paired(left: Ints, right: Ints) -> Ints:
    """Numbers the distinct pairs from zero."""
    numbers: Ints = np.unique(left * (_END + 1) + right, return_inverse=True)[1]
    return numbers


def _first_of_each(event: Ints) -> NDArray[np.bool_]:
    first = np.zeros(len(event), dtype=np.bool_)
    first[np.unique(event, return_index=True)[1]] = True
    return first


def _interpolated(shorter: Floats, level: _Level, counted: Floats) -> Floats:
    """Probabilities given a context one letter longer, where that was seen.

    ``counted`` marks the symbols that count: all of them on the longest level, below it one for
    each distinct letter before the n-gram (Kneser and Ney, 1995).
    """
    times: Floats = np.bincount(level.event, counted).astype(np.float64)
    seen = np.flatnonzero(times)
    context_of = np.zeros(len(times), dtype=np.int64)
    context_of[level.event] = level.context
    size = int(level.context.max(initial=0)) + 1
    total = np.bincount(context_of[seen], times[seen], size)
    kinds = np.bincount(context_of[seen], minlength=size)
    usable = level.exists & (total[level.context] > 0)
    context = level.context[usable]
    kept = np.maximum(times[level.event[usable]] - DISCOUNT, 0)
    longer: Floats = shorter.copy()
    longer[usable] = (kept + DISCOUNT * kinds[context] * shorter[usable]) / total[context]
    return longer
