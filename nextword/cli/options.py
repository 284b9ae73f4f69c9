"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

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
