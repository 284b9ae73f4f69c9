"""The files of a model that are published, and a copy of them that is fit to be."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory

from nextword.errors import ModelError
from nextword.inference.model_folder import (
    CARD,
    CONFIG,
    FILES,
    TOKENIZER,
    WEIGHTS,
    load_model_folder,
)
from nextword.storage.files import check_own_files, read_json, replacing, sync_folder, write_json

PUBLISHED = (*FILES, CARD)
"""The names of the files that are sent and fetched; no other file is."""
REQUIRED = (CONFIG, TOKENIZER, WEIGHTS)
"""Those without which there is no model."""
BLOCK = 1 << 20
"""Bytes that are read at once."""


def published_files(folder: Path) -> list[Path]:
    """The files of a model folder that are sent."""
    return [path for name in PUBLISHED if (path := folder / name).is_file()]


def copy_files(source: Path, target: Path) -> None:
    """Copy the files of a model into an empty folder, and flush them to the disk.

    Raises:
        ModelError: one of them is a link out of its folder, or no regular file.
        NextwordError: the disk is full, or the folder cannot be written.
    """
    check_own_files(source, PUBLISHED, ModelError)
    for path in published_files(source):
        with path.open("rb") as original, replacing(target / path.name) as copy:
            shutil.copyfileobj(original, copy, BLOCK)
    sync_folder(target)


def content_digest(folder: Path) -> str:
    """SHA-256 of the names and contents of a model's files, as 64 hex digits."""
    digest = hashlib.sha256()
    for path in published_files(folder):
        digest.update(f"{path.name} {file_digest(path)}\n".encode())
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def publishable_copy(folder: Path) -> Iterator[Path]:
    """A verified copy of a model folder, without the paths of this machine, for as long as needed.

    Raises:
        ModelError: the folder holds no model, or a damaged one.
        NextwordError: the disk is full.
    """
    with TemporaryDirectory(prefix="nextword-") as temporary:
        copy = Path(temporary)
        load_model_folder(folder)  # before copying, so that errors name the user's file
        copy_files(folder, copy)
        _shorten_vectors_path(copy / CONFIG)
        load_model_folder(copy)  # a training may have replaced a file meanwhile
        yield copy


def _shorten_vectors_path(path: Path) -> None:
    """Reduce the path of pretrained vectors in ``config.json`` to the name of their file."""
    described = read_json(path, ModelError)
    vectors = described["model"].get("vectors")
    if isinstance(vectors, str):
        # which knows the separators of both kinds of systems
        described["model"]["vectors"] = PureWindowsPath(vectors).name
        write_json(path, described)
