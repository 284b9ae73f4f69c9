"""``nextword eval``: a run's held-out text, or any other."""

import json
import math
import shutil
import subprocess
import sys
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


@pytest.mark.usefixtures("logging_all")
def test_the_validation_part_is_the_default_and_the_bar_goes_to_stderr(cli: Cli) -> None:
    answer = json.loads(cli("eval", "--json").out)
    called = cli("eval")
    rows = {line[:22].strip(): line[22:] for line in called.out.splitlines()}
    assert (
        rows["text"].startswith("validation part of ")
        and f"({answer['tokens']} words)" in rows["text"]
    )
    assert rows["perplexity"] == f"{answer['perplexity']:.2f}"
    assert rows["spelled out"] == f"{answer['perplexity_spelled_out']:.2f}"
    assert rows["bits per character"] == f"{answer['bits_per_character']:.3f}"
    assert rows["top-1 accuracy"].split("  ")[0] == f"{100 * answer['top_1']:.1f} %"
    assert rows["top-1 accuracy"].endswith(f" {100 * answer['real_words']['top_1']:.1f} %")
    most = f"of at most {100 * answer['keystroke_savings_limit']:.1f} %, with 3 suggestions"
    assert rows["keystrokes saved"].endswith(most)
    assert "words/s" in rows["time"]
    assert "words predicted: " in called.err and "Traceback" not in called.err
    # too few words to say how far the figures are off
    assert "±" not in called.out and answer["standard_errors"]["perplexity"] is None


def test_without_a_gpu_nothing_of_it_needs_torch(cli: Cli) -> None:
    code = """
import sys
from nextword import machine
from nextword.cli import main
machine.may_have_gpu = lambda: False
try:
    main(["eval", "--details", "--baselines", "--json"])
except SystemExit as exit:
    assert exit.code == 0
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    wanted = json.loads(cli("eval", "--device", "cpu", "--json").out)
    assert measured["perplexity"] == pytest.approx(wanted["perplexity"])
    assert measured["baselines"]


@pytest.fixture
def long_text(tiny_text: Path, tmp_path: Path) -> Path:
    """The tiny text, some words put in that the vocabulary lacks."""
    path = tmp_path / "long.txt"
    path.write_text(tiny_text.read_text().replace("aloud", "zebra").replace("nobody", "Nobody"))
    return path


def test_a_longer_text_has_standard_errors(cli: Cli, long_text: Path) -> None:
    answer = json.loads(cli("eval", "--text", long_text, "--json").out)
    assert answer["blocks"] == 50 and None not in answer["standard_errors"].values()
    assert answer["perplexity_known"] < answer["perplexity"] < answer["perplexity_spelled_out"]
    assert answer["bits_per_unknown_word"] > 10
    lines = cli("eval", "--text", long_text).out.splitlines()
    rows = {line[:22].strip(): line[22:] for line in lines}
    error = answer["standard_errors"]["perplexity"]
    assert rows["perplexity"] == f"{answer['perplexity']:.2f} ± {error:.2f}"
    assert rows["top-5 accuracy"].count("±") == 2
    assert len(lines) <= 16 and max(map(len, lines[2:])) < 90


def test_details_tell_where_the_model_is_good(cli: Cli, long_text: Path) -> None:
    answer = json.loads(cli("eval", "--text", long_text, "--json").out)
    lines = cli("eval", "--text", long_text, "--details").out.splitlines()
    rows = {line[:22].strip(): line[22:].split() for line in lines}
    band = answer["by_frequency"][0]
    assert band["band"] == "unknown" and rows["unknown"][0] == str(band["tokens"])
    perplexity = band["perplexity"]
    assert rows["unknown"][3] == (f"{perplexity:,.1f}" if perplexity < 1e9 else f"{perplexity:.2e}")
    assert rows["51+"][0] == str(answer["by_position"][5]["tokens"])
    cost = answer["costliest_words"][0]
    assert cost["word"] == "<unk>"
    assert rows["<unk>"] == [str(cost["times"]), f"{cost['bits']:,.0f}", f"{cost['mean_bits']:.2f}"]


def test_the_same_text_measures_the_same(cli: Cli, long_text: Path) -> None:
    first, second = (json.loads(cli("eval", "--text", long_text, "--json").out) for _ in range(2))
    assert first.pop("seconds") > 0 and second.pop("seconds") > 0
    assert first == second


def test_fewer_suggestions_save_less(cli: Cli) -> None:
    one = json.loads(cli("eval", "--suggestions", 1, "--json").out)
    three = json.loads(cli("eval", "--json").out)
    assert (one["suggestions"], three["suggestions"]) == (1, 3)
    assert one["keystroke_savings"] < three["keystroke_savings"]
    assert one["keystroke_savings_limit"] == three["keystroke_savings_limit"]
    assert "with 1 suggestion\n" in cli("eval", "--suggestions", 1).out
    assert cli("eval", "--suggestions", 0).code == 2


def test_pictures_go_where_they_are_wanted(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    called = cli("eval", "--json", "--plot", tmp_path / "plots")
    assert called.code == 0 and called.out.count("\n") == 1
    assert math.isfinite(json.loads(called.out)["perplexity"])
    drawn = {path.name for path in (tmp_path / "plots").iterdir()}
    assert drawn == {"reliability.png", "frequency.png", "position.png", "surprisal.png"}
    assert all(name in cli("eval", "--plot", tmp_path / "plots").err for name in drawn)


@pytest.mark.usefixtures("without_matplotlib")
def test_without_matplotlib_nothing_is_measured(cli: Cli, tmp_path: Path) -> None:
    called = cli("eval", "--plot", tmp_path / "plots")
    assert (called.code, called.out) == (1, "")
    assert called.err == "Error: pictures need matplotlib: pip install 'nextword[plots]'\n"


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


def test_a_text_that_was_learned_is_said_to_be(cli: Cli, tiny_text: Path, long_text: Path) -> None:
    said = "the model was trained on this text: these figures are misleadingly good"
    assert said in cli("eval", "--text", tiny_text).err
    assert said not in cli("eval", "--text", long_text).err


def test_a_model_alone_needs_a_text(cli: Cli, tiny_run: SimpleNamespace, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_run.path / "model", tmp_path / "alone")
    called = cli("eval", "--model", folder)
    assert (called.code, called.out) == (1, "")
    assert "give one with --text" in called.err and called.err.count("\n") == 1
    (tmp_path / "t.txt").write_text("the small cat")
    assert cli("eval", "--model", folder, "--text", tmp_path / "t.txt").code == 0


def test_a_text_that_cannot_be_measured_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 " * 40)
    for name, args in [("none", []), ("blank", []), ("latin", ["--encoding", "utf-9"])]:
        called = cli("eval", "--text", tmp_path / f"{name}.txt", *args)
        assert called.code in (1, 2) and called.out == ""
        assert called.err.startswith("Error: ") and called.err.count("\n") == 1


def test_a_run_may_be_an_argument_or_the_variables(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXTWORD_MODEL", "none")
    assert cli("eval").code == 1
    assert cli("eval", "tiny").out.startswith("text ")
