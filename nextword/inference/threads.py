"""How many threads BLAS may use: as many as there are idle cores, or one beside other threads.

The threads of one matrix product wait for each other. If another program takes the core of one of
them, all wait, many times longer than the product takes. So the products of a single word use idle
cores only. Those of a long text use one thread each, since its positions are spread over the cores.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

from nextword.machine import running_threads, usable_cores

MOST_THREADS = 4
"""Threads of one product, at most: memory limits its speed, and more threads read it no faster."""
DECISION_SECONDS = 0.005
"""How long a measurement of the cores' load stays valid."""
SPIN_SECONDS = 0.1
"""How long BLAS's threads may busy-wait for the next product."""

_lock = threading.Lock()
_readers = 0
_before: list[int] = []
_idle, _decided_until = 1, 0.0
_helpers, _helping_until = 0, 0.0
"""Further threads of the last products, and the time by which they have surely stopped."""


def one_blas_thread() -> AbstractContextManager[None]:
    """A context in which NumPy's products use one thread; see :func:`blas_threads`."""
    return blas_threads(1)


def idle_blas_threads() -> AbstractContextManager[None]:
    """A context in which NumPy's products use the idle cores; see :func:`blas_threads`."""
    return blas_threads(_idle_threads())


@contextmanager
def blas_threads(number: int) -> Iterator[None]:
    """A context in which NumPy's products use a number of threads.

    It may be nested, and be open in several threads at once: the first to enter decides, the last
    to leave restores the number.
    """
    global _readers, _before, _helpers, _helping_until
    with _lock:
        if _readers == 0:
            _before = [library.get_num_threads() for library in _libraries()]
            _set_threads([number] * len(_before))
        _readers += 1
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if _readers == 0:
                _set_threads(_before)
                if number > 1:
                    _helpers, _helping_until = number - 1, time.monotonic() + SPIN_SECONDS


@cache
def _libraries() -> list[Any]:
    """The BLAS libraries of this process."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def _set_threads(numbers: list[int]) -> None:
    for library, number in zip(_libraries(), numbers, strict=True):
        if library.get_num_threads() == number:
            continue
        # since threadpoolctl 3.8, only the first thread to set a number may change it
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)
        library.set_num_threads(number)
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


def _idle_threads() -> int:
    """Threads for one product: as many as there are idle cores; one if that is unknown."""
    global _idle, _decided_until
    now = time.monotonic()
    if now >= _decided_until:
        usable, running = usable_cores(), running_threads()
        own = 1 + (_helpers if now < _helping_until else 0)
        others = math.inf if running is None else max(0, running - own)
        _idle = int(max(1, min(MOST_THREADS, usable, (os.cpu_count() or 1) - others)))
        _decided_until = now + DECISION_SECONDS
    return _idle
