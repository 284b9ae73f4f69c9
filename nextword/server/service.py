"""The state that all requests share."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from nextword.server.engine import Engine
from nextword.server.limits import Limits
from nextword.server.live_model import LiveModel
from nextword.server.metrics import Metrics
from nextword.server.workers import Workers


class Service:
    """The model, the workers and the counts.

    Args:
        model: whose answers these are.
        page_html: the page.
    """

    def __init__(self, model: LiveModel, page_html: Callable[[], str]) -> None:
        self.model = model
        self.page_html = page_html
        self.limits: Limits = model.limits
        self.metrics = Metrics()
        self.workers: Workers
        """Made when the server starts."""

    def engine(self) -> Engine:
        """The model that answers now; a request asks once, and keeps to it."""
        self.model.check()
        return self.model.engine


def service_of(request: Request) -> Service:
    """The service of a request's application."""
    service: Service = request.app.state.service
    return service


def client_of(request: Request) -> str:
    """The address of a request's client."""
    return request.client.host if request.client is not None else ""
