"""``nextword import``: a file of n-grams becomes a run like others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nextword import load_model
from nextword.export.arpa import export_arpa
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import RunFolder

Cli = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def arpa(kinds: Path, home: Path) -> Path:
    """The n-grams that are mixed with a network, as a file."""
    path = home / "tiny.arpa.gz"
    export_arpa(load_model(kinds / "runs" / "mixed").loaded, path)
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_imported_run_answers_like_the_model_it_came_from(
    cli: Cli, arpa: Path, kinds: Path, tiny_text: Path
) -> None:
    called = cli("import", arpa, "again", "--tokenizer", "words")
    assert (called.code, called.err) == (0, "")
    assert called.out.startswith("wrote runs/again: n-grams of 1 to 5 words: ")
    original, run = load_model(kinds / "runs" / "mixed"), load_model("again")
    ngrams = original.loaded.mixture.ngram
    assert ngrams is not None
    before = original.loaded.tokenizer.encode("Napoleon was the Emperor of")
    context = np.array([before[-4:]])
    row = ngrams.probabilities(context)[0]
    predicted = json.loads(cli("predict", "Napoleon was the Emperor of", "--json").out)
    for prediction in predicted["predictions"]:
        expected = row[original.words.index(prediction["word"])]
        assert prediction["probability"] == pytest.approx(expected, rel=1e-4)
    assert {*run.words} == {*original.words}
    assert "France" in cli("generate", "Napoleon was the Emperor of", "-n", 1, "--seed", 1).out
    assert cli("score", "Napoleon was the Emperor of France.").code == 0
    measured = json.loads(cli("eval", "again", "--text", tiny_text, "--json").out)
    assert 1 < measured["perplexity"] < 20
    described = json.loads(cli("info", "again", "--json").out)
    assert (described["model"], described["text"]) == ("ngram", None)
    assert "text             -" in cli("info", "again").out


def test_an_imported_run_is_written_again_as_the_same_file(
    cli: Cli, arpa: Path, home: Path
) -> None:
    assert cli("import", arpa, "again", "--tokenizer", "words", "--json").code == 0
    run = load_model("again")
    export_arpa(run.loaded, home / "second.arpa.gz")
    assert cli("import", "second.arpa.gz", "third", "--tokenizer", "words").code == 0
    third = load_model("third")
    assert third.words == run.words
    first = run.predict("the small", k=20)
    for one, other in zip(first, third.predict("the small", k=20), strict=True):
        assert one.probability == pytest.approx(other.probability, rel=1e-5)


def test_json_tells_the_sizes(cli: Cli, arpa: Path) -> None:
    told = json.loads(cli("import", arpa, "again", "--json").out)
    run = load_model("again")
    assert told == {
        "run": "again",
        "vocabulary_size": len(run.words),
        "ngrams": list(run.loaded.model.ngram_counts()),  # type: ignore[attr-defined]
    }
    assert run.loaded.tokenizer.kind == "whitespace"
    assert run.loaded.counts[2:].tolist() == sorted(run.loaded.counts[2:], reverse=True)


def test_a_report_of_an_imported_run_names_its_file_and_no_training(
    cli: Cli, arpa: Path, tiny_text: Path
) -> None:
    cli("import", arpa, "again")
    called = cli("report", "again", "--text", tiny_text, "--out", "page.html")
    assert called.code == 0, called.err
    page = Path("page.html").read_text()
    assert "the model was imported" in page
    assert "nextword train" not in page


@pytest.mark.parametrize("command", ["eval", "report"])
def test_what_needs_the_runs_text_asks_for_one(command: str, cli: Cli, arpa: Path) -> None:
    cli("import", arpa, "again")
    called = cli(command, "again")
    assert called.code == 1
    assert called.err == ("Error: runs/again: was imported, without a text; give one with --text\n")


def test_a_run_is_replaced_only_by_force(cli: Cli, arpa: Path, home: Path) -> None:
    assert cli("import", arpa, "again").code == 0
    before = files(home / "runs")
    called = cli("import", arpa, "again", "--lowercase")
    assert called.code == 2
    assert called.err == (
        "Error: runs/again: exists already; choose another name, or add --force\n"
    )
    assert files(home / "runs") == before
    assert cli("import", arpa, "again", "--lowercase", "--force").code == 0
    assert load_model("again").loaded.tokenizer.lowercase
    assert [path.name for path in (home / "runs").iterdir()] == ["again"]


def test_a_folder_that_is_no_run_is_never_replaced(cli: Cli, arpa: Path, home: Path) -> None:
    (home / "runs" / "photos").mkdir(parents=True)
    (home / "runs" / "photos" / "cat.png").touch()
    called = cli("import", arpa, "photos", "--force")
    assert (called.code, (home / "runs" / "photos" / "cat.png").exists()) == (2, True)
    assert "runs/photos: exists and is not a run" in called.err


def test_a_run_in_training_is_not_replaced(cli: Cli, arpa: Path, home: Path) -> None:
    cli("import", arpa, "again")
    with RunLock(RunFolder(home / "runs" / "again"), lambda line: None):
        called = cli("import", arpa, "again", "--force")
    assert called.code == 2 and "another training is running" in called.err
    assert load_model("again").predict("the")


def test_a_malformed_file_is_one_line_and_leaves_nothing(cli: Cli, home: Path) -> None:
    (home / "bad.arpa").write_text("\\data\\\nngram 1=1\n\n\\1-grams:\n-1.0 a b c\n\\end\\\n")
    called = cli("import", "bad.arpa", "bad")
    assert (called.code, called.out) == (1, "")
    assert called.err == (
        "Error: bad.arpa: line 5: a probability, 1 word and perhaps a weight are expected, "
        "not 4 fields\n"
    )
    assert not (home / "runs").exists()


def test_notes_about_a_file_go_to_stderr(cli: Cli, home: Path) -> None:
    (home / "few.arpa").write_text("\\data\\\nngram 1=7\n\n\\1-grams:\n-0.5 a\n\\end\\\n")
    called = cli("import", "few.arpa", "few")
    assert called.code == 0
    assert called.err.splitlines() == [
        "the file lacks <unk>: unknown words get no probability",
        "the file lacks </s>: ends of lines get no probability",
        "1-grams: the header says 7, there are 1",
        "the probabilities of single words sum to 0.3162, and were divided by that",
    ]
    assert load_model("few").predict("")[0].word == "a"


def test_a_full_disk_leaves_no_run(
    cli: Cli, arpa: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nextword.importing.imported_run.write_atomically", full)
    called = cli("import", arpa, "again")
    assert called.code == 1 and "runs/again: cannot be written (No space left" in called.err
    assert list((home / "runs").iterdir()) == []


def test_words_are_spelled_as_texts_are_normalised(cli: Cli, home: Path) -> None:
    decomposed = "nai\u0308ve"
    lines = ["\\data\\", "\\1-grams:", f"-0.3 {decomposed}", "-0.6 The", "-0.6 the", "\\end\\"]
    (home / "spelled.arpa").write_text("\n".join(lines), encoding="utf-8")
    assert cli("import", "spelled.arpa", "spelled", "--lowercase").code == 0
    assert load_model("spelled").words[2:] == ["na\u00efve", "The", "the"]
