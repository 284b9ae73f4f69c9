"""A session: text in, predictions out; what was read so far is remembered."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nextword.errors import ConfigError
from nextword.inference import Adapt
from nextword.inference.decoder import tokens_per_chunk
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.sampling import top_words
from nextword.text.matching import Match
from nextword.text.tokenized import tokenize_string, unmatched_words
from nextword.text.vocabulary import SPECIAL_WORDS


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
        adapt: how it adapts to the text; all that it learns goes with this object.
    """

    def __init__(self, loaded: LoadedModel, adapt: Adapt = "none") -> None:
        self._loaded = loaded
        self._decoder = loaded.decoder(adapt)
        self._log_probabilities = torch.empty(0)
        self.unmatched: list[Match] = []
        """The distinct words of the text read last that the vocabulary lacks in any typesetting."""
        # a text begins where a paragraph has just ended
        self.read_ids([loaded.tokenizer.end_id])

    def read(self, text: str) -> list[str]:
        """Read on; a blank line ends a paragraph.

        Returns:
            The distinct words of ``text`` that the vocabulary lacks. They are read as a word that
            differs only in case, or else as unknown (:mod:`nextword.text.matching`).
        """
        tokenizer = self._loaded.tokenizer
        ids = tokenize_string(tokenizer, text).ids.tolist()
        if ids:
            self.read_ids(ids)
        self.unmatched = unmatched_words(tokenizer, text)
        return [match.typed for match in self.unmatched]

    def read_ids(self, ids: list[int]) -> None:
        """Read on, words by their ids."""
        # distributions are over the whole vocabulary, so a long text is read chunk by chunk
        size = tokens_per_chunk(len(self._loaded.tokenizer))
        for start in range(0, len(ids), size):
            chunk = torch.tensor(ids[start : start + size])
            self._log_probabilities = self._decoder.read(chunk).log_probabilities[-1]

    def log_probabilities(self) -> Tensor:
        """Of every next word, ``(vocabulary,)`` in nats on the CPU."""
        return self._log_probabilities.cpu()

    def probabilities(self) -> Tensor:
        """Of every next word, ``(vocabulary,)`` on the CPU."""
        return self._log_probabilities.exp().cpu()

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
        allowed = torch.ones(len(words), dtype=torch.bool)
        if prefix := tokenizer.normalize(prefix):
            allowed[:] = False
            allowed[tokenizer.matcher.with_prefix(prefix)] = True
        allowed[: len(SPECIAL_WORDS)] = False
        best = top_words(self.probabilities(), allowed, k)
        return [Prediction(words[i], probability) for i, probability in best]
