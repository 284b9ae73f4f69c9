"""A trained model as users hold it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nextword.errors import ConfigError, ModelError
from nextword.evaluation.keystrokes import SUGGESTIONS
from nextword.evaluation.score import Score, score
from nextword.inference import Adapt
from nextword.inference.generation import Generated, generate, random_seed
from nextword.inference.lazy_pytorch import resolve_device
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.model_folder import load_model_folder
from nextword.inference.neighbours import Neighbour, analogy, similar
from nextword.inference.sampling import Sampling
from nextword.inference.session import Prediction, Session
from nextword.storage.run_folder import find_model
from nextword.text.tokenized import TokenizedText, tokenize_string

if TYPE_CHECKING:
    from nextword.evaluation.evaluator import Evaluation


class Model:
    """A trained model: predicts, continues, scores and compares words; :func:`load_model` reads it.

    Args:
        loaded: the network or n-grams and their words.
        folder: the model folder that it was read from, or that holds it.
    """

    def __init__(self, loaded: LoadedModel, folder: Path | None = None) -> None:
        self.loaded = loaded
        self.folder = folder

    def __repr__(self) -> str:
        where = "" if self.folder is None else f" from {str(self.folder)!r}"
        return f"<nextword.Model {self.loaded.title}, {len(self.words):,} words{where}>"

    @property
    def words(self) -> list[str]:
        """The vocabulary by ids: the special words, then by falling frequency."""
        return self.loaded.tokenizer.words

    def session(self, adapt: Adapt = "none") -> Session:
        """A new session: text in bit by bit, predictions out in between.

        Args:
            adapt: ``cache`` (recent words in similar contexts become more likely), ``dynamic``
                (the network goes on learning), ``both`` or ``none``.

        Raises:
            ConfigError: an n-gram model cannot adapt.
        """
        return Session(self.loaded, adapt)

    def predict(
        self, prompt: str = "", k: int = 5, prefix: str = "", adapt: Adapt = "none"
    ) -> list[Prediction]:
        """The ``k`` words most likely to follow a prompt.

        Args:
            prompt: any text; its words are matched as :mod:`nextword.text.matching` says, and those
                that the vocabulary lacks are read as unknown.
            k: how many; fewer where fewer begin with ``prefix``.
            prefix: letters with which the words must begin, in any case where no word begins with
                just these.
            adapt: see :meth:`session`.

        Raises:
            ConfigError: ``k`` is below one.
        """
        session = self.session(adapt)
        session.read(prompt)
        return session.predict(k, prefix)

    def generate(
        self,
        prompt: str = "",
        words: int = 100,
        sampling: Sampling | None = None,
        seed: int | None = None,
        adapt: Adapt = "none",
        on_piece: Callable[[str], object] | None = None,
    ) -> Generated:
        """Continue a prompt.

        Args:
            prompt: any text; after a blank line at its end a new paragraph begins.
            words: how many to add; punctuation counts.
            sampling: how they are drawn; by default from the nucleus of 90 %.
            seed: the same seed gives the same text; random by default.
            adapt: see :meth:`session`.
            on_piece: called with each piece of the text as soon as it is known, the prompt first.

        Raises:
            ConfigError: ``words`` is below one.
        """
        seed = random_seed() if seed is None else seed
        how = sampling or Sampling()
        session = self.session(adapt)
        return generate(session, self.loaded.tokenizer, prompt, words, how, seed, on_piece)

    def score(
        self,
        text: str | TokenizedText,
        adapt: Adapt = "none",
        progress: Callable[[int], object] | None = None,
    ) -> Score:
        """The probability, rank and surprisal of every word of a text.

        Args:
            text: the end of its last paragraph is scored only if a blank line follows.
            adapt: see :meth:`session`.
            progress: called with the number of words just scored.

        Raises:
            TextError: it holds no word.
        """
        tokenizer = self.loaded.tokenizer
        tokenized = tokenize_string(tokenizer, text) if isinstance(text, str) else text
        return score(self.loaded.decoder(adapt), tokenized, self.words, progress)

    def similar(self, word: str, k: int = 10) -> list[Neighbour]:
        """The ``k`` words nearest to a word in the network's embedding.

        Raises:
            ModelError: the model has no word vectors.
            NextwordError: the vocabulary lacks the word.
            ConfigError: ``k`` is below one.
        """
        return similar(self.loaded, word, _at_least_one(k))

    def analogy(self, a: str, b: str, c: str, k: int = 10) -> list[Neighbour]:
        """Words that are to ``c`` as ``b`` is to ``a``; raises as :meth:`similar`."""
        return analogy(self.loaded, a, b, c, _at_least_one(k))

    def text(
        self, paths: Sequence[str] = (), split: str = "valid", encoding: str = "utf-8"
    ) -> TokenizedText:
        """A text in the model's words: files, or a held-out part of the text of its run.

        Args:
            paths: files or folders; none for the run's own text.
            split: ``valid`` or ``test``, of the run's own text.
            encoding: of the files.

        Raises:
            ModelError: the model has no run beside it, or its text has changed.
            TextError: the text cannot be read, holds no word, or nothing was held out.
            ConfigError: there is no such split.
        """
        from nextword.evaluation.held_out import held_out_part, read_text

        if paths:
            return read_text(self.loaded.tokenizer, paths, encoding)
        if self.folder is None:
            raise ModelError("the model was not read from a run: name a text")
        return held_out_part(self.folder, self.loaded.tokenizer, split)

    def evaluate(
        self,
        text: TokenizedText | str | os.PathLike[str] | None = None,
        split: str = "valid",
        adapt: Adapt = "none",
        suggestions: int = SUGGESTIONS,
        progress: Callable[[int], object] | None = None,
    ) -> Evaluation:
        """Measure the model on held-out text.

        Args:
            text: a file or folder, or a text from :meth:`text`; by default the held-out part
                ``split`` of the run's own text.
            split: ``valid`` or ``test``.
            adapt: see :meth:`session`; it never looks ahead.
            suggestions: words that the simulated typist sees at once.
            progress: called with the number of tokens just predicted.

        Raises:
            ModelError, TextError: see :meth:`text`.
        """
        from nextword.evaluation.evaluator import evaluate

        if not isinstance(text, TokenizedText):
            text = self.text([] if text is None else [os.fspath(text)], split)
        loaded = self.loaded
        return evaluate(
            loaded.decoder(adapt), text, loaded.tokenizer, loaded.counts, suggestions, progress
        )


def _at_least_one(k: int) -> int:
    if k < 1:
        raise ConfigError(f"k: {k} is not at least 1")
    return k


def load_model(path: str | os.PathLike[str] | None = None, device: str = "cpu") -> Model:
    """Read a run or model folder; without a path, the newest run under ``runs/``.

    Args:
        path: a run folder, a run's name, or a model folder.
        device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto`` (CUDA
            if there is one, else the CPU). On the CPU the model answers without importing PyTorch.

    Raises:
        ModelError: there is no such folder, or its files are damaged or of another program.
        ConfigError: there is no such device.
    """
    place = resolve_device(device)
    folder = find_model(Path(path) if path is not None else None)
    return Model(load_model_folder(folder).to(place), folder)
