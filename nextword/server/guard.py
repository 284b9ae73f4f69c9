"""Who may talk to the server: this machine's own pages and programs, unless it is told otherwise.

A page of another site, open in the same browser, can send requests to 127.0.0.1. It cannot hide its
Origin, and a domain name that it points at this machine (DNS rebinding) shows in Host.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nextword.server.errors import RequestError

OPEN_PATHS = frozenset({"/", "/health"})
"""Paths that need no token: the page, which brings it, and whether the server runs."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer that does not set them itself."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if host.lower().rstrip(".") == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def host_of(authority: str) -> str:
    """The host in ``host:port``, without the brackets of an IPv6 address; empty if malformed."""
    if not authority or any(mark in authority for mark in "@/?#\\"):
        return ""
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port  # malformed ones raise
        return (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""


class Guard:
    """Refuses requests of foreign pages, and those without the token where there is one.

    Args:
        app: answers the others.
        hosts: names and addresses of the server besides those of loopback.
        any_address: whether every address, as opposed to a name, is taken for the server's own.
        token: clients must send it as ``Authorization: Bearer TOKEN``.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        any_address: bool = False,
        token: str | None = None,
    ) -> None:
        self.app = app
        self.hosts = frozenset(host.strip("[]").lower() for host in hosts)
        self.any_address = any_address
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send_with_headers)
            return
        response = JSONResponse(refusal.as_dict(), refusal.status, refusal.headers)
        await response(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> RequestError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(host_of(host)):
            return RequestError(
                "the Host header does not name this server; see --allow-host", status=403
            )
        # the page's own origin, or a page of this machine
        origin = headers.get("origin")
        if origin is not None and not self._may_ask(origin.partition("://")[2], host):
            return RequestError("requests from pages of other sites are refused", status=403)
        if self.token is None or scope["path"] in OPEN_PATHS:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), self.token.encode()):
            return None
        return RequestError(
            "send the server's token as Authorization: Bearer TOKEN", status=401, code="no_token"
        )

    def _is_own(self, host: str) -> bool:
        named = is_loopback(host) or host in self.hosts
        return named or (self.any_address and _address(host) is not None)

    def _may_ask(self, origin: str, host: str) -> bool:
        name = host_of(origin)
        return is_loopback(name) or name in self.hosts or (bool(name) and origin == host)
