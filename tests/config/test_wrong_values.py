"""Whatever is wrong with a configuration, its key is named, and all of it is told at once."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.config.load import _MAX_FILE_SIZE, load_config
from nextword.config.reference import schema_keys
from nextword.config.schema import Config
from nextword.config.yaml_text import parse_yaml
from nextword.errors import ConfigError

KEYS = {".".join(path): key for path, key in schema_keys().items()}
NUMBERS = [-1, -1e-9, 10**400, -(10**40), float("nan"), float("inf"), -float("inf")]
OTHERS: list[Any] = [{"a": 1}, [[1]], [None], date(2024, 1, 1), "\ud800", object]


def wrong_values(name: str) -> list[Any]:
    """Values that the key's description rules out."""
    kind = KEYS[name].kind
    wrong: list[Any] = list(OTHERS)
    if "null" not in kind:
        wrong.append(None)
    if "list" not in kind:
        wrong.append(["x"])
    if "true or false" in kind:
        return [*wrong, 2, -1, 0.5, "maybe", ""]
    if "number" in kind:
        fraction = [0.5] if "whole" in kind else []
        return [*wrong, *fraction, 1e300, 10**40, *NUMBERS, True, "many", "", [1]]
    return [*wrong, 5, 1.5, True] + ([] if kind.startswith(("text", "a list")) else ["none such"])


def complaints(overrides: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(None, overrides, {})
    return str(caught.value).split("\n")


@pytest.mark.parametrize("name", KEYS)
def test_every_wrong_value_is_one_line_with_key_value_and_what_is_allowed(name: str) -> None:
    for value in wrong_values(name):
        lines = complaints({name: value})
        assert len(lines) == 1, (value, lines)
        assert lines[0].startswith(f"--set: {name}: "), (value, lines)
        assert " is not allowed: must be " in lines[0]
        assert len(lines[0]) < 400
        result = lines[0].partition("must be ")[2].partition(";")[0]
        assert result in KEYS[name].expected or "bytes are not" in result


def test_every_key_takes_its_own_default() -> None:
    defaults = {name: key.default for name, key in KEYS.items()}
    assert load_config(None, defaults, {}) == Config()


@settings(max_examples=60)
@given(st.data())
def test_all_wrong_keys_are_named_together(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=2, max_size=5, unique=True))
    wrong = {name: data.draw(st.sampled_from(wrong_values(name))) for name in names}
    lines = complaints(wrong)
    assert sorted(line.split(": ")[1] for line in lines) == sorted(names)


@settings(max_examples=60)
@given(st.sampled_from(sorted(KEYS)), st.integers(0, 30), st.sampled_from("aeiouxz"))
def test_a_slip_of_the_pen_is_mended(name: str, place: int, letter: str) -> None:
    section, _, key = name.rpartition(".")
    place %= len(key)
    slipped = f"{section}.{key[:place]}{letter}{key[place:]}" if section else f"{name}{letter}"
    (line,) = complaints({slipped: 1})
    assert line.startswith(f"--set: {slipped}: unknown key; did you mean ")


TOGETHER: dict[str, tuple[dict[str, Any], str]] = {
    "a gap between windows": (
        {"windows.stride": 60},
        "windows: stride 60 is above length 48",
    ),
    "vectors for one-hot words": (
        {"model.input": "one_hot", "model.vectors": "v.txt"},
        "model: vectors need input: embedding",
    ),
    "nothing to freeze": ({"model.freeze_vectors": True}, "model: freeze_vectors needs vectors"),
    "too much held out": (
        {"text.holdout": {"valid": 0.5, "test": 0.45}},
        "text.holdout: valid and test together leave less than a tenth",
    ),
    "no validation file": ({"text.train": "a"}, "text: train needs a valid file"),
    "no training file": ({"text.valid": "a"}, "text: valid and test name files only"),
    "no file at all": ({"text.path": []}, "text: path is an empty list"),
    "order too long": ({"model.kind": "ngram", "model.order": 10}, "model.order: 10 is not"),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_what_does_not_go_together_is_said(name: str) -> None:
    wrong, message = TOGETHER[name]
    (line,) = complaints(wrong)
    assert line.startswith(f"--set: {message}")


def test_what_goes_together_is_told_with_all_the_rest() -> None:
    lines = complaints(
        {
            "text.train": "a",
            "text.path": "b",
            "text.encoding": "none",
            "model.freeze_vectors": True,
            "model.layers": 0,
            "model.layrs": 1,
            "windows.stride": 60,
            "windows.carry_state": "perhaps",
        }
    )
    assert [line.removeprefix("--set: ").partition(" is not")[0] for line in sorted(lines)] == [
        "model.layers: 0",
        "model.layrs: unknown key; did you mean model.layers?",
        "model: freeze_vectors needs vectors",
        "text.encoding: 'none'",
        "text: set either path or train, not both",
        "text: train needs a valid file beside it",
        "windows.carry_state: 'perhaps'",
        "windows: stride 60 is above length 48: the words between windows would never be learned",
    ]


def test_a_wrong_key_brings_no_complaint_that_its_mending_would_take_away() -> None:
    assert len(complaints({"windows.length": "sixty", "windows.stride": 60})) == 1
    assert len(complaints({"text.train": 5, "text.valid": "v.txt"})) == 1


@pytest.mark.parametrize(
    "fine",
    [
        {"training.sampled_head": 1_000_000},
        {"training.batch_size": 1_000_000},
        {"windows.stride": 48},
        {"model.kind": "ngram", "model.order": 9},
        {"model.vectors": "v.txt", "model.freeze_vectors": True},
    ],
)
def test_what_a_text_decides_is_not_refused(fine: dict[str, Any]) -> None:
    load_config(None, fine, {})


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates()
)
NAMES = st.sampled_from([part for path in schema_keys() for part in path]) | st.text(max_size=3)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def loads_or_says_why(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        load_config(path, environ={})
    except ConfigError as error:
        assert str(path) in str(error)


@settings(max_examples=150)
@given(document=DOCUMENTS)
def test_any_document_loads_or_is_refused(
    document: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    loads_or_says_why(path, yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "replace"))


@settings(max_examples=150)
@given(st.binary(max_size=40) | st.text("{}[]:-,#&*!|>'\"%@` \n\tab1.~<", max_size=30))
def test_any_bytes_load_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    loads_or_says_why(path, content if isinstance(content, bytes) else content.encode())


def test_merges_of_merges_do_not_fill_the_memory() -> None:
    levels = [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    value: Any = parse_yaml("\n".join(["a0: &a0 {k: 1, j: 2}", *levels]), "bomb")
    assert value["a11"] == {"k": 1, "j": 2}


def test_a_book_is_no_configuration(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(b"word " * (_MAX_FILE_SIZE // 5 + 1))
    with pytest.raises(ConfigError, match="is larger than 1,000,000 bytes"):
        load_config(path, environ={})
