"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from nextword.inference.decoder import ADAPTATIONS

Command = TypeVar("Command", bound=Callable[..., Any])

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
encoding_option = click.option(
    "--encoding", default="utf-8", show_default=True, help="The character encoding of --text."
)
reach_option = click.option(
    "--reach",
    default=100,
    show_default=True,
    type=click.IntRange(min=2),
    metavar="WORDS",
    help="How many words gradients are followed back.",
)
places_option = click.option(
    "--places",
    default=200,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Gradients are averaged over so many places of the text.",
)
suggestions_option = click.option(
    "--suggestions",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="K",
    help="How many words a typist sees, for the keystrokes saved.",
)
texts_option = click.option(
    "--text", multiple=True, metavar="FILE", help="Measure on this text instead."
)
plots_option = click.option(
    "--plot",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Also draw pictures into this folder.",
)
format_option = click.option(
    "--format",
    "picture_format",
    type=click.Choice(["png", "svg"]),
    default="png",
    show_default=True,
    help="What pictures are written as.",
)


def split_option(help: str) -> Callable[[Command], Command]:
    """``--split``: which part of a run's text is measured on."""
    return click.option(
        "--split",
        type=click.Choice(["valid", "test"]),
        default="valid",
        show_default=True,
        help=help,
    )


def adapt_option(help: str) -> Callable[[Command], Command]:
    """``--adapt``, none by default."""
    return click.option(
        "--adapt", type=click.Choice(ADAPTATIONS), default="none", show_default=True, help=help
    )


def check_together(context: click.Context, flag: str, given: bool, names: Sequence[str]) -> None:
    """Refuse options that mean nothing without a flag.

    Args:
        context: of the command.
        flag: such as ``--memory``.
        given: whether it was.
        names: of the command's parameters that go with it.
    """
    spelled = {option.name: option.opts[0] for option in context.command.params}
    for name in names if not given else ():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{spelled[name]} goes with {flag}")
