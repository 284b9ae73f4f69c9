"""What can be read only once (standard input, a pipe), kept in a temporary file."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

_spooled: dict[str, Path] = {}


def spool(source: str) -> Path:
    """A file with the bytes of ``source`` (``-``: standard input), the same one at every call.

    The file is removed when the program ends. OSError where it cannot be written.
    """
    if source not in _spooled:
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
    """The file as the user named it; bytes of a name that are no text are replaced."""
    name = str(file)
    for source, copy in _spooled.items():
        if copy == file:
            name = "standard input" if source == "-" else source
    return name.encode("utf-8", "replace").decode()


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)
