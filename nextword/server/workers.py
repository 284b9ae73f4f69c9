"""The threads that compute, and the queue before them; the event loop stays free."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import anyio

from nextword.machine import usable_cores
from nextword.server.errors import RequestError
from nextword.server.limits import Limits

SLICE_SECONDS = 0.01
"""How long a worker writes at a text before it turns to another request."""

T = TypeVar("T")


class Workers:
    """A thread for each core, and a queue in which each client has half of the places at most.

    Args:
        limits: of the queue and of time.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="worker")
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def queued(self) -> int:
        """Requests in the queue."""
        with self._lock:
            return self._waiting.total()

    @property
    def full(self) -> bool:
        """Whether the queue takes no further request."""
        return self.queued >= self.limits.waiting

    async def run(self, client: str, job: Callable[[], T], admitted: bool = False) -> T:
        """The result of a job, computed by a worker.

        Args:
            client: whose request it is.
            job: runs in another thread; once begun it goes on there if this call is cancelled.
            admitted: whether the request has had its turn in the queue before.

        Raises:
            RequestError: the queue is full, or the result was not there in time.
        """
        if not admitted:
            self._admit(client)
        with self._lock:
            self._waiting[client] += 1
        future = self._pool.submit(self._begin, client, job)
        future.add_done_callback(partial(self._leave_if_cancelled, client))
        try:
            with anyio.fail_after(self.limits.seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise out_of_time(self.limits) from None

    def _begin(self, client: str, job: Callable[[], T]) -> T:
        self._leave(client)
        return job()

    def _leave(self, client: str) -> None:
        """Note that a request is in the queue no more."""
        with self._lock:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]

    def _leave_if_cancelled(self, client: str, future: Future[T]) -> None:
        if future.cancelled():
            self._leave(client)

    def _admit(self, client: str) -> None:
        if self.full:
            raise RequestError(
                "the server is busy: its queue is full", status=503, code="queue_full"
            )
        if self._waiting[client] >= self.limits.waiting // 2:
            raise RequestError(
                "too many requests at once from your address", status=429, code="too_many_requests"
            )

    async def batches(self, client: str, items: Iterator[T]) -> AsyncIterator[list[T]]:
        """The items of an iterator in batches, each computed by a worker between other requests.

        Raises:
            RequestError: see :meth:`run`.
        """
        ended, admitted = False, False
        while not ended:
            batch, ended = await self.run(client, partial(_take, items), admitted)
            admitted = True
            yield batch

    def close(self) -> None:
        """Wait for the jobs that run."""
        self._pool.shutdown(cancel_futures=True)


def out_of_time(limits: Limits) -> RequestError:
    """The answer was not there in time."""
    return RequestError(
        f"not answered within {limits.seconds:g} seconds", status=503, code="timeout"
    )


def _take(items: Iterator[T]) -> tuple[list[T], bool]:
    """The items that an iterator gives within a moment, and whether those were all."""
    until = time.monotonic() + SLICE_SECONDS
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if time.monotonic() >= until:
            return batch, False
    return batch, True
