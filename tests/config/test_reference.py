"""The configuration reference: read off the schema, complete, and written down as it is."""

import importlib.util
from pathlib import Path

import pytest

from nextword.config.key_summary import key_summaries
from nextword.config.kinds import KINDS
from nextword.config.load import load_config, parse_assignments
from nextword.config.reference import (
    describe_config,
    schema_keys,
    schema_sections,
    summarize_keys,
)

ROOT = Path(__file__).resolve().parents[2]


def test_the_written_reference_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("page", ROOT / "scripts" / "describe_config.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == module.page(), "run: python scripts/describe_config.py"


def test_the_keys_that_shells_complete_are_those_of_the_schema() -> None:
    assert key_summaries() == summarize_keys(), "run: python scripts/describe_config.py"
    assert [tuple(key.key.split(".")) for key in key_summaries()] == [*schema_keys()]


def test_each_choice_is_accepted_and_so_is_the_default() -> None:
    for key in key_summaries():
        assert not key.choices or key.default in key.choices, key.key
        for value in [*key.choices, key.default]:
            needed = {"model.vectors": "v.txt"} if key.key == "model.freeze_vectors" else {}
            overrides = {**needed, **parse_assignments([f"{key.key}={value}"])}
            load_config(None, overrides, environ={})


def test_the_choices_are_those_of_the_type() -> None:
    choices = {key.key: key.choices for key in key_summaries()}
    assert choices["model.kind"] == [*KINDS]
    assert choices["mixture.ngram"] == ["true", "false", "null"]
    assert choices["training.optimizer"] == ["adamw", "sgd"]
    assert choices["windows.stride"] == choices["text.path"] == choices["training.device"] == []


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_config_loads_and_begins_with_its_command(path: Path) -> None:
    load_config(path, environ={})
    assert path.read_text(encoding="utf-8").startswith(f"# nextword train --config {path.stem}")


def test_every_field_says_what_it_means() -> None:
    undocumented = [key.path for key in schema_keys().values() if not key.meaning]
    assert undocumented == []


def test_every_key_is_a_row_of_the_table() -> None:
    head, _, *rows = describe_config().splitlines()
    assert head == "| key | type | default | meaning |"
    assert [row.split("`")[1] for row in rows] == [".".join(path) for path in schema_keys()]
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)


def test_types_limits_and_defaults_are_spelled_out() -> None:
    table = describe_config()
    assert '| `model.kind` | one of rnn, lstm, gru, feedforward, ngram | `"lstm"` |' in table
    assert (
        "| `windows.stride` | a whole number or null, at least 1 and at most 1,000,000 |" in table
    )
    assert "| `text.holdout.test` | a number, at least 0 and below 1 | `0.05` |" in table
    assert '| `training.device` | auto, cpu, cuda, cuda:N or mps | `"auto"` |' in table


def test_sections_are_all_that_holds_keys() -> None:
    assert ("text", "holdout") in schema_sections()
    assert ("model", "kind") not in schema_sections()
