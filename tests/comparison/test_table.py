"""The table of a comparison."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nextword.comparison.comparison import Comparison, compare_loaded
from nextword.comparison.loaded_run import LoadedRun, load_runs
from nextword.comparison.table import rows
from nextword.interpret.memory import MemorySettings

Contend = Callable[..., LoadedRun]
FEW = MemorySettings(reach=10, places=5)


def table(comparison: Comparison) -> dict[str, list[str]]:
    return {row.title: row.cells for row in rows(comparison)}


def test_rows_have_a_cell_for_every_run(contend: Contend) -> None:
    comparison = compare_loaded(
        [contend("a", kind="lstm"), contend("b", kind="feedforward")], memory=FEW
    )
    table = {row.title: row.cells for row in rows(comparison)}
    assert all(len(cells) == 2 for cells in table.values())
    assert table["model"] == ["lstm 2 x 10", "feedforward 2 x 10"]
    measured = comparison.runs[0].measured
    error = measured.standard_errors["perplexity"]
    assert table["perplexity"][0] == f"{measured.perplexity:,.2f} ± {error:.2f}"
    assert table["perplexity against a"][0] == "-" and "±" in table["perplexity against a"][1]
    assert float(table["gradient's half-life (words)"][0]) > 0
    assert [memory.words_needed for memory in comparison.memories] == [None, 2]
    assert table["context needed (words)"] == ["> 10", "2"]
    assert table["gradient's half-life (words)"][1] == "-"
    assert table["training time"] == ["-", "-"] and table["words read in training"] == [
        "300",
        "300",
    ]


def test_training_is_told_as_the_run_logged_it(
    kinds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kinds)
    found = load_runs([Path("rnn"), Path("counted"), Path("mixed")])
    answer = table(compare_loaded(found))
    assert [cell.split()[0] for cell in answer["model"]] == ["rnn", "5-gram", "gru"]
    assert answer["model"][2].endswith(" + n-grams")
    log = found[0].log
    assert log.result is not None and log.result.seconds is not None and log.words is not None
    assert answer["words read in training"][0] == f"{log.words:,}"
    assert answer["training time"][0] == f"{log.result.seconds:,.1f} s"
    assert "gradient's half-life (words)" not in answer and "  spelled out" not in answer


def test_what_nobody_knows_is_a_dash(contend: Contend) -> None:
    silent = replace(contend("a"), log=replace(contend("a").log, validations=[]))
    answer = table(compare_loaded([silent, contend("b")]))
    for title in ("words read in training", "training time", "training words/s"):
        assert answer[title][0] == "-"


def test_unknown_words_that_differ_are_spelled_out(
    kinds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kinds)
    comparison = compare_loaded(load_runs([Path("rnn"), Path("fewer")]))
    answer = table(comparison)
    spelled = comparison.runs[1].measured.perplexity_spelled_out
    assert answer["  spelled out"][1].startswith(f"{spelled:,.2f}")
    assert (
        answer["spelled out against rnn"][0] == "-" and "%" in answer["spelled out against rnn"][1]
    )
