"""A browser, and the page of a tiny model as a server gives it and as a file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from nextword.inference.model_folder import load_model_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Names under which systems install a browser that Playwright can drive."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    # none of the connections that a browser opens by itself
    options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def exported(tiny_run: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page that holds its model."""
    from nextword.export.html import html_page

    path = tmp_path_factory.mktemp("page") / "tiny.html"
    path.write_text(html_page(load_model_folder(tiny_run.path / "model")), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="session")
def served(tiny_run: SimpleNamespace) -> Iterator[str]:
    """The address of a server."""
    pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    command = [sys.executable, "-m", "nextword", "serve", str(tiny_run.path), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        yield found[0]
        process.terminate()
    assert process.returncode == 0


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """The address of the page; indirect parameters name the engine behind it."""
    found: str = request.getfixturevalue(getattr(request, "param", "exported"))
    return found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, ready; it must not have complained in the end."""
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    page.wait_for_selector("body[data-ready=true]")
    yield page
    context.close()
    assert complaints == []
