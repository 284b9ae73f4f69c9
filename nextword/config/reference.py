"""The reference: every key of the schema with its type, limits, default and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from nextword.config.key_summary import KeySummary
from nextword.config.kinds import KINDS
from nextword.config.schema import Config, Section
from nextword.config.types import Choice

Path = tuple[str, ...]
"""The parts of a dotted key: ``("model", "hidden_size")``."""

_KINDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
}
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


@dataclass(frozen=True)
class Key:
    """One key of the schema, described in words."""

    path: Path
    kind: str
    """``a whole number``, ``one of rnn, lstm``, ``text or null``."""
    limits: str
    """``at least 0 and below 1``; empty if every value of the kind is allowed."""
    choices: tuple[str, ...]
    """All values, as ``--set`` takes them; empty where there are too many to list."""
    default: object
    meaning: str
    """The documentation, on one line."""
    first_sentence: str
    """The documentation's first sentence, without marks of formatting and the full stop."""

    @property
    def expected(self) -> str:
        """Kind and limits."""
        return f"{self.kind}, {self.limits}" if self.limits else self.kind


def schema_keys() -> Mapping[Path, Key]:
    """Every key that takes a value, in the schema's order."""
    return _schema_keys(tuple(KINDS))


@lru_cache(maxsize=1)
def _schema_keys(kinds: tuple[str, ...]) -> Mapping[Path, Key]:
    # described again once another kind is registered
    return {key.path: key for key in _keys(Config, ())}


@lru_cache(maxsize=1)
def schema_sections() -> frozenset[Path]:
    """Every section, by its path; the whole configuration is ``()``."""
    return frozenset(path[:depth] for path in schema_keys() for depth in range(len(path)))


def describe_config() -> str:
    """A Markdown table of all keys: key, type or choices, default, meaning."""
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for key in schema_keys().values():
        default = json.dumps(key.default, ensure_ascii=False)
        cells = (f"`{'.'.join(key.path)}`", key.expected, f"`{default}`", key.meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def summarize_keys() -> list[KeySummary]:
    """The keys as a shell completes them."""
    return [
        KeySummary(
            ".".join(key.path),
            [*key.choices],
            key.default if isinstance(key.default, str) else json.dumps(key.default),
            key.first_sentence,
        )
        for key in schema_keys().values()
    ]


def _keys(model: type[Section], above: Path) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _keys(field.annotation, path)
            continue
        meaning = " ".join((field.description or "").split())
        first_sentence = meaning.split(". ")[0].removesuffix(".").replace("`", "")
        kind, limits = _kind(field.annotation), _limits([*field.metadata, field.annotation])
        choices = _choices(field.annotation)
        for mark in field.metadata:
            if isinstance(mark, str):  # describes what no type can
                kind, limits = mark, ""
            elif isinstance(mark, Choice):
                kind = "one of " + ", ".join(mark.entries)
                choices = tuple(mark.entries)
                entries = (f"`{name}` ({it.meaning})" for name, it in mark.entries.items())
                meaning = f"{meaning.removesuffix('.')}: {', '.join(entries)}."
        yield Key(path, kind, limits, choices, field.get_default(), meaning, first_sentence)


def _kind(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(parts[0])
    if origin in (Union, UnionType):
        return " or ".join(_kind(part) for part in parts)
    if origin is Literal:
        return "one of " + ", ".join(map(str, parts))
    if origin is list:
        return f"a list of {_kind(parts[0])}"
    return _KINDS[annotation]


def _choices(annotation: Any) -> tuple[str, ...]:
    """The values of a type that has few."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        choices = [_choices(part) for part in parts]
        return sum(choices, ()) if all(choices) else ()
    if origin is Literal:
        return tuple(map(str, parts))
    return {bool: ("true", "false"), type(None): ("null",)}.get(annotation, ())


def _limits(marks: Iterable[Any]) -> str:
    """``at least 0 and below 1`` from the constraints among ``marks``, at any depth of
    ``Annotated`` and of unions."""
    limits = []
    for mark in marks:
        if isinstance(mark, FieldInfo):
            limits.append(_limits(mark.metadata))
        elif get_origin(mark) in (Annotated, Union, UnionType):
            inside = getattr(mark, "__metadata__", ())
            limits.append(_limits([*get_args(mark), *inside]))
        else:
            bounds = ((word, getattr(mark, name, None)) for name, word in _LIMITS.items())
            limits += [f"{word} {bound:,}" for word, bound in bounds if bound is not None]
            limits += ["not empty"] * (getattr(mark, "min_length", None) == 1)
    return " and ".join(dict.fromkeys(filter(None, limits)))
