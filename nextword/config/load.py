"""Loads a configuration: flags over ``NEXTWORD_*`` variables over YAML over defaults.

All problems are reported in one error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nextword.config.problems import (
    Given,
    did_you_mean,
    invalid_keys,
    names_any,
    problem_lines,
    shown,
    unknown_key,
)
from nextword.config.reference import Path as KeyPath
from nextword.config.reference import schema_keys, schema_sections
from nextword.config.schema import Config
from nextword.config.yaml_text import format_yaml, parse_yaml
from nextword.errors import ConfigError
from nextword.resources import find_resource, resource_names

_PREFIX = "NEXTWORD_"
_MAX_FILE_SIZE = 1_000_000
"""In bytes; YAML is slow to read."""
_Values = dict[KeyPath, Given]


def load_config(
    path: Path | None = None,
    overrides: Mapping[str, object] = {},
    environ: Mapping[str, str] | None = None,
) -> Config:
    """The configuration of a run.

    Args:
        path: a YAML file, or None.
        overrides: values from flags by dotted key, which take precedence over everything else;
            null, 0 and false are values too.
        environ: environment variables; None for those of this process. An empty variable counts
            as unset.

    Raises:
        ConfigError: one line per problem, each naming the file, ``--set`` or variable that the
            value comes from.
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

    The last assignment to a key wins. Whether the key exists is checked by :func:`load_config`.

    Raises:
        ConfigError: one line per assignment that cannot be read.
    """
    values: dict[str, object] = {}
    problems = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            problems.append(
                f"--set {assignment}: expected KEY=VALUE, for example --set model.hidden_size=512"
            )
            continue
        try:
            values[key.strip()] = parse_yaml(text, f"--set {assignment}")
        except ConfigError as error:
            problems.append(f"{error}; put text with special characters in quotes")
    if problems:
        raise ConfigError("\n".join(problems))
    return values


def find_config(name: str) -> Path:
    """The file ``name``, else the built-in configuration of that name (``quickstart``).

    Raises:
        ConfigError: there is neither; the message lists the built-in ones.
    """
    path = Path(name).expanduser()
    if path.exists() and not path.is_dir():
        return path
    stem = name.removeprefix("configs/").removesuffix(".yaml")
    if resource := find_resource("configs", f"{stem}.yaml"):
        return resource
    known = [Path(file).stem for file in resource_names("configs") if file.endswith(".yaml")]
    listed = f" (built-in: {', '.join(known)})" if known else ""
    raise ConfigError(f"{name}: no such file and no built-in configuration{listed}")


def dump_config(config: Config) -> str:
    """The configuration as YAML, every key in the schema's order; it loads as the same again."""
    return format_yaml(config.model_dump(mode="json"))


def _from_file(path: Path | None) -> _Values:
    if path is None:
        return {}
    value = parse_yaml(_file_text(path), str(path))
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{path}: holds {shown(value)}; expected sections such as 'model:' with keys below them"
        )
    return {
        key: Given(part, str(path))
        for key, part in _leaves(value, ())
        if part is not None or key not in schema_sections()  # `model:`, its keys commented out
    }


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_FILE_SIZE + 1)
        if len(content) > _MAX_FILE_SIZE:
            raise ConfigError(
                f"{path}: is larger than {_MAX_FILE_SIZE:,} bytes, so it is not a configuration; "
                "use --text for a text"
            )
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: byte {error.start} is not UTF-8; save the file in that encoding"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> _Values:
    """Values of the ``NEXTWORD_*`` variables; their problems are added to ``problems``."""
    variables = {_PREFIX + "_".join(key).upper(): key for key in schema_keys()}
    sections = tuple(f"{_PREFIX}{path[0]}_".upper() for path in schema_sections() if path)
    values: _Values = {}
    for name, text in sorted(environ.items()):
        if name in variables and text != "":
            try:
                values[variables[name]] = Given(parse_yaml(text, name), name)
            except ConfigError as error:
                problems.append(f"{error}; put text with special characters in quotes")
        elif name not in variables and name.startswith(sections):
            problems.append(f"{name}: unknown variable" + did_you_mean(name, variables))
    return values


def _from_flags(overrides: Mapping[str, object]) -> _Values:
    values: _Values = {}
    for key, value in overrides.items():
        path = tuple(key.split("."))
        is_section = path in schema_sections() and isinstance(value, Mapping)
        leaves = _leaves(value, path) if is_section else [(path, value)]
        values.update({leaf: Given(part, "--set") for leaf, part in leaves})
    return values


def _leaves(value: Any, above: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """The values below a section, by key; no deeper than the schema's sections."""
    for name, part in value.items():
        path = (*above, str(name))
        if path in schema_sections() and isinstance(part, Mapping):
            yield from _leaves(part, path)
        else:
            yield path, part


def _validated(given: _Values, problems: list[str]) -> Config | None:
    """The configuration, or None with the problems added to ``problems``."""
    # keys below a key that takes a value
    misplaced = [p for p in given if any(p[:depth] in schema_keys() for depth in range(len(p)))]
    problems.extend(unknown_key(path, given[path].source) for path in misplaced)
    placed = {path: it for path, it in given.items() if path not in misplaced}
    try:
        return Config.model_validate(_tree(placed))
    except ValidationError as error:
        lines = problem_lines(error, placed) + _hidden_problems(error, placed)
        problems.extend(dict.fromkeys(lines))
        return None


def _hidden_problems(error: ValidationError, given: _Values) -> list[str]:
    """Inconsistent keys of sections in which pydantic stopped at an invalid value."""
    invalid = invalid_keys(error)
    valid = {
        path: it
        for path, it in given.items()
        if not any(path[: len(key)] == key for key in invalid)
    }
    try:
        Config.model_validate(_tree(valid))
    except ValidationError as further:
        # a problem that names an invalid key may be gone once that key is corrected
        return [line for line in problem_lines(further, valid) if not names_any(line, invalid)]
    return []


def _tree(given: _Values) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(given, key=len):  # an invalid value of a section before its keys
        _insert(tree, path, given[path].value)
    return tree


def _insert(tree: dict[str, Any], path: KeyPath, value: object) -> None:
    """Insert a value; nothing is inserted below a value that should be a section."""
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            return
    tree[path[-1]] = value
