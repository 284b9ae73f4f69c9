"""Remembers which folders were verified, so that unchanged ones need not be verified again.

The notes are in the user's cache, never beside the files: a folder cannot vouch for itself. A file
counts as unchanged while its identity, size and times are the same, as in git's index. Without a
usable cache, folders are verified every time.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from nextword import __version__
from nextword.errors import NextwordError
from nextword.storage.cache_folder import default_cache
from nextword.storage.files import write_atomically

_SCHEMA = 1
SETTLED_NS = 2_000_000_000
"""Age from which a file's time differs from that of any later change (FAT counts in 2 s)."""
_MAX_BYTES = 1 << 16
"""Maximum length of an entry."""
_CHECKED = 16
"""Entries checked for a folder that is gone, whenever one is written."""


class Signature(NamedTuple):
    """The state of a folder's files at one moment, without their contents."""

    files: dict[str, list[int] | None]
    """Device, inode, size, mtime and ctime (both in ns) by name; None for a missing file."""
    settled: bool
    """Whether any later change will show, since no file had changed just before that moment."""


def signature(folder: Path, names: Iterable[str]) -> Signature:
    """The signature of some files of a folder; take it before reading them."""
    now = time.time_ns()
    files = {name: _stat(folder / name) for name in names}
    times = [changed for stat in files.values() if stat is not None for changed in stat[3:]]
    return Signature(files, max(times, default=0) <= now - SETTLED_NS)


def _stat(path: Path) -> list[int] | None:
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return None
    return [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def is_verified(folder: Path, names: Iterable[str]) -> bool:
    """Whether these files of a folder were verified by this version and are unchanged since."""
    return _read(_entry(folder)) == _content(folder, signature(folder, names))


def mark_verified(folder: Path, names: Iterable[str], before: Signature) -> None:
    """Remember that files were verified, unless one changed meanwhile or just before.

    Args:
        folder: the folder.
        names: the files.
        before: their :func:`signature` from before they were read.
    """
    if not before.settled or signature(folder, names).files != before.files:
        return
    with suppress(NextwordError, OSError):
        entry = _entry(folder)
        write_atomically(entry, json.dumps(_content(folder, before)))
        _clean(entry.parent)


def _entry(folder: Path) -> Path:
    """The file of the cache with the note on a folder."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:40]
    return default_cache() / "verified" / f"{name}.json"


def _content(folder: Path, verified: Signature) -> dict[str, Any]:
    return {
        "schema": _SCHEMA,
        "nextword": __version__,
        "folder": os.path.realpath(folder),
        "files": verified.files,
    }


def _read(entry: Path) -> dict[str, Any] | None:
    """The content of an entry; None if it is missing or damaged."""
    try:
        with open(entry, "rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _clean(cache: Path) -> None:
    """Remove some of the entries whose folder is gone."""
    entries = list(cache.iterdir())
    # not the shared generator, whose numbers a caller may count on
    for entry in random.Random().sample(entries, min(len(entries), _CHECKED)):
        folder = (_read(entry) or {}).get("folder")
        if not isinstance(folder, str) or not os.path.isdir(folder):
            entry.unlink(missing_ok=True)
