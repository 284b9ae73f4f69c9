"""A directory as a registry: on a shared disk, a stick, or under any file server.

``revisions/<digest>/`` holds a model folder each, named by the SHA-256 of its files, and ``latest``
the name of the one that was pushed last. A revision is never changed, and appears by one rename.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from nextword.errors import ModelError, NextwordError
from nextword.hub.files import PUBLISHED, REQUIRED, content_digest, copy_files
from nextword.hub.registry import Fetched, Registry
from nextword.storage.files import TEMPORARY_SUFFIX, sync_folder, unwritable, write_atomically

REVISIONS, LATEST = "revisions", "latest"
_REVISION = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 1 << 10
"""Of ``latest`` that are read."""


class DirectoryRegistry(Registry):
    """A registry below a path.

    Args:
        path: its directory, which ``publish`` creates.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def location(self) -> str:
        return str(self.path) if self.path.is_absolute() else f".{os.sep}{self.path}"

    def publish(self, folder: Path, private: bool = True) -> str:
        self._check_free()
        revision = content_digest(folder)
        target = self.path / REVISIONS / revision
        if not target.is_dir():
            _add(folder, target)
        if content_digest(target) != revision:
            raise NextwordError(f"{target}: is damaged; remove it and push again")
        write_atomically(self.path / LATEST, f"{revision}\n")
        return revision

    def _check_free(self) -> None:
        """Refuse to write into a directory that is something else.

        Raises:
            NextwordError: it is.
        """
        if self.path.is_dir():
            there = {entry.name for entry in self.path.iterdir()}
            taken = bool(there) and REVISIONS not in there
        else:
            taken = self.path.exists()
        if taken:
            raise NextwordError(
                f"{self.path}: exists and is no directory that push made; choose a new one"
            )

    def fetch(self, target: Path, revision: str | None = None) -> Fetched:
        revision = revision or self._latest()
        source = self.path / REVISIONS / revision
        if not _REVISION.fullmatch(revision) or not source.is_dir():
            raise ModelError(f"{self.path}: has no revision {revision}")
        if missing := [name for name in REQUIRED if not (source / name).is_file()]:
            raise ModelError(f"{source}: holds no model: {missing[0]} is missing")
        copy_files(source, target)
        if content_digest(target) != revision:
            raise ModelError(f"{source}: is damaged: its files do not match their SHA-256")
        names = {entry.name for entry in source.iterdir()}
        return Fetched(revision, sorted(names - {*PUBLISHED}))

    def _latest(self) -> str:
        """The name of the newest revision.

        Raises:
            ModelError: there is none.
        """
        if not self.path.is_dir():
            raise ModelError(f"{self.path}: no such directory")
        try:
            with (self.path / LATEST).open("rb") as file:
                return file.read(_MAX_BYTES).decode("ascii", "replace").strip()
        except OSError:
            remedy = "name the directory that `nextword push` wrote"
            raise ModelError(f"{self.path}: holds no pushed model; {remedy}") from None


def _add(folder: Path, target: Path) -> None:
    """Copy a model folder to a revision's place, by one rename at the end.

    Raises:
        NextwordError: the disk is full, or the place cannot be written.
    """
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.mkdtemp(TEMPORARY_SUFFIX, ".", target.parent)
        # not that folder itself, which only its owner may read
        copy = Path(temporary, "copy")
        copy.mkdir()
        copy_files(folder, copy)
        os.rename(copy, target)
        sync_folder(target.parent)
    except OSError as error:
        if not target.is_dir():  # which another push may have made in the meantime
            raise unwritable(target, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
