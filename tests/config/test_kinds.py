"""A kind of model that is registered is known to the schema, its errors and the reference."""

import pytest

from nextword.config.kinds import KINDS, ModelKind, register_kind
from nextword.config.load import load_config
from nextword.config.reference import describe_config
from nextword.errors import ConfigError

PEEPHOLE = ModelKind("peephole", "an LSTM whose gates see the cell", "peephole ({layers})")


def test_a_registered_kind_is_as_good_as_a_built_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="ngram$"):
        load_config(None, {"model.kind": "peephole"}, {})
    monkeypatch.setitem(KINDS, "peephole", PEEPHOLE)
    assert (
        load_config(None, {"model.kind": "peephole"}, {}).model.architecture.title == "peephole (1)"
    )
    assert "feedforward, ngram, peephole | " in describe_config()
    assert "`peephole` (an LSTM whose gates see the cell)." in describe_config()
    with pytest.raises(ConfigError, match="must be one of rnn, .*, ngram, peephole$"):
        load_config(None, {"model.kind": "peephol"}, {})


def test_titles_of_the_built_in_kinds() -> None:
    titles = [
        load_config(None, {"model.kind": kind}, {}).model.architecture.title for kind in KINDS
    ]
    assert titles == ["rnn (tanh)", "lstm", "gru", "feedforward", "ngram"]


def test_a_name_is_registered_once_and_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextword.config.kinds.KINDS", dict(KINDS))
    assert register_kind(KINDS["gru"]) is KINDS["gru"]
    with pytest.raises(ValueError, match="gru: another kind"):
        register_kind(ModelKind("gru", "mine", "gru"))
    for name in ("", "GRU", "my kind", "2d"):
        with pytest.raises(ValueError, match="is made of"):
            register_kind(ModelKind(name, "mine", "mine"))
