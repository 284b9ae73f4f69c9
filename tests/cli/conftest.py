"""A terminal for commands that look whether they have one."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def shown_on() -> Callable[[int], bytes]:
    """Reads what a pseudo-terminal's master side shows until the other side is closed."""

    def read(master: int) -> bytes:
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:  # how Linux says that the other side has gone
            pass
        finally:
            os.close(master)
        return shown

    return read


@pytest.fixture
def on_terminal(shown_on: Callable[[int], bytes]) -> Callable[..., str]:
    """Runs a command to its end; gives what a terminal of some width shows of its stdout."""

    def run(*args: str, columns: int = 80, **variables: str) -> str:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        hidden = ("NO_COLOR", "COLUMNS", "LINES")
        environ = {name: value for name, value in os.environ.items() if name not in hidden}
        process = subprocess.Popen(
            [sys.executable, "-m", "nextword", *args],
            stdin=slave,
            stdout=slave,
            stderr=subprocess.DEVNULL,
            env={**environ, "TERM": "xterm-256color", **variables},
        )
        os.close(slave)
        shown = shown_on(master)
        assert process.wait(60) == 0, shown
        return shown.decode().replace("\r\n", "\n")

    return run


@pytest.fixture
def torch_threads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Has an entry for each time that PyTorch's threads were chosen by the idle cores."""
    chosen: list[object] = []
    monkeypatch.setattr("nextword.device.leave_busy_cores", chosen.append)
    return chosen


@pytest.fixture
def logging_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that has a line for every step of progress."""
    monkeypatch.setattr("nextword.cli.progress.LOG_INTERVAL", 0.0)
