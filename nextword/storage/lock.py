"""One training at a time in a run folder: a lock that dies with the process that holds it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from types import TracebackType

from nextword.errors import ConfigError
from nextword.storage.files import unwritable
from nextword.storage.run_folder import RunFolder

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_to_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class RunLock:
    """Held from :meth:`take` to :meth:`release`, or to the end of the process, however it ends.

    The file stays behind: removing it would let two processes lock two files of the same name.

    Args:
        folder: the run; it must exist.
        say: is told if the file system knows no locks.
    """

    def __init__(self, folder: RunFolder, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        self.handle: int | None = None

    def take(self) -> None:
        """Lock the run.

        Raises:
            ConfigError: another training is at work in it.
            NextwordError: the folder cannot be written.
        """
        path = self.folder.lock
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            _try_to_lock(handle)
        except OSError as error:
            if error.errno in _TAKEN:
                os.close(handle)
                raise ConfigError(
                    f"{self.folder.path}: another training is at work in this run; wait for it, "
                    "stop it, or choose another --run"
                ) from None
            # without locks training is better than no training
            self.say(f"{path}: this file system knows no locks; train once at a time in this run")
        self.handle = handle

    def release(self) -> None:
        """Let others train in the run."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def __enter__(self) -> RunLock:
        self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
