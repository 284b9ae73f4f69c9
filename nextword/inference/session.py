"""A session: text in, predictions out; what was read so far is remembered."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import torch
from torch import Tensor

from nextword.errors import ConfigError
from nextword.inference import Adapt
from nextword.inference.decoder import tokens_per_chunk
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.sampling import top_words
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
        # a text begins where a paragraph has just ended
        self.read_ids([loaded.tokenizer.end_id])

    def read(self, text: str) -> list[str]:
        """Read on.

        Returns:
            The distinct words of ``text`` that the vocabulary lacks; they are read as unknown.
        """
        ids = self._loaded.tokenizer.encode(text)
        if ids:
            self.read_ids(ids)
        if self._loaded.tokenizer.unknown_id not in ids:
            return []
        return self._loaded.tokenizer.unknown_words(text)

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
            prefix: letters with which the words must begin.

        Raises:
            ConfigError: ``k`` is below one.
        """
        if k < 1:
            raise ConfigError(f"k: {k} is not at least 1")
        words = self._loaded.tokenizer.words
        # as the tokenizer spells words
        prefix = unicodedata.normalize("NFC", prefix)
        if self._loaded.tokenizer.lowercase:
            prefix = prefix.lower()
        allowed = torch.ones(len(words), dtype=torch.bool)
        if prefix:
            allowed = torch.tensor([word.startswith(prefix) for word in words])
        allowed[: len(SPECIAL_WORDS)] = False
        best = top_words(self.probabilities(), allowed, k)
        return [Prediction(words[i], probability) for i, probability in best]
