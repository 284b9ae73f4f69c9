"""A text word by word: the probability, rank and surprisal of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nextword.errors import TextError
from nextword.inference.decoder import Decoder
from nextword.inference.scoring import score_tokens
from nextword.statistics import perplexity
from nextword.text.tokenized import TokenizedText

_NATS = math.log(2)
"""One bit in nats."""


@dataclass(frozen=True, slots=True)
class ScoredWord:
    """A word of a scored text."""

    word: str
    """As the tokenizer spells it; the end of a paragraph or line is ``<eos>``."""
    known: bool
    """Whether the vocabulary has it; the model cannot tell unknown words apart."""
    probability: float
    """Of this word here; of an unknown word, that of any unknown word."""
    rank: int
    """One more than the number of likelier words."""
    bits: float
    """Surprisal: minus the binary logarithm of the probability."""
    spelling_bits: float
    """Bits to spell an unknown word; 0 for all others."""
    likeliest: str
    """The word that was most likely here."""
    spaced: bool
    """Whether a space follows."""


@dataclass(frozen=True)
class Score:
    """A text's words and their sums."""

    words: list[ScoredWord]
    characters: int
    """Characters of the text, one for each end included."""

    @cached_property
    def bits(self) -> float:
        """Information of the text in bits, the spelling of unknown words included."""
        return math.fsum(word.bits for word in self.words) + self.spelling_bits

    @cached_property
    def spelling_bits(self) -> float:
        """Bits of it that spell unknown words."""
        return math.fsum(word.spelling_bits for word in self.words)

    @cached_property
    def perplexity(self) -> float:
        """Exponential of the mean surprisal; all unknown words are one event."""
        return perplexity(_NATS * np.array([word.bits for word in self.words]))[0]

    @property
    def bits_per_character(self) -> float:
        """Information over characters, spaces and ends included."""
        return self.bits / self.characters

    def summary(self) -> dict[str, Any]:
        """The figures of the whole text, ready for JSON."""
        return {
            "words": len(self.words),
            "characters": self.characters,
            "unknown_words": self.unknown,
            "bits": self.bits,
            "spelling_bits": self.spelling_bits,
            "perplexity": self.perplexity,
            "bits_per_character": self.bits_per_character,
        }

    @cached_property
    def unknown(self) -> int:
        """Number of words that the vocabulary lacks."""
        return sum(not word.known for word in self.words)


def score(
    decoder: Decoder,
    text: TokenizedText,
    vocabulary: Sequence[str],
    progress: Callable[[int], object] | None = None,
) -> Score:
    """Score every word of a text.

    Args:
        decoder: fresh, at the beginning of a text.
        text: what is scored.
        vocabulary: words by their ids.
        progress: called with the number of words just scored.

    Raises:
        TextError: the text holds no word.
        ModelError: the model gives NaN.
    """
    if len(text.ids) == 0:
        raise TextError("the text holds no word to score")
    scores = score_tokens(decoder, text, vocabulary, progress=progress)
    # rounding may put a probability a little above one
    nats = np.maximum(scores.surprisals.astype(np.float64), 0.0).tolist()
    words = [
        ScoredWord(
            word,
            bool(scores.known[i]),
            math.exp(-nats[i]),
            int(scores.ranks[i]),
            nats[i] / _NATS,
            float(scores.spellings[i]) / _NATS,
            vocabulary[int(scores.best[i])],
            bool(scores.spaced[i]),
        )
        for i, word in enumerate(text.words(vocabulary))
    ]
    return Score(words, text.characters)
