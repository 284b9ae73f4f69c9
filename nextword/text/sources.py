"""The files of a text: named files, folders, and copies of what can be read only once."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from nextword.errors import TextError
from nextword.resources import find_resource

Source = str | Path | Sequence[str | Path]
"""A file, a folder, ``-`` for standard input, or several of these."""

_RUNNING_TEXT = tuple(
    ".txt .txt.gz .text .html .htm .xhtml .md .markdown .srt .vtt .epub .docx".split()
)
_RECORDS = tuple(".jsonl .ndjson .json .csv .tsv".split())
SUFFIXES = (*_RUNNING_TEXT, *_RECORDS)
"""Of files that are likely to hold text."""


def text_files(path: Source, report: Callable[[str], None] | None = None) -> list[Path]:
    """The files of a text: for a folder those of :func:`folder_files` that are not empty.

    Standard input and pipes, which can be read only once, are copied to a temporary file.

    Args:
        path: where the text is.
        report: called with a line about the empty files of a folder, if there are any.

    Raises:
        TextError: a file is missing, empty or unreadable.
    """
    sources = [path] if isinstance(path, (str, Path)) else list(path)
    if not sources:
        raise TextError("no text is named: give a file, a folder, or - for standard input")
    report = report or (lambda line: None)
    return [file for source in sources for file in _files_of(source, report)]


def _files_of(source: str | Path, report: Callable[[str], None]) -> list[Path]:
    file = Path(source)
    try:
        if file.is_dir():
            return _without_empty(file, folder_files(file, report), report)
        if str(source) == "-" or (file.exists() and not file.is_file()):
            file = spool(str(source))
        elif not file.exists():
            file = shipped_text(source) or file
            if not file.exists():
                raise TextError(f"{file}: no such file or folder; {_hint(file)}")
        if _is_empty(file):
            raise TextError(f"{display_name(file)} is empty; give a text with words in it")
    except (OSError, ValueError) as error:
        raise TextError(f"{file}: cannot be read ({failure(error)})") from error
    return [file]


def shipped_text(source: str | Path) -> Path | None:
    """The text that ships under this name, such as ``data/napoleon.txt``; None for other names."""
    path = Path(source)
    return find_resource("data", path.name) if path.parent == Path("data") else None


def _hint(missing: Path) -> str:
    if missing.parent == Path() and shipped_text(Path("data") / missing):
        return f"the text of that name that ships is data/{missing.name}"
    return "check the path"


def _without_empty(folder: Path, files: list[Path], report: Callable[[str], None]) -> list[Path]:
    empty = [file for file in files if _is_empty(file)]
    if len(empty) == len(files):
        raise TextError(
            f"{folder}: every file in the folder is empty; give a text with words in it"
        )
    if empty:
        report(f"{_named(empty)}: empty, left out")
    return [file for file in files if file not in set(empty)]


def _is_empty(file: Path) -> bool:
    with file.open("rb") as stream:
        return not stream.read(1)


def folder_files(folder: Path, report: Callable[[str], None] | None = None) -> list[Path]:
    """A folder's files of running text, sorted; its tables and JSON if it has no others.

    Args:
        folder: the folder, whose hidden files and folders are passed over.
        report: called with a line about tables and JSON that are left out.

    Raises:
        TextError: there are none.
    """
    visible = sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    texts = [file for file in visible if file.name.lower().endswith(_RUNNING_TEXT)]
    records = [file for file in visible if file.name.lower().endswith(_RECORDS)]
    if not texts and not records:
        raise TextError(
            f"{folder}: the folder holds no text; its files should end in {', '.join(SUFFIXES)}"
        )
    if texts and records and report is not None:
        report(f"{_named(records)}: left out (to read such files, name them with --text)")
    return texts or records


def _named(files: Sequence[Path]) -> str:
    """The first few of some files, and how many more there are."""
    names = ", ".join(display_name(file) for file in files[:3])
    return names + (f" and {len(files) - 3:,} more" if len(files) > 3 else "")


def failure(error: Exception) -> str:
    """Why a file could not be read, in the system's words."""
    return getattr(error, "strerror", None) or str(error)


_spooled: dict[str, Path] = {}


def spool(source: str) -> Path:
    """Copy ``source`` (``-``: standard input) to a file, once; later calls return the same file.

    The file is removed when the program ends.

    Raises:
        TextError: standard input is closed.
        OSError: the copy cannot be written.
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
    """The file's path from the working folder if it lies there, undecodable bytes replaced."""
    name = str(file)
    with contextlib.suppress(ValueError, OSError):
        name = str(file.relative_to(Path.cwd()))
    for source, copy in _spooled.items():
        if copy == file:
            name = "standard input" if source == "-" else source
    return name.encode("utf-8", "replace").decode()


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)
