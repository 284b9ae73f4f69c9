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
    note = "open it in a browser"
    assert answer == {"file": "a.html", "bytes": size, "format": "html", "note": note}


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
        (("rnn", "--to", "html", "--max-ngrams", "5"), 2, "goes with --to arpa"),
        (("mixed", "--to", "arpa", "--prune", "0,x"), 2, "is not like 0,1,2"),
        (("mixed", "--to", "arpa", "--prune", "0,2,1"), 2, "never fall"),
        (("rnn", "--to", "arpa"), 1, "n-grams"),
        (("counted", "--to", "onnx"), 1, "has no network"),
    ],
)
def test_mistakes_are_named_and_write_nothing(
    cli: Cli, there: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    called = cli("export", *options)
    assert called.code == code
    assert message in called.err and "Traceback" not in called.err
    assert [path.name for path in there.iterdir()] == ["runs"]


@pytest.mark.parametrize("run", ["counted", "feedforward", "spaced", "tiny"])
def test_models_of_every_kind_are_exported(cli: Cli, there: Path, run: str) -> None:
    assert cli("export", run, "--to", "html").code == 0
    assert (there / f"{run}.html").stat().st_size > 50_000


def test_n_grams_are_written_for_other_programs(cli: Cli, there: Path) -> None:
    called = cli("export", "mixed", "--to", "arpa", "--prune", "0,0,1", "-o", "few.arpa.gz")
    assert called.code == 0, called.err
    assert "; n-grams of 1 to 5 words: " in called.out and "the network has no place" in called.out
    fewer = json.loads(cli("export", "counted", "--to", "arpa", "--max-ngrams", "9", "--json").out)
    assert fewer["file"] == "counted.arpa"
    head = (there / "counted.arpa").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert sum(int(line.split("=")[1]) for line in head[2:]) <= 9


def test_the_network_is_written_for_onnx_runtimes(cli: Cli, there: Path) -> None:
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    called = cli("export", "mixed", "--to", "onnx")
    assert called.code == 0, called.err
    assert (there / "mixed.onnx").stat().st_size > 1_000
    assert "lacks the n-grams" in called.out
