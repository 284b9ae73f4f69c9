"""The text that a model is measured on: a held-out part of its own run, or another text."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError, TextError
from nextword.storage.run_folder import RunFolder
from nextword.text.prepare import EncodedText, TextPart, prepare_text, text_sha256
from nextword.text.readers import folder_files, read_units, text_files
from nextword.text.tokenized import in_words
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import UNKNOWN_ID

PARTS = ("train", "valid", "test")
LEARNED = "was trained on this very text: these figures are misleadingly good"
"""Said of a model of which :func:`learned_from` holds."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A text in a model's word ids, and what they do not tell of it."""

    name: str
    ids: NDArray[np.integer]
    """``(words,)``, an end at the end of each paragraph or line."""
    characters: int
    """Characters of the text, one for each paragraph's or line's end included."""
    unknown_words: list[str]
    """The words that the vocabulary lacks, one for each unknown id, in the text's order."""
    spaced: NDArray[np.bool_]
    """``(words,)``: whether a space follows."""

    def __post_init__(self) -> None:
        unknown = int((self.ids == UNKNOWN_ID).sum())
        if len(self.unknown_words) != unknown or self.spaced.shape != self.ids.shape:
            raise ValueError("the unknown words or the spaces are not those of the ids")

    def spelled(self, vocabulary: Sequence[str]) -> list[str]:
        """The text's words, known or not, ends among them, ``(words,)``.

        Args:
            vocabulary: the words by their ids.
        """
        words = [vocabulary[number] for number in self.ids.tolist()]
        places = np.flatnonzero(self.ids == UNKNOWN_ID).tolist()
        for place, word in zip(places, self.unknown_words, strict=True):
            words[place] = word
        return words

    @classmethod
    def of_part(cls, name: str, part: TextPart) -> HeldOut:
        """A held-out part of a text that was made ready for training.

        Raises:
            ValueError: it is the training part, of which words and spaces are not kept.
        """
        if part.surface is None:
            raise ValueError("the training part was not held out")
        return cls(name, part.ids, part.characters, part.surface.unknown_words, part.surface.spaced)


def read_text(tokenizer: Tokenizer, path: list[str], encoding: str) -> HeldOut:
    """Any text in the ids of a model's tokenizer."""
    ids: list[NDArray[np.int64]] = []
    unknown: list[str] = []
    spaced: list[NDArray[np.bool_]] = []
    characters = 0
    paragraphs = read_units(tokenizer.kind, text_files(path), encoding)
    for paragraph in in_words(tokenizer, paragraphs):
        ids.append(paragraph.ids)
        unknown += [paragraph.words[i] for i in np.flatnonzero(paragraph.ids == UNKNOWN_ID)]
        spaced.append(paragraph.spaced)
        characters += paragraph.characters
    if sum(map(len, ids)) == len(ids):  # nothing but ends
        raise TextError(f"{', '.join(path)}: holds no word to measure on")
    name = ", ".join(path)
    return HeldOut(name, np.concatenate(ids), characters, unknown, np.concatenate(spaced))


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
    encoded = text_of_run(model, tokenizer)
    if part not in encoded.parts:
        raise TextError(f"{model.parent}: held no {part} part out; name a --text")
    title = "validation" if part == "valid" else part
    return HeldOut.of_part(f"{title} part of {encoded.source}", encoded.parts[part])


def training_part(model: Path, tokenizer: Tokenizer) -> NDArray[np.integer]:
    """The words that a model learned from, ``(words,)``.

    Args:
        model: the model folder, inside its run folder.
        tokenizer: the model's.

    Raises:
        ModelError: the model has no run beside it, or its text is not what it was.
    """
    return text_of_run(model, tokenizer).parts["train"].ids


def text_of_run(model: Path, tokenizer: Tokenizer) -> EncodedText:
    """The text that a model was trained on, as it was split then.

    Args:
        model: the model folder, inside its run folder.
        tokenizer: the model's.

    Raises:
        ModelError: the model has no run beside it, or its text is not what it was.
    """
    run = RunFolder(model.parent)
    if not run.exists:
        raise ModelError(f"{model}: has no run beside it that held text out; name a --text")
    config = run.read_config()
    if "-" in config.text.files_of(*PARTS):
        raise ModelError(f"{run.path}: its text came through a pipe and is gone; name a --text")
    try:
        encoded = prepare_text(config.text, config.vocabulary)
    except TextError as error:
        raise ModelError(
            f"{error}; {run.path} was trained on it: put it back, or name a --text"
        ) from error
    if encoded.sha256 != config.about.get("text_sha256"):
        raise ModelError(
            f"{encoded.source}: has changed since {run.path} was trained, so what was held out is "
            "not known any more; name a --text"
        )
    if encoded.tokenizer.words != tokenizer.words:
        raise ModelError(f"{model}: its words are not those of {run.config}; name a --text")
    return encoded


def learned_from(model: Path, text: Sequence[str]) -> bool:
    """Whether a model was trained on these very files, so that they cannot measure it.

    Args:
        model: the model folder.
        text: files that it is to be measured on.
    """
    run = RunFolder(model.parent)
    if not run.exists:
        return False
    config = run.read_config()
    if _files(text) & _files(config.text.files_of("train")):
        return True
    return text_sha256(list(text)) == config.about.get("text_sha256")


def _files(paths: Sequence[str]) -> set[Path]:
    """The files that some paths stand for, those in folders among them, if they are there."""
    found: set[Path] = set()
    for path in map(Path, paths):
        # nothing is opened: a pipe would be waited for
        if path.is_file():
            found.add(path.resolve())
        elif path.is_dir():
            with suppress(TextError):
                found |= {file.resolve() for file in folder_files(path)}
    return found
