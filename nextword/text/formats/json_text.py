"""JSON and JSON Lines: the strings under one key, however deep in arrays and objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from nextword.errors import TextError
from nextword.text.decoding import plain_lines
from nextword.text.formats.columns import ADVICE, SAMPLE, choose, listed
from nextword.text.formats.extract import Extract, paragraphs_in
from nextword.text.sources import display_name

_NO_KEY = ""
"""The key of strings that stand in no object."""
_DEEPEST = 20
"""Levels of arrays and objects that are read."""
_DECODER = json.JSONDecoder()


def open_json(file: Path, encoding: str, column: str | None) -> Extract:
    """The text of a JSON or JSON Lines file.

    Keys inside objects inside others are named with dots, such as ``messages.content``.

    Raises:
        TextError: the file is not valid JSON, or ``column`` is not one of its keys.
    """
    lines = plain_lines(file, encoding)
    whole = not _is_lines(file, encoding)
    kind = "JSON" if whole else "JSONL"
    values = _whole(file, lines) if whole else _lines(file, lines)
    sample = list(islice(values, SAMPLE))
    keys: dict[str, list[str]] = {}
    for key, text in chain.from_iterable(map(_strings, sample)):
        keys.setdefault(key, []).append(text)
    name = display_name(file)
    if column is None:
        column = choose(keys, f"{name}: none of its keys")
    elif column not in keys:
        raise TextError(f"{name}: has no key {column!r} with text ({listed(keys)}); {ADVICE}")
    taken = f"{kind}, key {column!r}" if column else f"{kind}, its strings"
    return Extract(taken, _paragraphs(chain(sample, values), column))


def _paragraphs(values: Iterator[Any], column: str) -> Iterator[str]:
    for value in values:
        for key, text in _strings(value):
            if key == column:
                yield from paragraphs_in(text)


def _strings(value: Any, key: str = _NO_KEY, depth: int = 0) -> Iterator[tuple[str, str]]:
    """All strings in a value, with their keys; places in arrays are not part of a key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list) and depth < _DEEPEST:
        for element in value:
            yield from _strings(element, key, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        for name, element in value.items():
            yield from _strings(element, f"{key}.{name}" if key else name, depth + 1)


def looks_like_json(text: str, lines: list[str], cut: bool) -> bool:
    """Whether a text is JSON with objects or strings in it, or JSON Lines with an object a line.

    Lines that are strings alone are no evidence: a dialogue may have them.
    """
    filled = [line for line in lines if line.strip()]
    if len(filled) > 1 and all(isinstance(_parsed(line), dict) for line in filled):
        return True
    if not cut:
        value = _parsed(text)
        return isinstance(value, (dict, list)) and any(_strings(value))
    return _begins_as_json(text.lstrip())


def _begins_as_json(text: str) -> bool:
    """Whether a text that was cut begins as a JSON object with a key, or an array of values."""
    if text.startswith("{"):
        return re.match(r'\{\s*"[^"\n]*"\s*:\s*["{\[\dtfn-]', text) is not None
    found = 0
    at = 1
    while at < len(text):
        at = _past_spaces(text, at)
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found += isinstance(value, (dict, str))
        at = _past_spaces(text, at)
        if at < len(text) and text[at] != ",":
            return False
        at += 1
    return found > 1


def _past_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _is_lines(file: Path, encoding: str) -> bool:
    """Whether the first line that is not blank is a value of its own, and another follows."""
    filled = (line for line in plain_lines(file, encoding) if line.strip())
    first = next(filled, "")
    return next(filled, None) is not None and _parsed(first) is not None


def _parsed(text: str) -> Any:
    """The value of a JSON text, or None if it is not valid."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _lines(file: Path, lines: Iterator[str]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            value = _parsed(line)
            if value is None and line.strip() != "null":
                raise TextError(
                    f"{display_name(file)}, line {number}: not a JSON value; every line must be "
                    "one, or read the file as it is: --set text.format=plain"
                )
            yield value


def _whole(file: Path, lines: Iterator[str]) -> Iterator[Any]:
    """The elements of an array, or the one value there is."""
    try:
        value = json.loads("\n".join(lines))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}: not valid JSON ({error.msg})"
    except (ValueError, RecursionError):
        where = "cannot be read as JSON (nested too deep, or a number too long)"
    else:
        yield from value if isinstance(value, list) else [value]
        return
    raise TextError(
        f"{display_name(file)}, {where}; mend it, or read it as it is: --set text.format=plain"
    )
