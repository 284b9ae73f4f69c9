"""``nextword report``: where the page goes, and what is said of it."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Cli = Callable[..., SimpleNamespace]
SMALL = ("--reach", "10", "--places", "5")


@pytest.fixture(autouse=True)
def there(kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with runs of its own, since a report is written into them."""
    for name in ("rnn", "mixed"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        for file in (kinds / "runs" / name).iterdir():
            (tmp_path / "runs" / name / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("logging_all")
def test_a_run_has_its_report_beside_it(cli: Cli, there: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    called = cli("report", "mixed", *SMALL)
    assert (called.code, called.out) == (0, "runs/mixed/report.html\n")
    assert (
        "words predicted" in called.err
        and "memory" in called.err
        and "text generated" in called.err
    )
    page = (there / "runs/mixed/report.html").read_text()
    # what predicts, n-grams and all
    assert page.startswith("<!DOCTYPE html>") and "gru 1 x 24 + n-grams" in page
    answer = json.loads(cli("report", "mixed", "-o", "new/page.html", *SMALL, "--json").out)
    assert answer["report"] == "new/page.html" and (there / "new/page.html").is_file()
    alone = json.loads(cli("eval", "--model", "mixed", "--json").out)
    assert answer["runs"][0]["evaluation"]["perplexity"] == alone["perplexity"]
    assert "claims" not in answer


def test_idle_cores_are_counted_only_for_what_torch_measures(
    cli: Cli, kinds: Path, torch_threads: list[object]
) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    assert cli("report", kinds / "runs/counted", "-o", "page.html").code == 0
    assert torch_threads == []
    assert cli("report", "rnn", "-o", "page.html", *SMALL).code == 0
    assert len(torch_threads) == 1


def test_several_runs_have_one_here_of_the_networks_alone(cli: Cli, there: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    called = cli("report", "rnn", "mixed", *SMALL, "--json")
    answer = json.loads(called.out)
    assert answer["report"] == "comparison.html"
    page = (there / "comparison.html").read_text()
    assert "rnn · mixed" in page and "n-grams" not in page.split("<h2")[3]
    compared = json.loads(cli("compare", "--memory", "rnn", "mixed", *SMALL, "--json").out)
    for report, table in zip(answer["runs"], compared["runs"], strict=True):
        assert report["memory"] == table["memory"]


def test_the_newest_run_is_told_of_where_none_is_named(cli: Cli) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    assert cli("report", *SMALL).out == cli("report", *SMALL).out


@pytest.mark.usefixtures("without_matplotlib")
def test_a_missing_matplotlib_is_said_before_anything_is_read(cli: Cli, there: Path) -> None:
    called = cli("report", "none")
    assert (called.code, called.out) == (1, "")
    assert called.err == "Error: pictures need matplotlib: pip install 'nextword[plots]'\n"


def test_nothing_is_left_where_a_report_cannot_be_made(cli: Cli, there: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    (there / "blank.txt").write_text(" \n")
    for args in (("none",), ("rnn", "--text", "blank.txt")):
        called = cli("report", *args, *SMALL)
        assert called.code == 1 and called.out == "" and called.err.count("\n") == 1
    assert not list(there.rglob("*.html"))


def test_a_run_may_be_named_as_in_every_other_command(
    cli: Cli, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    assert cli("report", "--model", "rnn", *SMALL).out == "runs/rnn/report.html\n"
    assert cli("report", "rnn", "-m", "mixed", *SMALL).out == "comparison.html\n"
    monkeypatch.setenv("NEXTWORD_MODEL", "mixed")
    assert cli("report", *SMALL).out == "runs/mixed/report.html\n"
