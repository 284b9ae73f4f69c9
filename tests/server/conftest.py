"""The server over a tiny model, in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from nextword.server.limits import Limits

PAGE = "<!doctype html><title>the page</title>"


@pytest.fixture
def folder(kinds: Path, tmp_path: Path) -> Path:
    """A model folder of its own: a GRU with n-grams."""
    copy = tmp_path / "mixed" / "model"
    shutil.copytree(kinds / "runs" / "mixed" / "model", copy)
    return copy


@pytest.fixture
def open_client(folder: Path) -> Iterator[Callable[..., TestClient]]:
    """Opens clients of servers: by limits, hosts and token."""
    from contextlib import ExitStack

    from starlette.testclient import TestClient

    from nextword.server.app import create_app
    from nextword.server.limits import Limits
    from nextword.server.live_model import LiveModel

    with ExitStack() as stack:

        def start(limits: Limits | None = None, **options: object) -> TestClient:
            live = LiveModel(folder, limits or Limits())
            app = create_app(live, lambda: PAGE, **options)  # type: ignore[arg-type]
            client = TestClient(app, "http://127.0.0.1", raise_server_exceptions=False)
            stack.enter_context(client)
            return client

        yield start


@pytest.fixture
def client(open_client: Callable[..., TestClient]) -> TestClient:
    """A client of a server with the usual limits."""
    return open_client()


@pytest.fixture
def model(folder: Path) -> SimpleNamespace:
    """The same model as users hold it."""
    import nextword

    return SimpleNamespace(model=nextword.load_model(folder))
