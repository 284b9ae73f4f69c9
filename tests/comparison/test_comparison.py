"""Runs side by side, against each measured by itself."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nextword.comparison.comparison import compare_loaded
from nextword.comparison.loaded_run import LoadedRun, load_runs
from nextword.comparison.table import rows
from nextword.errors import TextError
from nextword.evaluation.evaluator import evaluate
from nextword.interpret.memory import MemorySettings, measure_memory
from nextword.training.run import train

Contend = Callable[..., LoadedRun]
FEW = MemorySettings(reach=10, places=5)


def test_every_run_is_measured_as_it_is_alone(contend: Contend) -> None:
    result: list[tuple[str, int, int]] = []
    both = [contend("a", kind="lstm"), contend("b", kind="gru")]
    comparison = compare_loaded(both, 2, FEW, lambda *done: result.append(done))
    for run, each in zip(comparison.runs, both, strict=True):
        loaded = each.loaded
        wanted = evaluate(loaded.decoder(), each.part, loaded.tokenizer, loaded.counts, 2)
        same = [replace(measured, seconds=0.0).as_dict() for measured in (run.measured, wanted)]
        assert same[0] == same[1]
        memory = measure_memory(loaded, each.name, each.part, 10, 5)
        assert run.memory is not None and run.memory.as_dict() == memory.as_dict()
    labels = list(dict.fromkeys(what for what, _, _ in result))
    assert labels == ["a: words predicted", "b: words predicted", "a: memory", "b: memory"]
    for label in labels:
        read = [done for what, done, _ in result if what == label]
        assert read == sorted(read) and read[-1] == {t for w, _, t in result if w == label}.pop()


def test_a_run_beside_itself_differs_in_nothing(contend: Contend) -> None:
    comparison = compare_loaded([contend("a", kind="rnn"), contend("b", kind="rnn")])
    first, second = comparison.runs
    assert first.against_first is None and second.against_first is not None
    assert (second.against_first.share, second.against_first.sign) == (0, 0)
    for run in (first, second):
        assert run.unique_hits is not None and run.unique_hits.tokens == 0
    assert comparison.change(first, second).share == 0


def test_a_run_alone_has_nothing_to_differ_from(contend: Contend) -> None:
    comparison = compare_loaded([contend("a", kind="feedforward")])
    (run,) = comparison.runs
    assert run.against_first is None and run.unique_hits is None and comparison.notes == []
    assert "against" not in " ".join(row.title for row in rows(comparison))


def test_all_figures_fit_into_json(contend: Contend) -> None:
    comparison = compare_loaded(
        [contend("a", kind="lstm"), contend("b", kind="feedforward")], memory=FEW
    )
    result = json.loads(json.dumps(comparison.as_dict(), allow_nan=False))
    assert result["compared_by"] == "perplexity" and result["text"] == "a text"
    first, second = result["runs"]
    assert first["kind"] == "lstm" and second["memory"]["half_life"] is None
    assert first["training"]["validation"][2] == {"words": 300, "seconds": 1.5, "perplexity": 30.0}
    assert second["against_first"]["share"] != 0 and "only_here" in first


def test_a_text_too_short_is_said_before_anything_is_measured(contend: Contend) -> None:
    called: list[tuple[str, int, int]] = []
    with pytest.raises(TextError, match="too few to look 100 words back"):
        compare_loaded(
            [contend("a"), contend("b", words=50)],
            memory=MemorySettings(),
            progress=lambda *done: called.append(done),
        )
    assert not called


def test_ngrams_have_no_memory(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kinds)
    loaded_runs = load_runs([Path("rnn"), Path("counted")])
    network, counted = compare_loaded(loaded_runs, memory=FEW).runs
    assert network.memory is not None and counted.memory is None
    table = {row.title: row.cells for row in rows(compare_loaded(loaded_runs, memory=FEW))}
    assert table["context needed (words)"][1] == "-"


def test_a_figure_beyond_all_numbers_is_none_in_json(contend: Contend) -> None:
    wild = contend("wild", kind="lstm")
    with torch.no_grad():
        for weight in wild.loaded.network.output.parameters():
            weight.mul_(1e6)
    comparison = compare_loaded([contend("a", kind="lstm"), wild], memory=FEW)
    result = json.loads(json.dumps(comparison.as_dict(), allow_nan=False))
    assert result["runs"][1]["against_first"]["standard_error"] is None
    for row in rows(comparison):
        assert all(len(cell) < 40 for cell in row.cells), row


def test_runs_of_which_one_folds_capitals_are_compared_by_letters(
    kinds: Path, tiny_settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = {"model.kind": "lstm", "text.lowercase": True, "training.epochs": 1}
    train({**tiny_settings, **small}, run="small")
    comparison = compare_loaded(load_runs([kinds / "runs" / "rnn", Path("small")]), 3, FEW)
    assert not comparison.same_words and comparison.measure == "bits_per_character"
    assert comparison.notes == [
        "The runs spell the words of the text differently: compare them by bits per character, not "
        "by perplexity or accuracy.",
        "small: capitals are folded and need not be predicted, so these figures look better than "
        "they are.",
    ]
