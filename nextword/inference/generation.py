"""A text goes on: word after word is drawn, read, and written as prose."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import torch

from nextword.errors import ConfigError
from nextword.inference.passage import Passage
from nextword.inference.sampling import Sampling, draw, filtered
from nextword.inference.session import Session
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END, END_ID, UNKNOWN_ID

SEEDS = 1 << 32
"""Seeds to choose from where none is given; short enough to be typed again."""


@dataclass(frozen=True)
class Generated:
    """A prompt and how a model went on."""

    prompt: str
    text: str
    """The whole: the prompt without spaces at its end, then what was added."""
    words: list[str]
    """What was added, as the vocabulary spells it, ends of paragraphs among them."""
    seed: int
    """The same seed, model, prompt and settings give the same words."""


def generate(
    reader: Session,
    tokenizer: Tokenizer,
    prompt: str,
    passage: Passage,
    words: int,
    sampling: Sampling,
    seed: int,
    told: Callable[[str], object] | None = None,
) -> Generated:
    """Go on from a prompt.

    The unknown word never comes, nor one end behind another.

    Args:
        reader: at the beginning of a text.
        tokenizer: of the reader's model.
        prompt: as it was typed.
        passage: the prompt's words.
        words: how many to add; marks of punctuation are words, ends are not counted.
        sampling: how they are chosen.
        seed: what chance starts from.
        told: is told each piece of the text once it is there, the prompt first.
    """
    if words < 1:
        raise ConfigError(f"words: {words} is not at least 1")
    if len(passage.ids):
        reader.read_ids(passage.ids.tolist())
    last = int(passage.ids[-1]) if len(passage.ids) else END_ID
    detokenizer = tokenizer.detokenizer()
    before = [detokenizer.push(word) for word in passage.words]
    pieces: list[str] = []

    def write(piece: str) -> None:
        pieces.append(piece)
        if told is not None:
            told(piece)

    write(prompt.rstrip())
    if before and last == END_ID:
        write(before[-1])
    chance = random.Random(seed)
    allowed = torch.ones(len(tokenizer), dtype=torch.bool)
    allowed[UNKNOWN_ID] = False
    added: list[str] = []
    while words:
        allowed[END_ID] = last != END_ID
        last = draw(filtered(reader.log_probabilities(), allowed, sampling), chance)
        added.append(tokenizer.words[last])
        write(detokenizer.push(added[-1]))
        words -= added[-1] != END
        if words:
            reader.read_ids([last])
    return Generated(prompt, "".join(pieces), added, seed)
