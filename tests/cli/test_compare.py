"""``nextword compare``: several runs side by side."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Cli = Callable[..., SimpleNamespace]
SMALL = ("--memory", "--reach", "10", "--places", "5")


@pytest.fixture(autouse=True)
def there(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kinds)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("logging_all")
def test_figures_are_those_of_eval_and_of_the_run(cli: Cli) -> None:
    called = cli("compare", "tiny", "runs/mixed", "counted")
    assert called.code == 0 and "tiny: words predicted:" in called.err
    answer = json.loads(cli("compare", "tiny", "runs/mixed", "counted", "--json").out)
    assert answer["compared_by"] == "perplexity" and "claims" not in answer
    for name, run in zip(("tiny", "mixed", "counted"), answer["runs"], strict=True):
        alone = json.loads(cli("eval", "--model", name, "--json").out)
        for key in ("perplexity", "bits_per_character", "top_1", "keystroke_savings", "tokens"):
            assert run["evaluation"][key] == alone[key]
        assert f"{alone['perplexity']:.2f}" in called.out
        info = json.loads(cli("info", name, "--json").out)
        assert run["training"]["seconds"] == info["seconds"]
    named = cli("compare", "tiny", "-m", "runs/mixed", "-m", "counted", "--json")
    assert [run["name"] for run in json.loads(named.out)["runs"]] == ["tiny", "mixed", "counted"]
    table = called.out.splitlines()
    assert table[0].startswith("text  validation part of ") and "tiny.txt" in table[0]
    assert table[2].split() == ["tiny", "mixed", "counted"]
    assert "gru 1 x 24 + n-grams" in called.out and "5-gram" in called.out
    assert "perplexity against tiny" in called.out
    for name, run in zip(("tiny", "mixed", "counted"), answer["runs"], strict=True):
        only = run["only_here"]["tokens"]
        positions = f"{only:,} position{'s' * (only != 1)}"
        assert f"only {name} ranks the right word first at {positions} (" in called.out


def test_a_narrow_terminal_has_a_table_for_each_few_runs(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = cli("compare", "tiny", "mixed", "rnn").out.splitlines()
    table = lines[2 : next(i for i, line in enumerate(lines) if line.startswith("only "))]
    assert max(map(len, table)) <= 60
    heads = [line.split() for line in table if line.startswith("   ") and line.strip()]
    assert [name for head in heads for name in head] == ["tiny", "mixed", "rnn"]
    assert len(heads) > 1


def test_idle_cores_are_counted_only_for_what_torch_measures(
    cli: Cli, torch_threads: list[object]
) -> None:
    assert cli("compare", "rnn", "tiny").code == 0
    assert torch_threads == []
    assert cli("compare", "rnn", "tiny", *SMALL).code == 0
    assert len(torch_threads) == 1


def test_memory_of_networks_alone(cli: Cli) -> None:
    names = ("rnn", "mixed", "feedforward")
    called = cli("compare", *names, *SMALL)
    answer = json.loads(cli("compare", *names, *SMALL, "--json").out)
    assert called.code == 0 and "n-grams" not in called.out
    for name, run in zip(names, answer["runs"], strict=True):
        alone = json.loads(cli("explain", "--gradients", *SMALL[1:], "-m", name, "--json").out)
        assert run["memory"] == alone
    half = answer["runs"][1]["memory"]["half_life"]
    (row,) = (line for line in called.out.splitlines() if "gradient's half-life" in line)
    assert row.split()[-2] == f"{half:.3g}"
    # all but the kind is the same, and what one kind alone heeds
    assert "They were trained alike on the same words.\n" in called.out
    assert answer["trained_alike"] == {"differences": [], "unknown": []}
    assert "not trained alike: training.epochs (" in cli("compare", "tiny", "rnn", *SMALL).out


def test_runs_of_other_words_are_said_to_be_compared_otherwise(cli: Cli, tiny_text: Path) -> None:
    called = cli("compare", "rnn", "fewer")
    assert "The runs have different vocabularies" in called.out
    assert "spelled out against rnn" in called.out
    refused = cli("compare", "rnn", "spaced")
    assert refused.code == 1 and refused.out == "" and refused.err.count("\n") == 1
    assert "held out different parts of it" in refused.err
    called = cli("compare", "rnn", "spaced", "--text", tiny_text)
    assert "The runs split the text differently" in called.out
    assert "others at most" not in cli("compare", "rnn", "tiny").out
    assert "bits/char against rnn" in called.out and " correctly (" not in called.out


def test_pictures_of_either_kind(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    called = cli("compare", "rnn", "tiny", *SMALL, "--plot", tmp_path / "new", "--format", "svg")
    assert called.err.endswith(
        f"saved {tmp_path}/new/curves.svg\nsaved {tmp_path}/new/memory.svg\n"
    )
    cli("compare", "rnn", "counted", "--plot", tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "curves.svg",
        "memory.svg",
        "curves.png",
    }


@pytest.mark.usefixtures("without_matplotlib")
def test_a_missing_matplotlib_is_said_before_anything_is_read(cli: Cli, tmp_path: Path) -> None:
    called = cli("compare", "none", "tiny", "--plot", tmp_path)
    assert (called.code, called.out) == (1, "") and "nextword[plots]" in called.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "RUNS"),
        (("tiny",), "name at least two RUNS"),
        (("tiny", "runs/tiny"), "name at least two runs: these are the same one"),
        (("tiny", "rnn", "--format", "svg"), "--format goes with --plot"),
        (("tiny", "rnn", "--encoding", "latin-1"), "--encoding goes with --text"),
        (("tiny", "rnn", "--reach", "20"), "--reach goes with --memory"),
        (("tiny", "rnn", "--format", "pdf"), "--format"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(cli: Cli, args: tuple[str, ...], said: str) -> None:
    called = cli("compare", *args)
    assert (called.code, called.out) == (2, "") and said in called.err


def test_a_run_that_is_none_and_a_text_that_is_too_short(cli: Cli) -> None:
    for args, said in (
        (("tiny", "none"), "none: no such run"),
        (("tiny", "rnn", "--memory", "--reach", "5000"), "too few to look 5000 words back"),
    ):
        called = cli("compare", *args)
        assert (called.code, called.out) == (1, "") and called.err.count("\n") == 1
        assert said in called.err
