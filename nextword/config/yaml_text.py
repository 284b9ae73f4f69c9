"""YAML to values and back: safe types only, no duplicate keys, and ``1e-3`` is a number.

A loader of our own on PyYAML's: it reports all duplicate keys at once with their lines, and bounds
nesting and merges, so that a small file cannot exhaust the memory. Loaders of other packages that
refuse duplicate keys stop at the first and bound neither.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from nextword.errors import ConfigError

_FLOAT_TAG = "tag:yaml.org,2002:float"
# YAML 1.1, which PyYAML follows, requires a point in every float; YAML 1.2 does not.
_FLOAT_WITHOUT_POINT = re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$")
_MAX_DEPTH = 50
_MERGE_TAG = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """SafeLoader that collects duplicate keys and gives the position of every invalid value."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.duplicates: list[tuple[str, yaml.Mark]] = []
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise RecursionError
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE_TAG:
                continue
            if (key.tag, key.value) in keys:
                self.duplicates.append((key.value, key.start_mark))
            keys.add((key.tag, key.value))
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: Any) -> None:
        super().flatten_mapping(node)
        # without this, merges of merges multiply the keys until the memory is full
        unique = {
            (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key): (key, value)
            for key, value in node.value
        }
        node.value = list(unique.values())

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"not a value of its type ({error})", node.start_mark
            ) from error


class _Dumper(yaml.SafeDumper):
    """SafeDumper that quotes strings which :class:`_Loader` would read as numbers."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # other styles write rare line breaks (U+0085) verbatim, and reading loses them
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, "" if text.isprintable() else '"')


_Dumper.add_representer(str, _represent_text)

for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver(_FLOAT_TAG, _FLOAT_WITHOUT_POINT, list("-+0123456789"))


def parse_yaml(text: str, source: str) -> object:
    """The value of a YAML text.

    Args:
        text: one YAML document.
        source: where it comes from, for the message.

    Raises:
        ConfigError: the text is not valid; the message names source, line and column.
    """
    loader = None
    try:
        loader = _Loader(text)
        value: object = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{_position(mark)}: " if mark else ""
        raise ConfigError(f"{source}: {place}not YAML: {_sentence(error)}") from None
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{source}: not YAML: {reason}") from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()
    if loader.duplicates:
        raise ConfigError(
            "\n".join(
                f"{source}: {_position(mark)}: {key!r} is given twice; keep one of them"
                for key, mark in loader.duplicates
            )
        )
    return value


def format_yaml(value: object) -> str:
    """YAML text that :func:`parse_yaml` reads back as ``value``, keys in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def _position(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _sentence(error: yaml.MarkedYAMLError) -> str:
    parts = (part for part in (error.context, error.problem) if part)
    return " ".join(", ".join(parts).split())
