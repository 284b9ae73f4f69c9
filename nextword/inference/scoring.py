"""One pass over a text: how likely each of its tokens was to a model that read what precedes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.inference.decoder import Decoder, ScoredPositions, score_stream
from nextword.text.spelling import spelling_surprisals
from nextword.text.tokenized import TokenizedText
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS, UNKNOWN_ID

MAX_SURPRISAL = 1e30
"""Nats of a token to which a model gives no probability at all, so that sums stay finite."""


@dataclass(frozen=True, eq=False)
class TokenScores:
    """How a model predicted every token of a text.

    All are arrays ``(tokens,)`` in the text's order: two models of the same tokens can be compared
    position by position.
    """

    ids: NDArray[np.int64]
    """The target tokens."""
    surprisals: NDArray[np.float32]
    """Minus the log-probability of each target in nats, at most :data:`MAX_SURPRISAL`; all unknown
    words are one event."""
    ranks: NDArray[np.int32]
    """One more than the number of likelier words."""
    best: NDArray[np.int32]
    """The most likely word."""
    confidences: NDArray[np.float32]
    """Its probability."""
    spellings: NDArray[np.float64]
    """Nats to spell an unknown word (:mod:`nextword.text.spelling`); 0 for all others."""
    lengths: NDArray[np.int64]
    """Letters of each word as the text has it; 0 for an end."""
    spaced: NDArray[np.bool_]
    """Whether a space follows."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the vocabulary has the word; it has the end of a paragraph."""
        known: NDArray[np.bool_] = self.ids != UNKNOWN_ID
        return known

    @property
    def characters(self) -> NDArray[np.int64]:
        """Letters and the space after; an end is one character."""
        characters: NDArray[np.int64] = self.lengths + self.spaced + (self.ids == END_ID)
        return characters


def score_tokens(
    decoder: Decoder,
    text: TokenizedText,
    vocabulary: Sequence[str],
    watch: Callable[[ScoredPositions, slice], object] | None = None,
    progress: Callable[[int], object] | None = None,
) -> TokenScores:
    """Score every token of a text.

    Args:
        decoder: fresh, at the beginning of a text.
        text: what is scored.
        vocabulary: words by their ids.
        watch: called with each chunk's distributions and its place in the text, for measures that
            need whole distributions.
        progress: called with the number of tokens just scored.

    Raises:
        ModelError: the model gives NaN.
    """
    count = len(text.ids)
    surprisals, confidences = np.empty((2, count), dtype=np.float32)
    ranks, best = np.empty((2, count), dtype=np.int32)
    start = 0
    for scored in score_stream(decoder, text.ids, len(vocabulary)):
        here = slice(start, start + len(scored.targets))
        top, which = scored.log_probabilities.max(1)
        surprisals[here] = (-scored.target_log_probabilities).clamp(max=MAX_SURPRISAL).cpu().numpy()
        confidences[here] = top.exp().cpu().numpy()
        best[here] = which.cpu().numpy()
        ranks[here] = 1 + scored.likelier.sum(1).cpu().numpy()
        if watch is not None:
            watch(scored, here)
        if progress is not None:
            progress(here.stop - start)
        start = here.stop
    spellings, lengths = _spelling(text, vocabulary)
    return TokenScores(
        ids=text.ids.astype(np.int64),
        surprisals=surprisals,
        ranks=ranks,
        best=best,
        confidences=confidences,
        spellings=spellings,
        lengths=lengths,
        spaced=text.spaced,
    )


def _spelling(
    text: TokenizedText, vocabulary: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Nats to spell the unknown words, and the letters of all words."""
    known = vocabulary[len(SPECIAL_WORDS) :]
    lengths = np.array([0] * len(SPECIAL_WORDS) + [len(word) for word in known])[text.ids]
    lengths[text.ids == UNKNOWN_ID] = [len(word) for word in text.unknown_words]
    spellings = np.zeros(len(text.ids))
    # a literal <unk> has no spelling, so nothing is charged for it
    positions, words = text.spelled_unknown()
    spellings[positions] = spelling_surprisals(known, words)
    return spellings, lengths
