"""A place in a text: what is read there is remembered, and says what is likely to come next."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import torch
from torch import Tensor

from nextword.inference.adaptation import Adapt
from nextword.inference.decoder import positions_at_once
from nextword.inference.model_folder import LoadedModel
from nextword.inference.ranking import top_words
from nextword.text.vocabulary import SPECIAL_WORDS


@dataclass(frozen=True)
class Prediction:
    """A word that may come next."""

    word: str
    """As the vocabulary spells it."""
    probability: float
    """Of the full softmax over the vocabulary, so those of all words add up to one."""


class Session:
    """A place in a text: what the model remembers of the words read so far.

    Args:
        loaded: the model and its words.
        adapt: how it adapts to what it reads; all that it learns goes with this object.
    """

    def __init__(self, loaded: LoadedModel, adapt: Adapt = "none") -> None:
        self._loaded = loaded
        self._reading = loaded.decoder(adapt)
        self._forecast = torch.empty(0)
        # a text begins where a paragraph has just ended
        self.read_ids([loaded.tokenizer.end_id])

    def read(self, text: str) -> list[str]:
        """Read on; the distinct words of ``text`` that the vocabulary lacks are given back."""
        ids = self._loaded.tokenizer.encode(text)
        if ids:
            self.read_ids(ids)
        if self._loaded.tokenizer.unknown_id not in ids:
            return []
        return self._loaded.tokenizer.unknown_words(text)

    def read_ids(self, ids: list[int]) -> None:
        """Read on, words by their ids."""
        # forecasts are over the whole vocabulary: a long text goes piece by piece
        places = positions_at_once(len(self._loaded.tokenizer))
        for start in range(0, len(ids), places):
            piece = torch.tensor(ids[start : start + places])
            self._forecast = self._reading.read(piece).log_probabilities[-1]

    def log_probabilities(self) -> Tensor:
        """The logarithms of :meth:`probabilities`, exact where these are too small to tell."""
        return self._forecast.cpu()

    def probabilities(self) -> Tensor:
        """The distribution of the next word, ``(vocabulary,)`` on the CPU."""
        return self._forecast.exp().cpu()

    def predict(self, k: int = 5, prefix: str = "") -> list[Prediction]:
        """The ``k`` likeliest next words that begin with ``prefix``, never a special word."""
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
