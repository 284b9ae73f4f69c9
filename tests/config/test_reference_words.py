"""The reference is read off the schema, and leaves nothing out."""

from nextword.config import describe_config
from nextword.config.reference import schema_keys, schema_sections


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
