"""Whatever the files of a model folder hold, the folder is read or refused in one line."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.errors import ModelError
from nextword.inference.model_folder import load_model_folder
from nextword.model import Model

NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 10**9, 10**18, 10**40])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
JSON_FILES = ["config.json", "tokenizer.json"]


@pytest.fixture(scope="module")
def folder(tiny_run: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples: each puts back what it changed."""
    home = tmp_path_factory.mktemp("any")
    return Path(shutil.copytree(tiny_run.path / "model", home / "model"))


def is_read_or_refused(folder: Path, name: str, content: bytes) -> None:
    """Load the folder with another content of one file."""
    whole = (folder / name).read_bytes()
    try:
        (folder / name).write_bytes(content)
        predictor = Model(load_model_folder(folder))
        assert sum(predictor.session().probabilities().tolist()) == pytest.approx(1, abs=1e-3)
    except ModelError as error:
        assert str(folder) in str(error) and "\n" not in str(error)
    finally:
        (folder / name).write_bytes(whole)


def places(content: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value in what JSON holds."""
    items: list[tuple[Any, Any]] = []
    if isinstance(content, dict):
        items = list(content.items())
    elif isinstance(content, list):
        items = list(enumerate(content))
    found = [(*above, key) for key, _ in items]
    return found + [path for key, value in items for path in places(value, (*above, key))]


def changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The same with another value at one place."""
    content = content.copy()
    content[path[0]] = value if len(path) == 1 else changed(content[path[0]], path[1:], value)
    return content


@settings(max_examples=80)
@given(st.sampled_from(JSON_FILES), st.data())
def test_any_value_in_the_json(folder: Path, name: str, data: st.DataObject) -> None:
    content = json.loads((folder / name).read_bytes())
    path = data.draw(st.sampled_from(places(content)))
    other = changed(content, path, data.draw(VALUES))
    is_read_or_refused(folder, name, json.dumps(other).encode())


@settings(max_examples=80)
@given(st.sampled_from([*JSON_FILES, "model.safetensors", "mixture.json"]), st.data())
def test_any_bytes_in_any_file(folder: Path, name: str, data: st.DataObject) -> None:
    whole = (folder / name).read_bytes()
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 9)) | st.just(len(whole)))
    put = data.draw(st.binary(max_size=9))
    is_read_or_refused(folder, name, whole[:begin] + put + whole[end:])
