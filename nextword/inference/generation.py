"""Continue a text: draw a word, read it, write it as prose, again and again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nextword.errors import ConfigError
from nextword.inference.sampling import Sampling, draw, filtered
from nextword.inference.session import Session
from nextword.text.tokenized import tokenize_string
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


def generate(
    session: Session,
    tokenizer: Tokenizer,
    prompt: str,
    words: int,
    sampling: Sampling,
    seed: int,
    on_piece: Callable[[str], object] | None = None,
) -> Generated:
    """Continue a prompt; the unknown word is never drawn, nor one end after another.

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
    if len(text.ids):
        session.read_ids(text.ids.tolist())
    last = int(text.ids[-1]) if len(text.ids) else END_ID
    detokenizer = tokenizer.detokenizer()
    before = [detokenizer.push(word) for word in text.words(tokenizer.words)]
    pieces: list[str] = []

    def write(piece: str) -> None:
        pieces.append(piece)
        if on_piece is not None:
            on_piece(piece)

    write(prompt.rstrip())
    if before and last == END_ID:
        write(before[-1])
    chance = random.Random(seed)
    allowed = np.ones(len(tokenizer), dtype=np.bool_)
    allowed[UNKNOWN_ID] = False
    added: list[str] = []
    while words:
        allowed[END_ID] = last != END_ID
        last = draw(filtered(session.log_probabilities(), allowed, sampling), chance)
        added.append(tokenizer.words[last])
        write(detokenizer.push(added[-1]))
        words -= added[-1] != END
        if words:
            session.read_ids([last])
    return Generated(prompt, "".join(pieces), added, seed)
