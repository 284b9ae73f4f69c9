"""The settings that decide how a model computes, read without pydantic."""

import subprocess
import sys

import pytest

from nextword.config.architecture import Architecture
from nextword.config.schema import ModelConfig

SETTINGS = ModelConfig().model_dump(mode="json")


def test_it_has_the_values_of_the_model_section() -> None:
    architecture = Architecture.from_settings({**SETTINGS, "kind": "gru", "hidden_size": 7})
    assert (architecture.kind, architecture.hidden_size) == ("gru", 7)
    assert architecture == ModelConfig(kind="gru", hidden_size=7).architecture


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kind", "transformer", "must be one of rnn, lstm, gru, feedforward, ngram"),
        ("kind", ["lstm"], "must be one of rnn"),
        ("activation", "softplus", "must be one of tanh, sigmoid, relu"),
        ("input", None, "must be one of embedding, one_hot"),
        ("hidden_size", 0, "must be a whole number from 1 to 65,536"),
        ("hidden_size", 2.0, "must be a whole number from 1 to 65,536"),
        ("layers", True, "must be a whole number from 1 to 100"),
        ("order", 10, "must be a whole number from 1 to 9"),
        ("bias", 1, "must be true or false"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(key: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^model.{key}: {message}"):
        Architecture.from_settings({**SETTINGS, key: value})


def test_a_missing_setting_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^model\.context: must be a whole number"):
        Architecture.from_settings({key: SETTINGS[key] for key in SETTINGS if key != "context"})


@pytest.mark.parametrize(("tied", "kind"), [(True, "embedding"), (False, "one_hot")])
def test_only_an_embedding_can_be_shared_with_the_output(tied: bool, kind: str) -> None:
    assert Architecture.from_settings({**SETTINGS, "input": kind}).ties is tied


def test_it_is_read_without_pydantic() -> None:
    code = "import sys, nextword.config.architecture; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
