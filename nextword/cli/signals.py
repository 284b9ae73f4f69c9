"""Ctrl-C and a polite kill end a training after the step under way; a second ends it at once.

So does a terminal that is closed, where nobody asked for that to be ignored.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from nextword.cli.terminal import say


class EndAtOnce(KeyboardInterrupt):
    """A second signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


class StopRequest:
    """Whether a signal asked to stop, and which."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        return self.signal is not None


@contextmanager
def stopping_on_signals() -> Iterator[StopRequest]:
    """While inside, SIGINT, SIGTERM and SIGHUP set the request instead of ending the program."""
    request = StopRequest()

    def handle(number: int, frame: FrameType | None) -> None:
        if request.signal is not None:
            raise EndAtOnce(number)
        request.signal = number
        with suppress(OSError):  # the terminal may be gone
            say("", "stopping: saving and measuring; once more to end at once", err=True)

    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
