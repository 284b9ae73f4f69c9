"""Atomic files: a reader finds the old content or the new, never half of either."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from nextword.errors import NextwordError

TEMPORARY_SUFFIX = ".tmp"
"""Suffix of a file that is still being written; such a name begins with a dot."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A temporary file that replaces ``path`` once it is complete and on the disk.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    import tempfile

    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(TEMPORARY_SUFFIX, f".{path.name}.", path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if temporary is not None:  # also after a Ctrl-C
            with suppress(OSError):
                os.unlink(temporary)
    # without this, a power failure may undo the rename
    sync_folder(path.parent)


def unwritable(path: Path, error: OSError) -> NextwordError:
    """The error for a ``path`` that cannot be written, with a remedy."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "free some space or choose another folder" if full else "choose another folder"
    return NextwordError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of a killed process; no other process may be writing there."""
    for path in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        with suppress(OSError):
            path.unlink()


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write temporary, flush to the disk, then rename over ``path``.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """A stream to a path that a user named: links are followed, a pipe or device is written to.

    Raises:
        NextwordError: it cannot be written; a regular file that was there is unchanged.
    """
    target = path.resolve()
    if not target.exists() or target.is_file():
        with replacing(target) as file:
            yield file
        return
    try:
        with target.open("wb") as file:
            yield file
    except OSError as error:
        raise unwritable(path, error) from error


def write_output(path: Path, content: bytes | str) -> None:
    """Write to a path that a user named, as :func:`open_output` does."""
    with open_output(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write indented JSON atomically."""
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path, error: type[NextwordError] = NextwordError) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        error: the file cannot be read or holds no object; the message names it.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    except (ValueError, RecursionError):
        raise error(f"{path}: is not valid JSON; it is corrupt or not a nextword file") from None
    if not isinstance(content, dict):
        raise error(f"{path}: does not hold a JSON object; it is corrupt or not a nextword file")
    return content


def check_own_files(folder: Path, names: tuple[str, ...], error: type[NextwordError]) -> None:
    """Refuse files of a folder that are links out of it, devices or pipes.

    Raises:
        error: one of the files is; a device or a pipe may never end.
    """
    root = folder.resolve()
    for name in names:
        path = folder / name
        if path.is_symlink() and root not in path.resolve().parents:
            raise error(f"{path}: is a link out of its folder; put the file itself in its place")
        with suppress(OSError):
            if not stat.S_ISREG(path.stat().st_mode):
                raise error(f"{path}: is not a regular file; put one in its place")
