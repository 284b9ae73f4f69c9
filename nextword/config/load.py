"""Flags over ``NEXTWORD_*`` variables over YAML over defaults; all problems in one error."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nextword.config import reference as describe
from nextword.config.problems import (
    Given,
    did_you_mean,
    names_any,
    problem_lines,
    refused,
    shown,
    unknown_key,
)
from nextword.config.reference import schema_keys, schema_sections
from nextword.config.schema import Config
from nextword.config.yaml_text import format_yaml, parse_yaml
from nextword.errors import ConfigError
from nextword.resources import find_resource, resource_names

_PREFIX = "NEXTWORD_"
_LARGEST_FILE = 1_000_000
"""Bytes; YAML is read slowly."""
_Values = dict[describe.Path, Given]


def load_config(
    path: Path | None = None,
    overrides: Mapping[str, object] = {},
    environ: Mapping[str, str] | None = None,
) -> Config:
    """The configuration for a run.

    Args:
        path: a YAML file; None for none.
        overrides: values from flags by dotted key; they win over everything. A value that is
            null, 0 or false is a value.
        environ: the environment's variables; None for those of this process. An empty variable
            counts as unset.

    Raises:
        ConfigError: with a line for every problem found, each naming the file, ``--set`` or the
            variable that the key comes from.
    """
    problems: list[str] = []
    given: _Values = {}
    try:
        given.update(_from_file(path))
    except ConfigError as error:
        problems.append(str(error))
    given.update(_from_environment(os.environ if environ is None else environ, problems))
    given.update(_from_flags(overrides))
    config = _validated(given, problems)
    if problems or config is None:
        raise ConfigError("\n".join(problems))
    return config


def parse_assignments(assignments: Sequence[str]) -> dict[str, object]:
    """``["model.hidden_size=512"]`` to ``{"model.hidden_size": 512}``; values are YAML.

    The last assignment to a key wins. ConfigError has a line for each that cannot be read;
    whether the key exists is for :func:`load_config` to say.
    """
    values: dict[str, object] = {}
    problems = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            problems.append(
                f"--set {assignment}: wanted KEY=VALUE, for example --set model.hidden_size=512"
            )
            continue
        try:
            values[key.strip()] = parse_yaml(text, f"--set {assignment}")
        except ConfigError as error:
            problems.append(f"{error}; put a text with special characters in quotes")
    if problems:
        raise ConfigError("\n".join(problems))
    return values


def find_config(name: str) -> Path:
    """The file ``name``; else the shipped config of that name, ``configs/`` and ``.yaml`` or not.

    ConfigError lists the shipped ones where there is neither.
    """
    given = Path(name).expanduser()
    if given.exists() and not given.is_dir():
        return given
    stem = name.removeprefix("configs/").removesuffix(".yaml")
    if found := find_resource("configs", f"{stem}.yaml"):
        return found
    known = [Path(file).stem for file in resource_names("configs") if file.endswith(".yaml")]
    listed = f" (shipped: {', '.join(known)})" if known else ""
    raise ConfigError(f"{name}: no such file and no shipped configuration{listed}")


def dump_config(config: Config) -> str:
    """The configuration as YAML, every key in the schema's order; reads back as the same."""
    return format_yaml(config.model_dump(mode="json"))


def _from_file(path: Path | None) -> _Values:
    if path is None:
        return {}
    value = parse_yaml(_file_text(path), str(path))
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{path}: holds {shown(value)}; wanted sections such as 'model:' with keys below them"
        )
    return {
        key: Given(part, str(path))
        for key, part in _leaves(value, ())
        if part is not None or key not in schema_sections()  # `model:` with all keys commented out
    }


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            raise ConfigError(
                f"{path}: is larger than {_LARGEST_FILE:,} bytes, so it is no configuration; "
                "name a text with --text"
            )
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: byte {error.start} is not UTF-8; save the file in that encoding"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> _Values:
    """Values of the ``NEXTWORD_*`` variables; what is wrong with them goes to ``problems``."""
    variables = {_PREFIX + "_".join(key).upper(): key for key in schema_keys()}
    sections = tuple(f"{_PREFIX}{path[0]}_".upper() for path in schema_sections() if path)
    values: _Values = {}
    for name, text in sorted(environ.items()):
        if name in variables and text != "":
            try:
                values[variables[name]] = Given(parse_yaml(text, name), name)
            except ConfigError as error:
                problems.append(f"{error}; put a text with special characters in quotes")
        elif name not in variables and name.startswith(sections):
            problems.append(f"{name}: unknown variable" + did_you_mean(name, variables))
    return values


def _from_flags(overrides: Mapping[str, object]) -> _Values:
    values: _Values = {}
    for key, value in overrides.items():
        path = tuple(key.split("."))
        inside = path in schema_sections() and isinstance(value, Mapping)
        leaves = _leaves(value, path) if inside else [(path, value)]
        values.update({leaf: Given(part, "--set") for leaf, part in leaves})
    return values


def _leaves(value: Any, above: describe.Path) -> Iterator[tuple[describe.Path, object]]:
    """The values below a section, by key; goes no deeper than the schema's sections do."""
    for name, part in value.items():
        path = (*above, str(name))
        if path in schema_sections() and isinstance(part, Mapping):
            yield from _leaves(part, path)
        else:
            yield path, part


def _validated(given: _Values, problems: list[str]) -> Config | None:
    """The configuration, or None with what is wrong added to ``problems``."""
    astray = [p for p in given if any(p[:depth] in schema_keys() for depth in range(len(p)))]
    problems.extend(unknown_key(path, given[path].source) for path in astray)
    placed = {path: it for path, it in given.items() if path not in astray}
    try:
        return Config.model_validate(_tree(placed))
    except ValidationError as error:
        lines = problem_lines(error, placed) + _problems_behind(error, placed)
        problems.extend(dict.fromkeys(lines))
        return None


def _problems_behind(error: ValidationError, given: _Values) -> list[str]:
    """What does not go together in sections of which pydantic has seen a wrong key and no more."""
    wrong = refused(error)
    sound = {
        path: it
        for path, it in given.items()
        if not any(path[: len(each)] == each for each in wrong)
    }
    try:
        Config.model_validate(_tree(sound))
    except ValidationError as further:
        # what speaks of a wrong key may well be right once that is mended
        return [line for line in problem_lines(further, sound) if not names_any(line, wrong)]
    return []


def _tree(given: _Values) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(given, key=len):  # a section's own wrong value before what lies in it
        _insert(tree, path, given[path].value)
    return tree


def _insert(tree: dict[str, Any], path: describe.Path, value: object) -> None:
    """Put a value at its place; below something that is no section there is none, and that is
    refused for itself."""
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            return
    tree[path[-1]] = value
