"""The command and the configuration that repeat a training."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from nextword.comparison.loaded_run import LoadedRun
from nextword.config import dump_config, parse_assignments

FILE = "again.yaml"
"""What the configuration is to be saved as."""
_PLAIN = re.compile(r"[A-Za-z][\w.-]*")


def config_text(loaded_runs: Sequence[LoadedRun]) -> str | None:
    """The YAML of the first run of which it is known; None where there is none."""
    known = [config for each in loaded_runs if (config := each.shareable_config) is not None]
    return dump_config(known[0]) if known else None


def commands(loaded_runs: Sequence[LoadedRun]) -> list[str]:
    """What to type, once that configuration is saved; the others name what differs in theirs."""
    told = [each for each in loaded_runs if each.config is not None]
    if not told:
        return []
    first, names = _leaves(told[0]), _names(told)
    lines = []
    for each, name in zip(told, names, strict=True):
        sets = [
            f"--set {shlex.quote(f'{key}={_value(key, value)}')}"
            for key, value in _leaves(each).items()
            if value != first[key]
        ]
        begin = ["nextword train", f"--config {FILE}", f"--run {name}"]
        lines.append(" ".join([*begin, *sets]))
    return [*lines, " ".join(["nextword report", *names])]


def _names(loaded_runs: Sequence[LoadedRun]) -> list[str]:
    """What runs that repeat others are called, as a shell takes it; no two the same."""
    names: list[str] = []
    for each in loaded_runs:
        name, number = f"{each.run}-again", 1
        while name in names:
            number += 1
            name = f"{each.run}-again-{number}"
        names.append(name)
    return [shlex.quote(name) for name in names]


def _leaves(loaded_run: LoadedRun) -> dict[str, Any]:
    config = loaded_run.shareable_config
    assert config is not None
    return dict(config.leaves())


def _value(key: str, value: Any) -> str:
    """A value as ``--set`` takes it: plain where that reads back as the same."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        if parse_assignments([f"{key}={value}"]) == {key: value}:
            return value
    return json.dumps(value)
