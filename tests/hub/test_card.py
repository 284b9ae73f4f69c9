"""Model cards: metadata that the Hub reads, true figures, nothing claimed that nobody said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.errors import ConfigError
from nextword.hub.card import CardOptions, measured_results, split_card, write_card
from nextword.hub.directory import DirectoryRegistry
from nextword.hub.hugging_face import HubRepository
from nextword.hub.registry import Registry
from nextword.storage.run_folder import RunFolder

Cli = Callable[..., SimpleNamespace]
TOLSTOY = HubRepository("ann/tolstoy")


def card_of(
    home: Path, run: str, registry: Registry = TOLSTOY, **options: str | None
) -> tuple[dict[str, object], str]:
    """The metadata and the text of the card of a run's model, which is written over."""
    folder = home / "runs" / run / "model"
    write_card(folder, folder, "lstm", registry, CardOptions(**options))
    metadata, body = split_card((folder / "README.md").read_text(encoding="utf-8"), "card")
    return dict(metadata), body


def test_the_hubs_own_library_reads_the_card(home: Path, tiny_run: SimpleNamespace) -> None:
    repocard = pytest.importorskip("huggingface_hub.repocard", reason="needs nextword[hub]")
    card_of(home, "tiny", license="cc-by-4.0", language="en")
    card = repocard.ModelCard.load(home / "runs" / "tiny" / "model" / "README.md")
    data = card.data
    assert (data.library_name, data.license, data.language) == ("nextword", "cc-by-4.0", "en")
    assert {"nextword", "lstm"} <= {*data.tags}
    assert data.model_name == "tolstoy"
    validation, test = data.eval_results
    for result, split, value in (
        (validation, "validation", tiny_run.result.valid_perplexity),
        (test, "test", tiny_run.result.test_perplexity),
    ):
        assert (result.dataset_split, result.dataset_name) == (split, "tiny.txt")
        assert (result.task_type, result.metric_type) == ("text-generation", "perplexity")
        assert result.metric_value == pytest.approx(value, abs=1e-3)
    assert card.text.lstrip().startswith("Get it with `nextword pull ann/tolstoy`.")
    assert "# A next-word predictor" in card.text


def test_no_licence_and_no_language_are_claimed(home: Path) -> None:
    metadata, body = card_of(home, "tiny")
    assert not {"license", "language"} & {*metadata}
    assert body.count("nextword pull") == 1


def test_a_card_that_is_written_again_stays_one(home: Path) -> None:
    first, _ = card_of(home, "tiny", license="mit", language="de")
    second, body = card_of(home, "tiny", HubRepository("ann/other"), license="cc0-1.0")
    assert second["license"] == "cc0-1.0" and second["language"] == "de"
    assert {*first} == {*second}
    assert body.count("nextword pull") == 1 and "ann/other" in body
    _, body = card_of(home, "tiny", DirectoryRegistry(home / "shelf"))
    assert "nextword pull" not in body and str(home) not in body


def test_results_are_kept_where_the_model_has_no_run(home: Path) -> None:
    measured = card_of(home, "tiny")[0]["model-index"]
    for name in ("config.yaml", "run.json", "metrics.jsonl"):
        (home / "runs" / "tiny" / name).unlink()
    assert card_of(home, "tiny")[0]["model-index"] == measured


def test_a_model_that_was_trained_further_has_no_results_yet(home: Path) -> None:
    run = RunFolder(home / "runs" / "tiny")
    assert len(measured_results(run.model)) == 2
    steps = run.log.read().results[-1].steps
    run.log.append("valid", step=steps + 1, perplexity=2.0)
    assert measured_results(run.model) == []
    assert measured_results(home) == []


def test_metadata_of_others_is_not_taken_over(home: Path) -> None:
    readme = home / "runs" / "tiny" / "model" / "README.md"
    readme.write_text("---\nlicense: mit\nlibrary_name: transformers\nextra: 1\n---\n# Mine\n")
    metadata, body = card_of(home, "tiny")
    assert (metadata["license"], metadata["library_name"]) == ("mit", "nextword")
    assert "extra" not in metadata
    assert body.endswith("\n\n# Mine\n")


@pytest.mark.parametrize("card", ["# No metadata\n", "---\nnever closed\n", "", "---\n"])
def test_a_card_without_metadata_is_all_text(card: str) -> None:
    assert split_card(card, "card") == ({}, card)


def test_metadata_that_is_not_yaml_is_one_line() -> None:
    with pytest.raises(ConfigError, match="^card: line 2, column 5: not YAML"):
        split_card("---\na: b: c\n---\n", "card")
