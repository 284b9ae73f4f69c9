"""Summaries of the schema's keys for completion in a shell, read without pydantic.

Importing the schema takes longer than someone who presses Tab should wait. So ``python
scripts/describe_config.py`` writes ``keys.json`` from it, and a test checks that it is up to date.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

KEYS = Path(__file__).with_name("keys.json")
"""One object per key, with the fields of :class:`KeySummary`."""


class KeySummary(NamedTuple):
    """A key that takes a value."""

    key: str
    """Dotted, such as ``model.hidden_size``."""
    choices: list[str]
    """All values, as ``--set`` takes them; empty where there are too many to list."""
    default: str
    """The default, as ``--set`` takes it."""
    meaning: str
    """The first sentence of the documentation, without the full stop."""


def key_summaries() -> list[KeySummary]:
    """Every key, in the schema's order."""
    return [KeySummary(**entry) for entry in json.loads(KEYS.read_text(encoding="utf-8"))]
