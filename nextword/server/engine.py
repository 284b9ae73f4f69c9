"""Answers of one model to many clients, without HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from nextword.evaluation.score import Score, score
from nextword.inference.completion import Completion, CompletionSettings, Prompt
from nextword.inference.generation import Writer
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.sampling import Sampling
from nextword.inference.session import Prediction, Session
from nextword.inference.states import StateCache
from nextword.inference.typed import split_typed
from nextword.server.errors import too_large
from nextword.server.limits import Limits
from nextword.text.detokenizer import Detokenizer
from nextword.text.tokenized import TokenizedText, detokenizer_after, read_prompt
from nextword.text.vocabulary import END_ID


@dataclass(frozen=True)
class Suggestion:
    """A word that may come next, and how it is written."""

    word: str
    probability: float
    space: bool
    """Whether a space separates it from the text before."""
    space_after: bool
    """Whether a space separates it from a word that follows."""
    parts: dict[str, float]
    """Its probability under each part of the model; empty unless asked for."""


@dataclass(frozen=True)
class Suggestions:
    """The words that may come next."""

    predictions: list[Suggestion]
    unknown: list[str]
    """Distinct words of the text that the vocabulary lacks."""
    typed: str
    """The letters at the end of the text that were taken for the beginning of the word."""
    shares: dict[str, float]
    """The weight of each part of the model here; empty unless asked for."""


class _Position(NamedTuple):
    """The end of a text."""

    ids: Sequence[int]
    unknown: list[str]
    detokenizer: Detokenizer


class Engine:
    """A model that answers; threads may share it.

    Args:
        loaded: the model.
        name: of the model, for people.
        limits: of texts and of memory.
    """

    def __init__(self, loaded: LoadedModel, name: str, limits: Limits) -> None:
        self.loaded = loaded
        self.name = name
        self.limits = limits
        self.states = StateCache(lambda: Session(loaded, loaded.session_adapt), limits.state_bytes)
        self._position = lru_cache(limits.prompts)(self._read)
        self.predict("a", 1)  # prepares what is made on first use

    def predict(
        self, text: str, k: int, prefix: str | None = None, with_parts: bool = False
    ) -> Suggestions:
        """The ``k`` words most likely to follow a text.

        Args:
            text: as it was typed.
            k: how many; fewer where fewer begin with ``prefix``.
            prefix: letters with which they must begin; None for those being typed at the end.
            with_parts: whether to give the prediction of each part of the model, too.
        """
        typed = ""
        if prefix is None:
            text, typed = split_typed(self.loaded.tokenizer, text)
            prefix = typed
        position = self._position(text)
        session = self.states.after(position.ids)
        # first, since the distribution comes with them
        parts = session.parts() if with_parts else []
        predictions = session.predict(k, prefix)
        index = self.loaded.tokenizer.index

        def suggestion(prediction: Prediction) -> Suggestion:
            number = index[prediction.word]
            return Suggestion(
                prediction.word,
                prediction.probability,
                *position.detokenizer.spaces_around(prediction.word),
                {part.name: float(part.probabilities[number]) for part in parts},
            )

        return Suggestions(
            [suggestion(prediction) for prediction in predictions],
            position.unknown,
            typed,
            {part.name: part.share for part in parts},
        )

    def _read(self, text: str) -> _Position:
        tokenized, unmatched = read_prompt(self.loaded.tokenizer, text)
        self._check_words("text", tokenized)
        detokenizer = detokenizer_after(self.loaded.tokenizer, tokenized)
        return _Position(tokenized.ids.tolist(), [match.typed for match in unmatched], detokenizer)

    def score(self, text: str) -> Score:
        """The probability, rank and surprisal of every word of a text.

        Raises:
            TextError: it holds no word.
        """
        tokenized, _ = read_prompt(self.loaded.tokenizer, text)
        self._check_words("text", tokenized)
        return score(self.loaded.decoder(), tokenized, self.loaded.tokenizer.words)

    def generate(self, text: str, words: int, sampling: Sampling, seed: int) -> Iterator[str]:
        """The pieces of a continuation; punctuation counts as words, ends of paragraphs do not."""
        tokenized, _ = read_prompt(self.loaded.tokenizer, text)
        self._check_words("text", tokenized)
        session = self.states.after(tokenized.ids.tolist()).fork()
        writer = Writer(session, self.loaded.tokenizer, tokenized, sampling, seed)
        spaced = text[-1:].isspace()
        while words:
            drawn = writer.draw()
            # a space that was typed is not written again
            yield drawn.text.removeprefix(" ") if spaced else drawn.text
            spaced = False
            words -= drawn.id != END_ID

    def prompt(self, text: str | Sequence[int]) -> Prompt:
        """A text to complete, as it was typed or as ids of the vocabulary."""
        tokenizer = self.loaded.tokenizer
        if isinstance(text, str):
            prompt = Prompt.from_text(tokenizer, text)
        else:
            prompt = Prompt.from_ids(tokenizer, text)
        self._check_words("prompt", prompt.tokenized)
        return prompt

    def complete(self, prompt: Prompt, settings: CompletionSettings) -> Completion:
        """The tokens of a completion, computed as they are asked for."""
        return Completion(self.loaded, self.states, prompt, settings)

    def _check_words(self, key: str, text: TokenizedText) -> None:
        if len(text.ids) > self.limits.words:
            raise too_large(
                key,
                f"{key}: has {len(text.ids):,} words; at most {self.limits.words:,} are read",
            )

    @property
    def about(self) -> Mapping[str, object]:
        """The model's name, title and vocabulary size, ready for JSON."""
        return {
            "model": self.name,
            "title": self.loaded.title,
            "vocabulary": len(self.loaded.tokenizer),
        }
