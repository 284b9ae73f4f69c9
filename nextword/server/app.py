"""The application: routes, refusals as JSON, counts, and what starts and ends with the server."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nextword.errors import NextwordError
from nextword.inference.threads import one_blas_thread
from nextword.server import completion_routes, routes
from nextword.server.errors import RequestError, as_refusal
from nextword.server.guard import Guard
from nextword.server.live_model import LiveModel
from nextword.server.metrics import Metrics
from nextword.server.service import Service
from nextword.server.workers import Workers

SWITCH_SECONDS = 0.0005
"""How long a worker may keep Python's interpreter from the event loop."""
ROUTES = [
    Route("/", routes.page),
    Route("/predict", routes.predict, methods=["POST"]),
    Route("/score", routes.score, methods=["POST"]),
    Route("/generate", routes.generate, methods=["POST"]),
    Route("/v1/models", completion_routes.models),
    Route("/v1/completions", completion_routes.completions, methods=["POST"]),
    Route("/health", routes.health),
    Route("/metrics", routes.metrics),
]


def create_app(
    model: LiveModel,
    page_html: Callable[[], str],
    hosts: Iterable[str] = (),
    any_address: bool = False,
    token: str | None = None,
) -> Starlette:
    """The ASGI application.

    Args:
        model: whose answers these are.
        page_html: the page, with a Content-Security-Policy of its own.
        hosts: names and addresses of the server besides those of loopback.
        any_address: whether every address is taken for the server's own.
        token: clients must send it; None lets all in.
    """
    service = Service(model, page_html)
    app = Starlette(
        routes=ROUTES,
        middleware=[
            Middleware(RequestCounter, metrics=service.metrics),
            Middleware(Guard, hosts=hosts, any_address=any_address, token=token),
        ],
        exception_handlers={
            NextwordError: _on_error,
            HTTPException: _on_http_error,
            ClientDisconnect: _on_disconnect,
        },
        lifespan=_lifespan,
    )
    app.state.service = service
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    service: Service = app.state.service
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    # a collection that goes through the vocabulary and all modules would hold every answer up
    gc.collect()
    gc.freeze()
    service.workers = Workers(service.limits)
    try:
        # sums then do not depend on the load, and no request waits for another's threads
        with one_blas_thread():
            yield
            service.workers.close()
    finally:
        service.model.close()
        gc.unfreeze()
        sys.setswitchinterval(before)


def _on_error(request: Request, error: Exception) -> Response:
    refusal = as_refusal(error)
    return JSONResponse(refusal.as_dict(), refusal.status, refusal.headers)


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = RequestError(error.detail, status=error.status_code)
    return JSONResponse(refusal.as_dict(), refusal.status, error.headers)


def _on_disconnect(request: Request, error: Exception) -> Response:
    """For the counts; nobody reads it."""
    return _on_error(request, RequestError("the client has gone", status=499))


class RequestCounter:
    """Counts requests by route and status, and measures how long they take."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self._paths = {route.path for route in ROUTES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.metrics.in_flight += 1
        try:
            await self.app(scope, receive, send_counted)
        finally:
            self.metrics.in_flight -= 1
            path = scope["path"]
            route = path if path in self._paths else "other"
            self.metrics.count(route, status, time.perf_counter() - started)
