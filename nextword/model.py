"""The predictor: a trained model, ready to be asked."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from nextword.device import choose_device
from nextword.inference.adaptation import Adapt
from nextword.inference.generation import SEEDS, Generated, generate
from nextword.inference.model_folder import LoadedModel, load_model_folder
from nextword.inference.neighbours import Neighbour, analogy, similar
from nextword.inference.passage import Passage, passage_of
from nextword.inference.sampling import Sampling
from nextword.inference.scoring import Score, score
from nextword.inference.session import Prediction, Session
from nextword.storage.run_folder import find_model


class Model:
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

    def reader(self, adapt: Adapt = "none") -> Session:
        """A fresh reader, to be fed text bit by bit and asked in between.

        Args:
            adapt: ``cache`` (words that came in places like this one are likelier to come
                again), ``dynamic`` (the network learns on), ``both`` or ``none``.
        """
        return Session(self.loaded, adapt)

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
        return score(self.loaded.decoder(adapt), passage, self.words, progress)

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


def load_model(path: str | os.PathLike[str] | None = None, device: str = "cpu") -> Model:
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
    return Model(loaded.to(place))
