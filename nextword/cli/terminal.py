"""The one way to the terminal: nothing that a text, a file or its name holds can command it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from nextword.formatting import CONTROL_CHARS, escape_control


def say(*lines: str, err: bool = False) -> None:
    """Write lines, by default an empty one, to stdout or to stderr."""
    for line in lines or ("",):
        click.echo(escape_control(line), err=err)


def say_json(content: Mapping[str, Any]) -> None:
    """One line of JSON on stdout, in letters that stdout's encoding has."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    text = json.dumps(content, ensure_ascii=encoding != "utf8")
    # JSON itself escapes only the first 32
    click.echo(CONTROL_CHARS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
