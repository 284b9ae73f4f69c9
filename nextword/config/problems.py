"""Error messages of a configuration: one line per problem, with its source and a remedy."""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nextword.config.reference import Path, schema_keys, schema_sections

_MAX_SHOWN = 100
_UNKNOWN = {"extra_forbidden", "invalid_key"}
_RANGES = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


@dataclass(frozen=True)
class Given:
    """A value and its source: a file's name, ``--set`` or a variable's name."""

    value: object
    source: str


def problem_lines(error: ValidationError, given: Mapping[Path, Given]) -> list[str]:
    """One line per key that pydantic refuses, with its source from ``given``."""
    lines: dict[tuple[Path, bool], list[str]] = {}
    for detail in error.errors(include_url=False):
        # each branch of a union refuses the value; the first message is enough
        lines.setdefault(_key(detail), _lines(detail, given))
    return [line for group in lines.values() for line in group]


def invalid_keys(error: ValidationError) -> set[Path]:
    """The keys whose own value pydantic refuses."""
    keys = {_key(detail) for detail in error.errors(include_url=False)}
    return {path for path, own_value in keys if own_value}


def names_any(line: str, keys: Iterable[Path]) -> bool:
    """Whether a line names one of the keys."""
    return not set(re.findall(r"\w+", line)).isdisjoint(path[-1] for path in keys)


def unknown_key(path: Path, source: str) -> str:
    """The line for an unknown key."""
    key = ".".join(path)
    shown = key if key.isprintable() and key else repr(key)
    return f"{source}: {shown}: unknown key" + did_you_mean(key, _known_keys(), short=path[-1])


def did_you_mean(name: str, known: Iterable[str], short: str = "") -> str:
    """``; did you mean ...?`` with the closest of ``known``, or an empty text.

    Args:
        name: the unknown name.
        known: the known names.
        short: compared with the last parts of known dotted keys, so that ``hidden_size`` leads to
            ``model.hidden_size``.
    """
    candidates = list(known)
    matches = difflib.get_close_matches(name, candidates, n=1, cutoff=0.7)
    if not matches and short:
        ends = {candidate.rpartition(".")[2]: candidate for candidate in reversed(candidates)}
        matches = [ends[end] for end in difflib.get_close_matches(short, ends, n=1, cutoff=0.8)]
    return f"; did you mean {matches[0]}?" if matches else ""


def shown(value: object) -> str:
    """A value on one short line, as YAML spells it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    short = reprlib.Repr()
    short.maxstring = short.maxother = 70
    short.maxlevel = 2
    text = short.repr(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."


def _key(detail: ErrorDetails) -> tuple[Path, bool]:
    """The key of an error, and whether the error is about that key's own value.

    It is not when keys of a section are inconsistent.
    """
    place = tuple(str(part) for part in detail["loc"])
    if detail["type"] in _UNKNOWN:
        return place, True
    # parts of a value and branches of a union follow the key
    path = next(place[:depth] for depth in range(len(place), -1, -1) if _known(place[:depth]))
    return path, not (path in schema_sections() and detail["type"] == "value_error")


def _lines(detail: ErrorDetails, given: Mapping[Path, Given]) -> list[str]:
    path, own_value = _key(detail)
    if detail["type"] in _UNKNOWN:
        below = [(at, it) for at, it in given.items() if at[: len(path)] == path]
        return [unknown_key(at, it.source) for at, it in below]
    key = ".".join(path)
    if not own_value:
        reasons = str(detail["ctx"]["error"]).split("\n")
        return [f"{_sources(path, reason, given)}: {key}: {reason}" for reason in reasons]
    it = given[path]
    start = f"{it.source}: {key}: {shown(it.value)} is not allowed: must be "
    if path in schema_sections():
        return [start + "a section with keys of its own"]
    known = schema_keys()[path]
    if detail["type"] in _RANGES:
        return [start + known.limits]
    # YAML does not read 1984, no and 2024-01-01 as text
    unquoted = isinstance(it.value, bool | int | float | date) and known.kind.startswith("text")
    if detail["type"] == "string_unicode":
        return [start + "text, and its bytes are not; rename the file"]
    return [start + known.expected + ("; put it in quotes" if unquoted else "")]


def _sources(section: Path, reason: str, given: Mapping[Path, Given]) -> str:
    """The sources of inconsistent keys: of those that ``reason`` names, else of all."""
    below = {path: it for path, it in given.items() if path[: len(section)] == section}
    words = set(re.findall(r"\w+", reason))
    named = [it.source for path, it in below.items() if path[-1] in words]
    return ", ".join(dict.fromkeys(named or [it.source for it in below.values()]))


def _known(path: Path) -> bool:
    return path in schema_keys() or path in schema_sections()


def _known_keys() -> list[str]:
    paths = [*schema_keys(), *sorted(schema_sections() - {()})]
    return [".".join(path) for path in paths]
