"""In what runs differ, and whether they were trained alike."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nextword.comparison.comparability import comparability, differing_settings
from nextword.comparison.loaded_run import LoadedRun, load_runs
from nextword.storage.metrics_log import LoggedStep, RunLog


@pytest.fixture
def opened(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> list[LoadedRun]:
    monkeypatch.chdir(kinds)
    return load_runs([Path("rnn"), Path("mixed"), Path("feedforward")])


def changed(loaded_run: LoadedRun, **sections: dict[str, object]) -> LoadedRun:
    """The same run, had it been told something else."""
    config = loaded_run.config
    assert config is not None
    result = {
        name: getattr(config, name).model_copy(update=keys) for name, keys in sections.items()
    }
    return replace(loaded_run, config=config.model_copy(update=result))


def test_settings_in_which_runs_differ(opened: list[LoadedRun]) -> None:
    settings = differing_settings(opened)
    assert settings["model.kind"] == ["rnn", "gru", "feedforward"]
    assert settings["model.context"] == [5, 5, 3]
    assert settings["mixture.ngram"] == [False, True, False]
    assert set(settings) == {"model.kind", "model.context", "mixture.ngram"}
    unknown = replace(opened[1], config=None)
    assert differing_settings([opened[0], unknown, opened[2]])["model.kind"] == [
        "rnn",
        None,
        "feedforward",
    ]


def test_what_is_compared_may_differ(opened: list[LoadedRun]) -> None:
    assert comparability(opened).sentence == "They were trained alike on the same words."
    faster = changed(opened[1], training={"learning_rate": 0.5})
    found = comparability([opened[0], faster])
    assert found.differences == [] and found.sentence == (
        "They were trained alike on the same words, at learning rates of 0.02, 0.5."
    )


def test_what_else_differs_is_named(opened: list[LoadedRun]) -> None:
    wider = changed(opened[1], model={"hidden_size": 77}, training={"threads": 8})
    assert comparability([opened[0], wider]).differences == ["model.hidden_size (24, 77)"]
    longer = replace(opened[1], log=RunLog(steps=[*opened[1].log.steps, longest(opened[1])]))
    (words,) = comparability([opened[0], longer]).differences
    assert words.startswith("words read (") and words.endswith(", 999,999)")
    assert comparability([opened[0], wider]).sentence == (
        "They were not trained alike: model.hidden_size (24, 77). This may explain the differences."
    )


def test_a_setting_counts_among_the_networks_whose_kind_has_it(opened: list[LoadedRun]) -> None:
    farther = changed(opened[2], model={"context": 7})
    assert comparability([opened[0], farther]).differences == []
    assert comparability([*opened, farther]).differences == ["model.context (5, 5, 3, 7)"]


def longest(loaded_run: LoadedRun) -> LoggedStep:
    return loaded_run.log.steps[-1].model_copy(update={"words": 999_999})


def test_a_text_is_the_same_by_its_content_and_not_by_its_place(
    opened: list[LoadedRun], kinds: Path, tiny_text: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copy(tiny_text, tmp_path / "copy.txt"))
    moved = Path(shutil.copytree(kinds / "runs" / "mixed", tmp_path / "moved"))
    config = moved / "config.yaml"
    config.write_text(config.read_text().replace(str(tiny_text), str(copied)))
    both = load_runs([Path("rnn"), moved])
    assert comparability(both).differences == []
    settings = differing_settings(both)
    assert settings["text.path"] == [tiny_text.name, copied.name]
    record = opened[1].record
    assert record is not None
    other = replace(opened[1], record=record.model_copy(update={"text_sha256": "0" * 64}))
    assert comparability([opened[0], other]).differences == ["on different texts"]


def test_what_nobody_knows_is_not_called_alike(opened: list[LoadedRun]) -> None:
    alone = replace(opened[1], config=None, name="alone")
    silent = replace(opened[2], log=RunLog(), name="silent")
    found = comparability([opened[0], alone, silent])
    assert found.differences == [] and found.unknown == ["alone", "silent"]
    assert found.sentence == (
        "Whether they were trained alike is unknown: no record of training for alone, silent."
    )


def test_ngrams_are_not_trained(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kinds)
    found = comparability(load_runs([Path("rnn"), Path("counted"), Path("feedforward")]))
    assert found.differences == found.unknown == [] and "trained alike" in found.sentence
    assert comparability(load_runs([Path("rnn"), Path("counted")])).sentence == ""
