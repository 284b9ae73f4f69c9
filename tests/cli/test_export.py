"""``nextword export``: what is written, where, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Cli = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def there(kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, whose ``runs/`` has one run of each kind."""
    (tmp_path / "runs").symlink_to(kinds / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_page_is_named_after_the_run(cli: Cli, there: Path) -> None:
    called = cli("export", "mixed", "--to", "html")
    assert called.code == 0
    page = (there / "mixed.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "gru 1 x 24 + n-grams" in page
    assert called.out.startswith("wrote mixed.html (0.") and "browser" in called.out
    assert "packing the model" in called.err


def test_the_variable_chooses_the_model(
    cli: Cli, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXTWORD_MODEL", "rnn")
    assert cli("export", "--to", "html").code == 0
    assert (there / "rnn.html").is_file()


def test_json_tells_the_file_and_its_size(cli: Cli, there: Path) -> None:
    answer = json.loads(
        cli("export", "--model", "rnn", "--to", "html", "-o", "a.html", "--json").out
    )
    size = (there / "a.html").stat().st_size
    assert answer == {"file": "a.html", "bytes": size, "format": "html"}


def test_a_file_that_exists_stays_unless_forced(cli: Cli, there: Path) -> None:
    (there / "rnn.html").write_text("mine")
    refused = cli("export", "rnn", "--to", "html")
    assert (refused.code, refused.out) == (1, "")
    assert "rnn.html: exists; add --force" in refused.err
    assert (there / "rnn.html").read_text() == "mine"
    assert cli("export", "rnn", "--to", "html", "--force").code == 0
    assert (there / "rnn.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("nothing", "--to", "html"), 1, "nothing"),
        (("rnn", "--to", "pdf"), 2, "pdf"),
        (("rnn",), 2, "--to"),
        (("rnn", "--to", "html", "--out", "runs"), 2, "runs"),
    ],
)
def test_mistakes_are_named_and_write_nothing(
    cli: Cli, there: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    called = cli("export", *options)
    assert called.code == code
    assert message in called.err and "Traceback" not in called.err
    assert list(there.glob("**/*.html")) == []


@pytest.mark.parametrize("run", ["counted", "feedforward", "spaced", "tiny"])
def test_models_of_every_kind_are_exported(cli: Cli, there: Path, run: str) -> None:
    assert cli("export", run, "--to", "html").code == 0
    assert (there / f"{run}.html").stat().st_size > 50_000
