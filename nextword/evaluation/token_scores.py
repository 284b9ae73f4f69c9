"""One pass over a text: what a model said at every place, kept for all measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.evaluation.held_out import HeldOut
from nextword.evaluation.keystrokes import Typist
from nextword.inference.decoder import Decoder, ScoredPositions, score_stream
from nextword.text.spelling import spelling_surprisals
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS, UNKNOWN, UNKNOWN_ID

MOST_NATS = 1e30
"""What a word costs to which a model gives no probability at all, so that sums stay numbers."""


@dataclass(frozen=True, eq=False)
class Places:
    """Every place of a text, each with the word that came and what was said of it.

    All are arrays ``(places,)``, in the text's order: two models of the same words can be compared
    place by place.
    """

    words: NDArray[np.int64]
    """Ids of the words that came."""
    surprisals: NDArray[np.float32]
    """Minus the logarithm of the probability of each, in nats, at most :data:`MOST_NATS`; to be an
    unknown word is one event, whichever it is."""
    ranks: NDArray[np.int32]
    """One more than the words that were likelier."""
    confidences: NDArray[np.float32]
    """The probability of the likeliest word."""
    saved: NDArray[np.int32]
    """Keys that suggestions save a typist."""
    spellings: NDArray[np.float64]
    """What it costs to spell an unknown word, in nats; 0 for all others."""
    letters: NDArray[np.int64]
    """Of each word as the text has it; 0 for an end."""
    spaced: NDArray[np.bool_]
    """Whether a space follows."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the vocabulary has the word; it has the end of a paragraph."""
        known: NDArray[np.bool_] = self.words != UNKNOWN_ID
        return known

    @property
    def characters(self) -> NDArray[np.int64]:
        """Letters and the space behind; an end is one character."""
        characters: NDArray[np.int64] = self.letters + self.spaced + (self.words == END_ID)
        return characters


def read_places(
    decoder: Decoder,
    text: HeldOut,
    words: Sequence[str],
    suggestions: int,
    progress: Callable[[int], object] | None = None,
) -> Places:
    """Let a model foretell every word of a text, and note how it fared.

    Args:
        reading: fresh, at the beginning of a text.
        text: what is read.
        words: the vocabulary in id order.
        suggestions: words that a typist is shown at once.
        progress: is told how many more places were seen.

    Raises:
        ModelError: the model says things that are no probabilities.
    """
    typist = Typist(words, suggestions)
    targets = text.ids.astype(np.int64)
    surprisals, confidences = np.empty((2, len(targets)), dtype=np.float32)
    ranks, saved = np.empty((2, len(targets)), dtype=np.int32)
    start = 0
    for seen in score_stream(decoder, text.ids, len(words)):
        here = slice(start, start + len(seen.targets))
        ranks[here], saved[here] = _looked_at(seen, typist, targets[here], text.spaced[here])
        surprisals[here] = (-seen.own).clamp(max=MOST_NATS).cpu().numpy()
        confidences[here] = seen.log_probabilities.amax(1).exp().cpu().numpy()
        # one number that is none makes the greatest of its row none
        if np.isnan(confidences[here]).any():
            raise ModelError(
                "the model's probabilities are not numbers; its weights are damaged, or its "
                "training went wrong"
            )
        if progress is not None:
            progress(len(seen.targets))
        start = here.stop
    spellings, letters = _spelled(text, words)
    return Places(targets, surprisals, ranks, confidences, saved, spellings, letters, text.spaced)


def _looked_at(
    seen: ScoredPositions, typist: Typist, targets: NDArray[np.int64], spaced: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Ranks of the words that came, and the keys saved on them."""
    likelier = seen.log_probabilities > seen.own.unsqueeze(1)
    ranks = 1 + likelier.sum(1, dtype=torch.int32)
    return ranks.cpu().numpy(), typist.saved(likelier, targets, spaced)


def _spelled(text: HeldOut, words: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What spelling the unknown words costs in nats, and the letters of all words."""
    known = words[len(SPECIAL_WORDS) :]
    letters = np.array([0] * len(SPECIAL_WORDS) + [len(word) for word in known])[text.ids]
    spellings = np.zeros(len(text.ids))
    unknown = text.ids == UNKNOWN_ID
    letters[unknown] = [len(word) for word in text.unknown_words]
    # a text that came with <unk> in it hides what stood there: nothing can be charged
    named = [word for word in text.unknown_words if word != UNKNOWN]
    is_named = np.array([word != UNKNOWN for word in text.unknown_words], dtype=np.bool_)
    spellings[np.flatnonzero(unknown)[is_named]] = spelling_surprisals(known, named)
    return spellings, letters
