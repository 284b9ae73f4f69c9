"""The one way to the terminal: nothing that a text, a file or its name holds can command it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import click

# C0 and C1 controls, line separators, the marks that turn the direction of what follows, and the
# halves of characters that undecodable bytes leave behind
_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text on one line, characters that a terminal would obey spelled out: ``\x1b``."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(*lines: str, err: bool = False) -> None:
    """Write lines, by default an empty one, to stdout or to stderr."""
    for line in lines or ("",):
        click.echo(visible(line), err=err)


def say_json(content: Mapping[str, Any]) -> None:
    """One line of JSON on stdout, in letters that stdout's encoding has."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    text = json.dumps(content, ensure_ascii=encoding != "utf8")
    # JSON itself escapes only the first 32
    click.echo(_COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
