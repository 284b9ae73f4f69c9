"""The predictor: reads words, keeps its state between them, says what is likely to come next."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nextword.device import choose_device
from nextword.model_folder import LoadedModel, load_model_folder
from nextword.prediction.ranking import top_words
from nextword.reading.adaptation import Adapt
from nextword.reading.base import places_at_once
from nextword.runs import find_model
from nextword.text.vocabulary import SPECIAL_WORDS


@dataclass(frozen=True)
class Prediction:
    """A word that may come next."""

    word: str
    """As the vocabulary spells it."""
    probability: float
    """Of the full softmax over the vocabulary, so those of all words add up to one."""


class Reader:
    """A place in a text: what the model remembers of the words read so far.

    Args:
        loaded: the model and its words.
        adapt: how it adapts to what it reads; all that it learns goes with this object.
    """

    def __init__(self, loaded: LoadedModel, adapt: Adapt = "none") -> None:
        self._loaded = loaded
        self._reading = loaded.reading(adapt)
        self._forecast = torch.empty(0)
        # a text begins where a paragraph has just ended
        self._read([loaded.tokenizer.end_id])

    def read(self, text: str) -> list[str]:
        """Read on; the distinct words of ``text`` that the vocabulary lacks are given back."""
        ids = self._loaded.tokenizer.encode(text)
        if ids:
            self._read(ids)
        if self._loaded.tokenizer.unknown_id not in ids:
            return []
        return self._loaded.tokenizer.unknown_words(text)

    def _read(self, ids: list[int]) -> None:
        # forecasts are over the whole vocabulary: a long text goes piece by piece
        places = places_at_once(len(self._loaded.tokenizer))
        for start in range(0, len(ids), places):
            piece = torch.tensor(ids[start : start + places])
            self._forecast = self._reading.read(piece).log_probabilities[-1]

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


class Predictor:
    """A trained model, ready to be asked.

    Args:
        loaded: the network and its words, as :func:`nextword.load_model` reads them.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded

    @property
    def words(self) -> list[str]:
        """The vocabulary in id order: the special words, then by falling frequency."""
        return self.loaded.tokenizer.words

    def reader(self, adapt: Adapt = "none") -> Reader:
        """A fresh reader, to be fed text bit by bit and asked in between.

        Args:
            adapt: ``cache`` (words that came in places like this one are likelier to come
                again), ``dynamic`` (the network learns on), ``both`` or ``none``.
        """
        return Reader(self.loaded, adapt)

    def predict(
        self, prompt: str = "", k: int = 5, prefix: str = "", adapt: Adapt = "none"
    ) -> list[Prediction]:
        """The ``k`` words most likely to follow ``prompt``.

        Args:
            prompt: any text; words that the vocabulary lacks are read as unknown.
            k: how many words; fewer if fewer begin with ``prefix``.
            prefix: letters with which the words must begin.
            adapt: see :meth:`reader`.
        """
        reader = self.reader(adapt)
        reader.read(prompt)
        return reader.predict(k, prefix)


def load_model(path: str | os.PathLike[str] | None = None, device: str = "cpu") -> Predictor:
    """Read a run or model folder; without a path, the newest run under ``runs/``.

    Args:
        path: a run folder or a model folder.
        device: where to compute, such as ``cpu`` or ``cuda``.

    Raises:
        ModelError: there is no such folder, or its files are damaged or foreign.
        ConfigError: there is no such device.
    """
    place = choose_device(device)
    loaded = load_model_folder(find_model(Path(path) if path is not None else None))
    return Predictor(loaded.to(place))
