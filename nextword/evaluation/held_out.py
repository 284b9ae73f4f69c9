"""The text that a model is measured on: a held-out part of its own run, or another text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextword.config import load_config
from nextword.errors import ModelError, TextError
from nextword.runs import RunFolder
from nextword.text.corpus import read_lines, read_paragraphs, text_files
from nextword.text.encoded import prepare_text
from nextword.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class HeldOut:
    """A text in a model's word ids."""

    name: str
    ids: NDArray[np.integer]
    """``(words,)``, an end at the end of each paragraph or line."""
    characters: int
    """Characters of the text, one for each paragraph's or line's end included."""


def read_text(tokenizer: Tokenizer, path: list[str], encoding: str) -> HeldOut:
    """Any text in the ids of a model's tokenizer."""
    characters = 0

    def counted() -> Iterator[str]:
        nonlocal characters
        read = read_lines if tokenizer.kind == "whitespace" else read_paragraphs
        for paragraph in read(files, encoding):
            characters += len(paragraph) + 1
            yield paragraph

    files = text_files(path)
    pieces = list(tokenizer.encode_stream(counted()))
    if not any(len(piece) > 1 for piece in pieces):
        raise TextError(f"{', '.join(path)}: holds no word to measure on")
    return HeldOut(", ".join(path), np.concatenate(pieces), characters)


def held_out_part(model: Path, tokenizer: Tokenizer, part: str) -> HeldOut:
    """A held-out part of the text that a model was trained on, as it was split then.

    Args:
        model: the model folder, inside its run folder.
        tokenizer: the model's.
        part: ``valid`` or ``test``.

    Raises:
        ModelError: the model has no run beside it, or its text is not what it was.
        TextError: the run held no such part out.
    """
    run = RunFolder(model.parent)
    if not run.exists:
        raise ModelError(f"{model}: has no run beside it that held text out; name a --text")
    config = load_config(run.config)
    encoded = prepare_text(config.text, config.vocabulary)
    if encoded.sha256 != config.about.get("text_sha256"):
        raise ModelError(
            f"{encoded.source}: has changed since {run.path} was trained, so what was held out is "
            "not known any more; name a --text"
        )
    if encoded.tokenizer.words != tokenizer.words:
        raise ModelError(f"{model}: its words are not those of {run.config}; name a --text")
    if part not in encoded.parts:
        raise TextError(f"{run.path}: held no {part} part out; name a --text")
    found = encoded.parts[part]
    return HeldOut(f"{part} part of {encoded.source}", found.ids, found.characters)
