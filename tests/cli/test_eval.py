"""``nextword eval``: a run's held-out text, or any other."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Cli = Callable[..., SimpleNamespace]
FIELDS = {
    "perplexity",
    "bits_per_character",
    "tokens",
    "unknown_rate",
    "top_1",
    "top_3",
    "top_5",
    "keystroke_savings",
    "seconds",
}


@pytest.fixture(autouse=True)
def home(tiny_run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny_run.home)
    return Path(tiny_run.home)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_held_out_part_measures_as_training_said(
    cli: Cli, tiny_run: SimpleNamespace, split: str
) -> None:
    called = cli("eval", "--split", split, "--json")
    assert called.code == 0 and called.out.count("\n") == 1
    measured = json.loads(called.out)
    assert set(measured) >= FIELDS
    wanted = getattr(tiny_run.result, f"{split}_perplexity")
    assert measured["perplexity"] == pytest.approx(wanted, rel=1e-5)
    assert 0 < measured["top_1"] <= measured["top_3"] <= measured["top_5"] <= 1
    assert 0 < measured["keystroke_savings"] < 1
    assert 200 < measured["tokens"] < 350 and isinstance(measured["tokens"], int)


def test_the_validation_part_is_the_default_and_the_bar_goes_to_stderr(cli: Cli) -> None:
    told = json.loads(cli("eval", "--json").out)
    called = cli("eval")
    rows = {line[:20].strip(): line[20:] for line in called.out.splitlines()}
    assert rows["text"].startswith("valid part of ") and f"({told['tokens']} words)" in rows["text"]
    assert rows["perplexity"] == f"{told['perplexity']:.2f}"
    assert rows["bits per character"] == f"{told['bits_per_character']:.3f}"
    assert rows["right word first"] == f"{100 * told['top_1']:.1f} %"
    assert "word/s" in called.err and "Traceback" not in called.err


def test_another_text_is_measured_whole(cli: Cli, tmp_path: Path) -> None:
    text = tmp_path / "other.txt"
    text.write_text("Napoleon was the Emperor of France.\n\nzebra zebra\n", encoding="utf-16")
    called = cli("eval", "--text", text, "--encoding", "utf-16", "--json")
    measured = json.loads(called.out)
    assert measured["tokens"] == 7 + 1 + 2 + 1
    assert measured["unknown_rate"] == pytest.approx(2 / 11)
    assert measured["top_1"] >= 6 / 11
    twice = json.loads(
        cli("eval", "--text", text, "--text", text, "--encoding", "utf-16", "--json").out
    )
    assert twice["tokens"] == 22


def test_a_model_alone_needs_a_text(cli: Cli, tiny_run: SimpleNamespace, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_run.path / "model", tmp_path / "alone")
    called = cli("eval", "--model", folder)
    assert (called.code, called.out) == (1, "")
    assert "name a --text" in called.err and called.err.count("\n") == 1
    (tmp_path / "t.txt").write_text("the small cat")
    assert cli("eval", "--model", folder, "--text", tmp_path / "t.txt").code == 0


def test_a_text_that_cannot_be_measured_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 " * 40)
    for name, args in [("none", []), ("blank", []), ("latin", ["--encoding", "utf-9"])]:
        called = cli("eval", "--text", tmp_path / f"{name}.txt", *args)
        assert called.code in (1, 2) and called.out == ""
        assert called.err.startswith("Error: ") and called.err.count("\n") == 1
