"""A session: text in, predictions out; it remembers the text read so far."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ConfigError
from nextword.inference import Adapt
from nextword.inference.decoder import Distributions, ModelReadout, Part, tokens_per_chunk
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.sampling import top_words
from nextword.inference.threads import idle_blas_threads
from nextword.text.matching import Match
from nextword.text.tokenized import read_prompt
from nextword.text.vocabulary import SPECIAL_WORDS, UNKNOWN_ID

ARRAYS_KEPT = 6
"""Numbers that a session keeps for each word of the vocabulary, at most: the probabilities, those
of the network with their logarithms, and those of three parts."""


@dataclass(frozen=True)
class Prediction:
    """A word that may come next."""

    word: str
    """As the vocabulary spells it."""
    probability: float
    """From the softmax over the whole vocabulary, so all words together have 1."""


class Session:
    """A model at a position in one text.

    Args:
        loaded: the model and its words.
        adapt: how it adapts to the text; what it learns is gone with this object.
    """

    def __init__(self, loaded: LoadedModel, adapt: Adapt = "none") -> None:
        self._loaded = loaded
        self._decoder = loaded.decoder(adapt)
        self._readout: ModelReadout
        self._last_token = 0
        self._distributions: Distributions | None = None
        self._parts: list[Part] | None = None
        self.unmatched: list[Match] = []
        """The distinct words of the text read last that the vocabulary lacks in any typesetting."""
        # a text begins where a paragraph has just ended
        self.read_ids([loaded.tokenizer.end_id])

    def fork(self) -> Session:
        """A session at the same position that reads on by itself."""
        other = copy.copy(self)
        other._decoder = self._decoder.fork()
        return other

    def read(self, text: str, progress: Callable[[int, int], object] | None = None) -> list[str]:
        """Read on; a blank line ends a paragraph.

        Args:
            text: as it was typed.
            progress: receives the number of words read, and of all.

        Returns:
            The distinct words of ``text`` that the vocabulary lacks. They are read as a word that
            differs only in case, or else as unknown (:mod:`nextword.text.matching`).
        """
        tokenized, self.unmatched = read_prompt(self._loaded.tokenizer, text)
        self.read_ids(tokenized.ids.tolist(), progress)
        return [match.typed for match in self.unmatched]

    def begins_word(self, letters: str) -> bool:
        """Whether letters are a word of the vocabulary, in any case, or begin one."""
        tokenizer = self._loaded.tokenizer
        return tokenizer.matcher.begins_word(tokenizer.normalize(letters))

    def half_typed(self, text: str) -> str:
        """The letters at the end of a text that begin a word of the vocabulary but are none.

        Empty where the text ends in a space, in a word that the vocabulary has, or in letters with
        which none of its words begins.
        """
        tokenizer = self._loaded.tokenizer
        words = tokenizer.split(text)
        if not words or not text.endswith(words[-1]) or tokenizer.find(words[-1]).id != UNKNOWN_ID:
            return ""
        return words[-1] if self.begins_word(words[-1]) else ""

    def read_ids(
        self, ids: Sequence[int], progress: Callable[[int, int], object] | None = None
    ) -> None:
        """Read on, words by their ids; see :meth:`read`."""
        if not len(ids):
            return
        # compute only the last distribution, and only when it is needed
        self._distributions = self._parts = None
        size = tokens_per_chunk(len(self._loaded.tokenizer))
        with idle_blas_threads():
            for start in range(0, len(ids), size):
                chunk = np.array(ids[start : start + size], dtype=np.int64)
                self._readout = self._decoder.read(chunk)
                self._last_token = len(chunk) - 1
                if progress is not None:
                    progress(start + len(chunk), len(ids))

    def _last(self) -> Distributions:
        """The distribution of the next word, as the only row."""
        if self._distributions is None:
            with idle_blas_threads():
                self._distributions = self._readout.distributions(slice(self._last_token, None))
        return self._distributions

    def parts(self) -> list[Part]:
        """The prediction of each part of the model: the network, the n-grams, the cache."""
        if self._parts is None:
            with idle_blas_threads():
                self._distributions, self._parts = self._readout.with_parts(self._last_token)
        return self._parts

    @property
    def nbytes(self) -> int:
        """Bytes of memory that this session alone needs, at most, apart from the model."""
        return self._decoder.nbytes + ARRAYS_KEPT * 4 * len(self._loaded.tokenizer)

    def log_probabilities(self) -> NDArray[np.float32]:
        """Of every next word, ``(vocabulary,)`` in nats."""
        row: NDArray[np.float32] = self._last().log_probabilities[0].copy()
        return row

    def probabilities(self) -> NDArray[np.float32]:
        """Of every next word, ``(vocabulary,)``."""
        row: NDArray[np.float32] = self._last().probabilities[0].copy()
        return row

    def predict(self, k: int = 5, prefix: str = "") -> list[Prediction]:
        """The ``k`` most likely next words, never a special one.

        Args:
            k: how many; fewer where fewer begin with ``prefix``.
            prefix: letters with which the words must begin, in any case where no word begins with
                just these.

        Raises:
            ConfigError: ``k`` is below one.
        """
        if k < 1:
            raise ConfigError(f"k: {k} is not at least 1")
        tokenizer = self._loaded.tokenizer
        words = tokenizer.words
        if prefix := tokenizer.normalize(prefix):
            ids = tokenizer.matcher.with_prefix(prefix)
        else:
            ids = np.arange(len(SPECIAL_WORDS), len(words))
        best = top_words(self._last().probabilities[0], ids, k)
        return [Prediction(words[i], probability) for i, probability in best]
