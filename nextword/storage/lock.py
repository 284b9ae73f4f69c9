"""One training at a time in a run folder: a lock that the operating system drops with its process.

Apart from the run folder itself, since commands that only read need no lock.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import TracebackType

from filelock import FileLock, Timeout

from nextword.errors import ConfigError
from nextword.storage.files import unwritable
from nextword.storage.run_folder import RunFolder

_UNSUPPORTED = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)
"""What file systems without locks answer."""


class RunLock:
    """Held from :meth:`take` to :meth:`release`, or to the end of the process, however it ends.

    The file stays: if it were removed, two processes could lock two files of the same name.

    Args:
        folder: the run.
        say: called with a line if the file system does not support locks.
    """

    def __init__(self, folder: RunFolder, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        self._lock: FileLock | None = None

    def take(self) -> None:
        """Lock the run.

        Raises:
            ConfigError: another training is running in it.
            NextwordError: the folder cannot be written.
        """
        path = self.folder.lock
        # a marker file instead of a lock would outlive a killed process
        lock = FileLock(
            path,
            blocking=False,
            thread_local=False,
            fallback_to_soft=False,
            preserve_lock_file=True,
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise ConfigError(
                f"{self.folder.path}: another training is running in this run; wait for it, "
                "stop it, or choose another --run"
            ) from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise unwritable(path, error) from error
            # training without a lock is better than no training
            self.say(
                f"{path}: this file system does not support locks; train once at a time in this run"
            )
        self._lock = lock

    def release(self) -> None:
        """Let other processes train in the run."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

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
