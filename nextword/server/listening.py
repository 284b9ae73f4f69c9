"""Listens on a port, serves until a signal comes, and then lets running requests finish."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from nextword.errors import NextwordError
from nextword.server.guard import is_loopback

BACKLOG = 512
"""Connections that may wait to be accepted."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: a name or address of this machine.
        port: 0 for any that is free.

    Raises:
        NextwordError: the host is not this machine's, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NextwordError(f"--host {host}: {reason}") from None
    # without the protocol, asyncio leaves the delay of small packets on: 40 ms an answer
    listener = socket.socket(family, kind, protocol)
    # a port whose last connections are just closing is free
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise NextwordError(
            f"cannot listen on {host}, port {port}: {reason}; choose another with --port"
        ) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """The address for a browser; that of this machine where the socket listens on all."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::") or is_loopback(host):
        # a name that works whatever the address family, and no browser asks to make it HTTPS
        host = "127.0.0.1" if listener.family == socket.AF_INET else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: ASGIApp, listener: socket.socket, grace_seconds: float, on_stop: Callable[[], object]
) -> None:
    """Serve until SIGTERM or SIGINT; requests that run then are finished first.

    Args:
        app: answers.
        listener: where.
        grace_seconds: how long running requests may take at the end.
        on_stop: called when the signal has come.
    """
    config = uvicorn.Config(
        app,
        access_log=False,  # texts are in no log; queries would be
        log_config=None,
        log_level="error",  # anybody can send nonsense
        proxy_headers=False,  # a client could give itself any address
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=max(1, round(grace_seconds)),
    )
    server = _Server(config, on_stop)
    with _signals_ignored():
        asyncio.run(server.serve([listener]))


class _Server(uvicorn.Server):
    """Uvicorn, which says when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: object) -> None:
        if not self.should_exit:
            self._on_stop()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """A context in which uvicorn's signals end nothing but uvicorn, which raises them again."""
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, lambda number, frame: None) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
