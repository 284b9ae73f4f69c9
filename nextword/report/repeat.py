"""The command and the configuration that repeat a training."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nextword.comparison.contender import Contender
from nextword.config import Config, dump_config, parse_assignments

FILE = "again.yaml"
"""What the configuration is to be saved as."""
_PLAIN = re.compile(r"[A-Za-z][\w.-]*")


def shared_config(config: Config) -> Config:
    """A configuration for others: files by their names alone, and nothing of the machine."""
    text = {key: _named(getattr(config.text, key)) for key in ("path", "train", "valid", "test")}
    vectors = _named(config.model.vectors)
    # numbers of threads that follow from what else a machine does would round differently
    threads = config.training.threads or config.about.get("threads", 0)
    return config.model_copy(
        update={
            "text": config.text.model_copy(update=text),
            "model": config.model.model_copy(update={"vectors": vectors}),
            "training": config.training.model_copy(update={"threads": threads}),
            "about": {},
        }
    )


def _named(path: Any) -> Any:
    if isinstance(path, list):
        return [_named(each) for each in path]
    return path if path is None or path == "-" else Path(path).name


def config_text(contenders: Sequence[Contender]) -> str | None:
    """The YAML of the first run of which it is known; None where there is none."""
    known = [each.config for each in contenders if each.config is not None]
    return dump_config(shared_config(known[0])) if known else None


def commands(contenders: Sequence[Contender]) -> list[str]:
    """What to type, once that configuration is saved; the others name what differs in theirs."""
    told = [each for each in contenders if each.config is not None]
    if not told:
        return []
    first = _leaves(told[0])
    lines = []
    for each in told:
        sets = [
            f"--set {shlex.quote(f'{key}={_value(key, value)}')}"
            for key, value in _leaves(each).items()
            if value != first[key]
        ]
        begin = ["nextword train", f"--config {FILE}", f"--run {again(each)}"]
        lines.append(" ".join([*begin, *sets]))
    return [*lines, " ".join(["nextword report", *map(again, told)])]


def again(contender: Contender) -> str:
    """The name of a run that repeats another, as a shell takes it."""
    return shlex.quote(f"{contender.run}-again")


def _leaves(contender: Contender) -> dict[str, Any]:
    assert contender.config is not None
    return dict(shared_config(contender.config).leaves())


def _value(key: str, value: Any) -> str:
    """A value as ``--set`` takes it: plain where that reads back as the same."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        if parse_assignments([f"{key}={value}"]) == {key: value}:
            return value
    return json.dumps(value)
