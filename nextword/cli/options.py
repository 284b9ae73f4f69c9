"""Options that several commands share, and the JSON that they answer in."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

model_option = click.option(
    "--model",
    "-m",
    type=click.Path(path_type=Path),
    envvar="NEXTWORD_MODEL",
    metavar="PATH",
    help="A run folder or model folder.  [default: the newest run under runs/]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON on stdout.")
device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where to compute: cpu, cuda, cuda:1, mps."
)


def echo_json(content: Mapping[str, Any]) -> None:
    """One line of JSON on stdout, in letters that stdout's encoding has."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    click.echo(json.dumps(content, ensure_ascii=encoding != "utf8"))
