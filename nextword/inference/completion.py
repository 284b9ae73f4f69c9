"""A text and its continuation as tokens with log-probabilities, as the completions protocol has it.

A token is a piece of the text with the space before it; the texts of all tokens together are the
text. The end of a paragraph is a token, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nextword.inference.generation import Drawn, Writer
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.sampling import Sampling, top_words
from nextword.inference.session import Session
from nextword.inference.states import BLOCK, StateCache
from nextword.text.detokenizer import Detokenizer
from nextword.text.slices import token_slices
from nextword.text.tokenized import TokenizedText, read_prompt
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END_ID, UNKNOWN_ID

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Token:
    """A piece of a text."""

    text: str
    log_probability: float | None = None
    """In nats, before sampling changed it; None for the first token of a text that is echoed, and
    where none was asked for."""
    top: dict[str, float] | None = None
    """Log-probabilities of this token and of the likeliest ones, by their texts."""


@dataclass(frozen=True)
class Prompt:
    """A text to continue."""

    text: str
    slices: list[str]
    """The piece of it for each token."""
    tokenized: TokenizedText

    @classmethod
    def from_text(cls, tokenizer: Tokenizer, text: str) -> Prompt:
        """A text as it was typed."""
        tokenized, _ = read_prompt(tokenizer, text)
        return cls(text, token_slices(tokenizer, text, tokenized), tokenized)

    @classmethod
    def from_ids(cls, tokenizer: Tokenizer, ids: Sequence[int]) -> Prompt:
        """The ids of tokens, all in the vocabulary."""
        detokenizer = tokenizer.detokenizer()
        words = [tokenizer.words[number] for number in ids]
        slices = [detokenizer.push(word) for word in words]
        array = np.array(ids, dtype=np.int64)
        unknown = [word for word, number in zip(words, ids, strict=True) if number == UNKNOWN_ID]
        spaced = np.array([piece.startswith(" ") for piece in [*slices[1:], ""]], dtype=np.bool_)
        text = "".join(slices)
        tokenized = TokenizedText(array, spaced[: len(array)], unknown, len(text))
        return cls(text, slices, tokenized)


@dataclass(frozen=True)
class CompletionSettings:
    """How a text is completed."""

    max_tokens: int = 16
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    """Texts before which the continuation ends."""
    logprobs: int | None = None
    """Likeliest tokens to name in each place; None for no log-probabilities at all."""
    echo: bool = False
    """Whether the prompt's own tokens come first."""
    seed: int = 0


class Completion:
    """The tokens of a completion, computed one after the other as they are asked for.

    Args:
        loaded: the model.
        states: gives the model after the prompt.
        prompt: what is completed.
        settings: how.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        states: StateCache,
        prompt: Prompt,
        settings: CompletionSettings,
    ) -> None:
        self.loaded = loaded
        self.states = states
        self.prompt = prompt
        self.settings = settings
        self.finish_reason: FinishReason = "length"
        """Why it ended, as soon as it has."""
        self.generated = 0
        """Tokens drawn so far."""

    def __iter__(self) -> Iterator[Token]:
        if self.settings.echo:
            yield from self._echoed()
        yield from self._until_stop(self._drawn())

    def _echoed(self) -> Iterator[Token]:
        """The prompt's own tokens, each predicted from those before it."""
        slices, ids = self.prompt.slices, self.prompt.tokenized.ids.astype(np.int64)
        if self.settings.logprobs is None:
            yield from map(Token, slices)
            return
        words = self.prompt.tokenized.words(self.loaded.tokenizer.words)
        detokenizer = self.loaded.tokenizer.detokenizer()
        framed = np.concatenate([[END_ID], ids])
        decoder = self.loaded.decoder(self.loaded.session_adapt)
        for start in range(0, len(ids), BLOCK):
            readout = decoder.read(framed[start : min(start + BLOCK, len(ids))])
            rows = readout.distributions().log_probabilities
            for number, row in enumerate(rows, start=start):
                scored = self._scored(slices[number], int(ids[number]), row, detokenizer)
                # the protocol knows nothing of a beginning from which the first could be predicted
                yield scored if number else Token(slices[number])
                detokenizer.push(words[number])

    def _drawn(self) -> Iterator[Token]:
        """The tokens of the continuation."""
        if not self.settings.max_tokens:
            return
        tokenizer, settings = self.loaded.tokenizer, self.settings
        session: Session = self.states.after(self.prompt.tokenized.ids.tolist()).fork()
        writer = Writer(session, tokenizer, self.prompt.tokenized, settings.sampling, settings.seed)
        # a space that was typed is not written again
        spaced = self.prompt.text[-1:].isspace()
        for _ in range(settings.max_tokens):
            before = writer.detokenizer.fork() if settings.logprobs else writer.detokenizer
            drawn = writer.draw()
            self.generated += 1
            yield self._token(drawn, before, spaced)
            spaced = False

    def _token(self, drawn: Drawn, before: Detokenizer, spaced: bool) -> Token:
        text = drawn.text.removeprefix(" ") if spaced else drawn.text
        if self.settings.logprobs is None:
            return Token(text)
        return self._scored(text, drawn.id, drawn.log_probabilities, before, spaced)

    def _scored(
        self,
        text: str,
        number: int,
        log_probabilities: NDArray[np.float32],
        detokenizer: Detokenizer,
        spaced: bool = False,
    ) -> Token:
        """A token with its log-probability and those of the likeliest in its place.

        Args:
            text: of the token.
            number: its id.
            log_probabilities: of all words in its place, ``(vocabulary,)``.
            detokenizer: at the end of the text before it.
            spaced: whether that text ends in a space.
        """
        own = float(log_probabilities[number])
        if not self.settings.logprobs:
            return Token(text, own)
        words = self.loaded.tokenizer.words
        candidates = np.arange(UNKNOWN_ID + 1, len(words))
        top = {text: own}
        for other, value in top_words(log_probabilities, candidates, self.settings.logprobs):
            written = detokenizer.fork().push(words[other])
            if other != number:
                top.setdefault(written.removeprefix(" ") if spaced else written, value)
        return Token(text, own, top)

    def _until_stop(self, tokens: Iterator[Token]) -> Iterator[Token]:
        """The tokens before the first stop text; the last may be cut.

        A token is held back as long as it may belong to a stop text.
        """
        held: list[Token] = []
        text = ""
        for token in tokens:
            held.append(token)
            text += token.text
            if (end := first_stop(text, self.settings.stop)) is not None:
                self.finish_reason = "stop"
                yield from _cut(held, end)
                return
            safe = len(text) - longest_beginning(text, self.settings.stop)
            while held and len(held[0].text) <= safe:
                released = held.pop(0)
                safe -= len(released.text)
                text = text[len(released.text) :]
                yield released
        yield from held


def first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the first of some texts begins; None where there is none."""
    return min((place for stop in stops if (place := text.find(stop)) >= 0), default=None)


def longest_beginning(text: str, stops: Sequence[str]) -> int:
    """Characters at the end of a text with which one of some other texts begins."""
    return max(
        (
            length
            for stop in stops
            for length in range(1, min(len(stop) - 1, len(text)) + 1)
            if text.endswith(stop[:length])
        ),
        default=0,
    )


def _cut(tokens: Sequence[Token], end: int) -> Iterator[Token]:
    """The tokens of the first characters of a text."""
    for token in tokens:
        if end <= 0:
            return
        yield Token(token.text[:end], token.log_probability, token.top)
        end -= len(token.text)
