"""Continue a text: draw a word, read it, write it as prose, again and again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ConfigError
from nextword.inference.sampling import Sampling, draw, filtered
from nextword.inference.session import Session
from nextword.text.tokenized import TokenizedText, detokenizer_after, tokenize_string
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END, END_ID, UNKNOWN_ID

MAX_SEED = 1 << 32
"""Random seeds are below this: short enough to be typed again."""


def random_seed() -> int:
    """A seed from the system's random numbers."""
    return random.SystemRandom().randrange(MAX_SEED)


@dataclass(frozen=True)
class Generated:
    """A prompt and its continuation."""

    prompt: str
    text: str
    """The prompt without spaces at its end, then the continuation."""
    words: list[str]
    """The continuation as the vocabulary spells it, ends of paragraphs included."""
    seed: int
    """The same seed, model, prompt and settings give the same words."""


@dataclass(frozen=True)
class Drawn:
    """A word that was drawn to continue a text."""

    id: int
    word: str
    """As the vocabulary spells it; the end of a paragraph is one, too."""
    text: str
    """What it appends to the text, the space before it included."""
    log_probabilities: NDArray[np.float32]
    """Of every word in its place, before sampling changed them: ``(vocabulary,)`` in nats."""


class Writer:
    """Continues a text word by word; the unknown word is never drawn, nor one end after another.

    Args:
        session: has read the text, and reads on.
        tokenizer: the model's.
        text: what was read.
        sampling: how words are drawn.
        seed: of the random draws.
    """

    def __init__(
        self,
        session: Session,
        tokenizer: Tokenizer,
        text: TokenizedText,
        sampling: Sampling,
        seed: int,
    ) -> None:
        self.session = session
        self.tokenizer = tokenizer
        self.sampling = sampling
        self.detokenizer = detokenizer_after(tokenizer, text)
        self._last = int(text.ids[-1]) if len(text.ids) else END_ID
        self._unread: list[int] = []
        self._chance = random.Random(seed)
        self._allowed = np.ones(len(tokenizer), dtype=np.bool_)
        self._allowed[UNKNOWN_ID] = False

    def draw(self) -> Drawn:
        """The next word.

        Raises:
            ModelError: the model gives NaN, or no word a probability.
        """
        # only now, since nothing may be asked after the last word
        self.session.read_ids(self._unread)
        self._allowed[END_ID] = self._last != END_ID
        log_probabilities = self.session.log_probabilities()
        self._last = draw(filtered(log_probabilities, self._allowed, self.sampling), self._chance)
        self._unread = [self._last]
        word = self.tokenizer.words[self._last]
        return Drawn(self._last, word, self.detokenizer.push(word), log_probabilities)


def generate(
    session: Session,
    tokenizer: Tokenizer,
    prompt: str,
    words: int,
    sampling: Sampling,
    seed: int,
    on_piece: Callable[[str], object] | None = None,
) -> Generated:
    """Continue a prompt; see :class:`Writer`.

    Args:
        session: at the beginning of a text.
        tokenizer: the model's.
        prompt: as it was typed.
        words: how many to add; punctuation counts, ends do not.
        sampling: how they are drawn.
        seed: of the random draws.
        on_piece: called with each piece of the text as soon as it is known, the prompt first.

    Raises:
        ConfigError: ``words`` is below one.
    """
    if words < 1:
        raise ConfigError(f"words: {words} is not at least 1")
    text = tokenize_string(tokenizer, prompt)
    session.read_ids(text.ids.tolist())
    writer = Writer(session, tokenizer, text, sampling, seed)
    pieces: list[str] = []

    def write(piece: str) -> None:
        pieces.append(piece)
        if on_piece is not None:
            on_piece(piece)

    write(prompt.rstrip())
    if len(text.ids) and text.ids[-1] == END_ID:
        write(tokenizer.detokenizer().push(END))
    added: list[str] = []
    while words:
        drawn = writer.draw()
        added.append(drawn.word)
        write(drawn.text)
        words -= drawn.id != END_ID
    return Generated(prompt, "".join(pieces), added, seed)
