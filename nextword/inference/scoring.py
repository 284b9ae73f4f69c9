"""How likely each word of a text was to a model that read what stands before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError, TextError
from nextword.evaluation.token_scores import MOST_NATS
from nextword.inference.decoder import Decoder, ScoredPositions, score_stream
from nextword.inference.passage import Passage
from nextword.statistics import perplexity
from nextword.text.spelling import spelling_surprisals
from nextword.text.vocabulary import SPECIAL_WORDS, UNKNOWN_ID


@dataclass(frozen=True, slots=True)
class ScoredWord:
    """A word where it stands in a text."""

    word: str
    """As the tokenizer spells it; the end of a paragraph or line is ``<eos>``."""
    known: bool
    """Whether the vocabulary has it; all other words are one and the same to the model."""
    probability: float
    """That it came here; of an unknown word, that any unknown word came."""
    rank: int
    """One more than the words that were likelier."""
    bits: float
    """Its surprisal: minus the binary logarithm of the probability."""
    spelling_bits: float
    """What it costs to spell an unknown word; 0 for all others."""
    likeliest: str
    """The word that was most likely to come instead, or the word itself."""
    spaced: bool
    """Whether a space follows."""


@dataclass(frozen=True)
class Score:
    """A text's words and what they come to."""

    words: list[ScoredWord]
    characters: int
    """Characters of the text, one for each end included."""

    @cached_property
    def bits(self) -> float:
        """The information of the text, the spelling of unknown words included."""
        return math.fsum(word.bits for word in self.words) + self.spelling_bits

    @cached_property
    def spelling_bits(self) -> float:
        """What of it goes into spelling unknown words."""
        return math.fsum(word.spelling_bits for word in self.words)

    @cached_property
    def perplexity(self) -> float:
        """The exponential of the mean surprisal; to be an unknown word is one event."""
        return perplexity(math.log(2) * np.array([word.bits for word in self.words]))[0]

    @property
    def bits_per_character(self) -> float:
        """The information over the characters, spaces and ends included."""
        return self.bits / self.characters

    @cached_property
    def unknown(self) -> int:
        """How many words the vocabulary lacks."""
        return sum(not word.known for word in self.words)


def score(
    decoder: Decoder,
    passage: Passage,
    words: Sequence[str],
    progress: Callable[[int], object] | None = None,
) -> Score:
    """Let a model foretell every word of a text.

    Args:
        reading: fresh, at the beginning of a text.
        passage: the text.
        words: the vocabulary in id order.
        progress: is told how many more words were seen.

    Raises:
        TextError: the text holds no word.
        ModelError: the model says things that are no probabilities.
    """
    if len(passage.ids) == 0:
        raise TextError("the text holds no word to score")
    spelling = np.zeros(len(passage.ids))
    unknown = spelling_surprisals(words[len(SPECIAL_WORDS) :], passage.unknown_words)
    spelling[passage.hidden] = unknown / math.log(2)
    scored: list[ScoredWord] = []
    for seen in score_stream(decoder, passage.ids, len(words)):
        start = len(scored)
        for place, (surprisal, rank, best) in enumerate(_looked_at(seen), start):
            scored.append(
                ScoredWord(
                    passage.words[place],
                    bool(passage.ids[place] != UNKNOWN_ID),
                    math.exp(-surprisal),
                    int(rank),
                    surprisal / math.log(2),
                    float(spelling[place]),
                    words[int(best)],
                    bool(passage.spaced[place]),
                )
            )
        if progress is not None:
            progress(len(scored) - start)
    return Score(scored, passage.characters)


def _looked_at(seen: ScoredPositions) -> list[list[float]]:
    """Of each place the surprisal in nats, the rank, and the id of the likeliest word."""
    told = seen.log_probabilities
    target = told.gather(1, seen.targets.unsqueeze(1))
    best, which = told.max(1)
    if best.isnan().any():
        raise ModelError(
            "the model's probabilities are not numbers; its weights are damaged, or its training "
            "went wrong"
        )
    ranks = 1 + (told > target).sum(1)
    # no number below zero, were a sum of probabilities a little above one
    surprisals = (-target.squeeze(1)).clamp(0, MOST_NATS)
    columns: NDArray[np.float64] = np.stack(
        [column.double().cpu().numpy() for column in (surprisals, ranks, which)], 1
    )
    rows: list[list[float]] = columns.tolist()
    return rows
