"""The predictor: reads words, keeps its state between them, says what is likely to come next."""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nextword.device import choose_device
from nextword.model_folder import LoadedModel, load_model_folder
from nextword.prediction.generation import SEEDS, Generated, generate
from nextword.prediction.neighbours import Neighbour, analogy, similar
from nextword.prediction.passage import Passage, passage_of
from nextword.prediction.ranking import top_words
from nextword.prediction.sampling import Sampling
from nextword.prediction.scoring import Score, score
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
        places = places_at_once(len(self._loaded.tokenizer))
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

    def generate(
        self,
        prompt: str = "",
        words: int = 100,
        sampling: Sampling | None = None,
        seed: int | None = None,
        adapt: Adapt = "none",
        told: Callable[[str], object] | None = None,
    ) -> Generated:
        """A text that goes on from ``prompt``.

        Args:
            prompt: any text; if it ends in a blank line, a new paragraph begins.
            words: how many to add; marks of punctuation are words.
            sampling: how they are chosen; by default from the nucleus of 90 %.
            seed: the same seed gives the same text; by default a chance one.
            adapt: see :meth:`reader`.
            told: is told each piece of the text once it is there, the prompt first.
        """
        tokenizer = self.loaded.tokenizer
        seed = random.SystemRandom().randrange(SEEDS) if seed is None else seed
        passage, reader = passage_of(tokenizer, prompt), self.reader(adapt)
        how = sampling or Sampling()
        return generate(reader, tokenizer, prompt, passage, words, how, seed, told)

    def score(
        self,
        text: str | Passage,
        adapt: Adapt = "none",
        progress: Callable[[int], object] | None = None,
    ) -> Score:
        """How likely each word of a text was.

        Args:
            text: the end of its last paragraph is scored only if a blank line shows it.
            adapt: see :meth:`reader`.
            progress: is told how many more words were seen.

        Raises:
            TextError: it holds no word.
        """
        passage = passage_of(self.loaded.tokenizer, text) if isinstance(text, str) else text
        return score(self.loaded.reading(adapt), passage, self.words, progress)

    def similar(self, word: str, k: int = 10) -> list[Neighbour]:
        """The ``k`` words nearest to ``word`` in the network's embedding.

        Raises:
            ModelError: the model has no word vectors.
            NextwordError: the vocabulary lacks the word.
        """
        return similar(self.loaded, word, k)

    def analogy(self, a: str, b: str, c: str, k: int = 10) -> list[Neighbour]:
        """Words that are to ``c`` as ``b`` is to ``a``; raises as :meth:`similar`."""
        return analogy(self.loaded, a, b, c, k)


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
