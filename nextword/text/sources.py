"""The files of a text: named files, folders, and copies of what can be read only once."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nextword.errors import TextError

Source = str | Path | Sequence[str | Path]
"""A file, a folder, ``-`` for standard input, or several of these."""

_SUFFIXES = (".txt", ".txt.gz")


def text_files(path: Source) -> list[Path]:
    """The files of a text: for a folder its .txt and .txt.gz files, sorted.

    Standard input and pipes, which can be read only once, are copied to a temporary file.

    Raises:
        TextError: a file is missing, empty or unreadable.
    """
    sources = [path] if isinstance(path, (str, Path)) else list(path)
    if not sources:
        raise TextError("no text is named: give a file, a folder, or - for standard input")
    return [file for source in sources for file in _files_of(source)]


def _files_of(source: str | Path) -> list[Path]:
    file = Path(source)
    try:
        if str(source) == "-" or (file.exists() and not file.is_file() and not file.is_dir()):
            files = [spool(str(source))]
        elif file.is_dir():
            files = folder_files(file)
        elif file.exists():
            files = [file]
        else:
            raise TextError(f"{file}: no such file or folder; check the path")
        for found in files:
            with found.open("rb") as stream:
                if not stream.read(1):
                    raise TextError(f"{display_name(found)} is empty; give a text with words in it")
    except (OSError, ValueError) as error:
        raise TextError(f"{file}: cannot be read ({failure(error)})") from error
    return files


def folder_files(folder: Path) -> list[Path]:
    """A folder's .txt and .txt.gz files, sorted. Raises TextError if there are none."""
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.name.lower().endswith(_SUFFIXES)
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not files:
        raise TextError(f"{folder}: the folder holds no .txt or .txt.gz file")
    return files


def failure(error: Exception) -> str:
    """Why a file could not be read, in the system's words."""
    return getattr(error, "strerror", None) or str(error)


_spooled: dict[str, Path] = {}


def spool(source: str) -> Path:
    """Copy ``source`` (``-``: standard input) to a file, once; later calls return the same file.

    The file is removed when the program ends. Raises OSError if it cannot be written.
    """
    if source not in _spooled:
        if source == "-" and sys.stdin is None:
            raise TextError("standard input is closed; name a file, or pipe the text in")
        handle, name = tempfile.mkstemp(prefix="nextword-", suffix=".txt")
        atexit.register(_remove, name)
        with os.fdopen(handle, "wb") as copy:
            if source == "-":
                shutil.copyfileobj(sys.stdin.buffer, copy)
            else:
                with open(source, "rb") as stream:
                    shutil.copyfileobj(stream, copy)
        _spooled[source] = Path(name)
    return _spooled[source]


def display_name(file: Path) -> str:
    """The file as the user named it, with undecodable bytes replaced."""
    name = str(file)
    for source, copy in _spooled.items():
        if copy == file:
            name = "standard input" if source == "-" else source
    return name.encode("utf-8", "replace").decode()


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)
