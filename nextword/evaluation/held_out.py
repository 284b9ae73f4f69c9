"""The text a model is measured on: a held-out part of its own run, or another text."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from nextword.errors import ConfigError, ModelError, TextError
from nextword.storage.run_folder import run_of_model
from nextword.text.dataset import EncodedText
from nextword.text.prepare import prepare_text, text_sha256
from nextword.text.sources import folder_files
from nextword.text.tokenized import TokenizedText, tokenize_files
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END_ID

PARTS = ("train", "valid", "test")
PART_NAMES = {"valid": "validation", "test": "test"}
"""Names of the held-out parts in messages."""
TRAINED_ON = "was trained on this text: these figures are misleadingly good"
"""Warning about a model for which :func:`trained_on` is true."""


def read_text(tokenizer: Tokenizer, paths: Sequence[str], encoding: str) -> TokenizedText:
    """A text given by its files, to measure a model on.

    Raises:
        TextError: it cannot be read, or holds no word.
    """
    text = tokenize_files(tokenizer, paths, encoding)
    if (text.ids == END_ID).all():
        raise TextError(f"{', '.join(paths)}: holds no word to measure on")
    return text


def held_out_part(model: Path, tokenizer: Tokenizer, part: str) -> TokenizedText:
    """A held-out part of the text that a model was trained on.

    Args:
        model: the model folder, inside its run folder.
        tokenizer: the model's.
        part: ``valid`` or ``test``.

    Raises:
        ModelError: the model has no run beside it, or its text is not what it was.
        TextError: the run held no such part out.
        ConfigError: there is no such part.
    """
    if part not in PART_NAMES:
        raise ConfigError(f"split: {part!r} is not one of {', '.join(PART_NAMES)}")
    encoded = text_of_run(model, tokenizer)
    if part not in encoded.parts:
        raise TextError(f"{run_of_model(model).path}: has no {part} part; give a text with --text")
    return encoded.parts[part].tokenized(f"{PART_NAMES[part]} part of {encoded.source}")


def text_of_run(model: Path, tokenizer: Tokenizer) -> EncodedText:
    """The text that a model was trained on, split as in training.

    Args:
        model: the model folder, inside its run folder.
        tokenizer: the model's.

    Raises:
        ModelError: the model has no run beside it, or its text is not what it was.
    """
    run = run_of_model(model)
    if not run.exists:
        raise ModelError(
            f"{model}: is not in a run folder, so no text was held out; give one with --text"
        )
    config = run.read_config()
    if not config.text.files_of(*PARTS):
        raise ModelError(f"{run.path}: was imported, without a text; give one with --text")
    if "-" in config.text.files_of(*PARTS):
        raise ModelError(f"{run.path}: its text was read from standard input; give one with --text")
    try:
        encoded = prepare_text(config.text, config.vocabulary)
    except TextError as error:
        raise ModelError(
            f"{error}; {run.path} was trained on it: put it back, or give one with --text"
        ) from error
    if encoded.sha256 != run.read_record().text_sha256:
        raise ModelError(
            f"{encoded.source}: has changed since {run.path} was trained, so its held-out "
            "part cannot be restored; give a text with --text"
        )
    if encoded.tokenizer.words != tokenizer.words:
        raise ModelError(
            f"{model}: its words are not those of {run.config}; give a text with --text"
        )
    return encoded


def trained_on(model: Path, text: Sequence[str]) -> bool:
    """Whether a model was trained on any of these files.

    Args:
        model: the model folder.
        text: files to measure the model on.
    """
    run = run_of_model(model)
    if not run.exists:
        return False
    config = run.read_config()
    if _files(text) & _files(config.text.files_of("train")):
        return True
    return text_sha256(list(text)) == run.read_record().text_sha256


def _files(paths: Sequence[str]) -> set[Path]:
    """The existing files of some paths, including those in folders."""
    files: set[Path] = set()
    for path in map(Path, paths):
        # opening a pipe would block
        if path.is_file():
            files.add(path.resolve())
        elif path.is_dir():
            with suppress(TextError):
                files |= {file.resolve() for file in folder_files(path)}
    return files
