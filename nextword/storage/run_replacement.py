"""A run folder that is made at once, of a model from elsewhere, perhaps in place of another."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nextword.errors import ConfigError
from nextword.storage.files import TEMPORARY_SUFFIX, sync_folder, unwritable
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import RunFolder


def check_replaceable(target: RunFolder, force: bool) -> None:
    """Refuse to write over a run without being told, and over anything else.

    Raises:
        ConfigError: there is one.
    """
    if not target.path.exists() or target.empty:
        return
    if not target.exists:
        raise ConfigError(f"{target.path}: exists and is not a run; choose another name")
    if not force:
        raise ConfigError(f"{target.path}: exists already; choose another name, or add --force")


@contextmanager
def replacing_run(target: RunFolder, force: bool) -> Iterator[RunFolder]:
    """A temporary folder that takes the run's place once all is written.

    Raises:
        ConfigError: there is something that must not be replaced, or a training is at work there.
        NextwordError: the folder cannot be written; the run that was there is unchanged.
    """
    temporary: Path | None = None
    try:
        target.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(
            tempfile.mkdtemp(TEMPORARY_SUFFIX, f".{target.path.name}.", target.path.parent)
        )
        new = RunFolder(temporary / "new")  # not the folder itself, which only its owner may read
        new.path.mkdir()
        yield new
        check_replaceable(target, force)  # which may have been made in the meantime
        if target.path.exists():
            with RunLock(target, lambda line: None):
                pass  # no training is at work there
            os.rename(target.path, temporary / "old")
        os.rename(new.path, target.path)
        sync_folder(target.path.parent)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                os.rename(temporary / "old", target.path)
        raise unwritable(target.path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
