"""Options and arguments that several commands share, and the choice of the model."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from nextword.cli.completers import complete_device, complete_runs, complete_text
from nextword.cli.terminal import say
from nextword.inference import ADAPTATIONS

if TYPE_CHECKING:
    from nextword.model import Model

Command = TypeVar("Command", bound=Callable[..., Any])

MODEL_VARIABLE = "NEXTWORD_MODEL"
"""The environment variable that chooses the model where no option does."""

model_option = click.option(
    "--model",
    "-m",
    type=click.Path(path_type=Path),
    envvar=MODEL_VARIABLE,
    metavar="PATH",
    shell_complete=complete_runs,
    help=f"A run or model folder.  [default: ${MODEL_VARIABLE}, else the newest run under runs/]",
)
model_argument = click.argument(
    "run",
    metavar="[MODEL]",
    required=False,
    type=click.Path(path_type=Path),
    shell_complete=complete_runs,
)
models_option = click.option(
    "--model",
    "-m",
    "models",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    shell_complete=complete_runs,
    help="A run or model folder, the same as a RUN argument; may be repeated.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")
encoding_option = click.option(
    "--encoding",
    metavar="NAME",
    default="utf-8",
    show_default=True,
    help="Character encoding of --text.",
)
reach_option = click.option(
    "--reach",
    default=100,
    show_default=True,
    type=click.IntRange(min=2),
    metavar="WORDS",
    help="How many words back to follow gradients.",
)
places_option = click.option(
    "--places",
    default=200,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="How many positions of the text to average gradients over.",
)
suggestions_option = click.option(
    "--suggestions",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="K",
    help="Suggestions that a typist sees, for the keystroke savings.",
)
texts_option = click.option(
    "--text",
    multiple=True,
    metavar="FILE",
    shell_complete=complete_text,
    help="Measure on this text instead; may be repeated.",
)
plots_option = click.option(
    "--plot",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Also save plots to this folder.",
)
format_option = click.option(
    "--format",
    "picture_format",
    type=click.Choice(["png", "svg"]),
    default="png",
    show_default=True,
    help="File format of the plots.",
)


def split_option(help: str) -> Callable[[Command], Command]:
    """``--split``: the held-out part of a run's text to measure on."""
    return click.option(
        "--split",
        type=click.Choice(["valid", "test"]),
        default="valid",
        show_default=True,
        help=help,
    )


def device_option(default: str) -> Callable[[Command], Command]:
    """``--device``: where networks compute."""
    note = " The CPU answers at once, without PyTorch." if default == "cpu" else ""
    return click.option(
        "--device",
        default=default,
        show_default=True,
        metavar="NAME",
        shell_complete=complete_device,
        help="Where to compute: cpu, cuda, cuda:N, mps, or auto (CUDA if there is a GPU, else the "
        f"CPU).{note}",
    )


def adapt_option(help: str) -> Callable[[Command], Command]:
    """``--adapt``, none by default."""
    return click.option(
        "--adapt", type=click.Choice(ADAPTATIONS), default="none", show_default=True, help=help
    )


def prompt_argument(command: Command) -> Command:
    """An optional PROMPT; several words without quotation marks are a usage error."""

    def one_prompt(
        context: click.Context, parameter: click.Parameter, words: tuple[str, ...]
    ) -> str | None:
        if len(words) > 1:
            prompt = " ".join(words)
            raise click.UsageError(
                f'put the prompt in quotation marks: {context.command_path} "{prompt}"', context
            )
        return words[0] if words else None

    argument = click.argument("prompt", nargs=-1, metavar="[PROMPT]", callback=one_prompt)
    return argument(command)


class PromptCommand(click.Command):
    """A command with a PROMPT, which explains how to write one that begins with a dash."""

    def _options_with_a_value(self) -> set[str]:
        return {
            name
            for option in self.params
            if isinstance(option, click.Option) and not (option.is_flag or option.count)
            for name in option.opts
        }

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        given = [*args]  # click empties its list
        try:
            return super().parse_args(context, args)
        except click.UsageError as error:
            valued = self._options_with_a_value()
            prompt = next(
                (
                    arg
                    for before, arg in pairwise(["", *given])
                    if _PROMPT_WITH_DASH.match(arg) and before not in valued
                ),
                None,
            )
            if prompt is None or "--" in given:
                raise
            given.remove(prompt)
            options = "".join(f"{shlex.quote(arg)} " for arg in given)
            example = prompt.replace('"', '\\"')
            raise click.UsageError(
                "a prompt that begins with a dash goes after --: "
                f'{context.command_path} {options}-- "{example}"',
                context,
            ) from error


_PROMPT_WITH_DASH = re.compile(r"-+[^A-Za-z0-9-]|-[0-9]|-[^=\s]*\s")
"""A dash with no option's name after it, or several words in one argument that begins with one."""


def check_together(context: click.Context, flag: str, given: bool, names: Sequence[str]) -> None:
    """Refuse options that have no effect without another one.

    Args:
        context: the command's.
        flag: the other option, such as ``--memory``.
        given: whether it was given.
        names: the command's parameters that need it.
    """
    flags = {option.name: option.opts[0] for option in context.command.params}
    for name in names if not given else ():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{flags[name]} goes with {flag}")


def run_or_model(context: click.Context, run: Path | None, model: Path | None) -> Path | None:
    """The one run named by a RUN argument or ``--model``; an argument wins over the variable."""
    given = context.get_parameter_source("model") is ParameterSource.COMMANDLINE
    if run is not None and given:
        raise click.UsageError("give the run as an argument or with --model, not both")
    return model if run is None else run


def resolve_model(path: Path | None) -> Path:
    """The model folder at a path; names the newest run on stderr if it was chosen among several.

    Args:
        path: a run or model folder; None for the newest run.

    Raises:
        ModelError: there is none.
    """
    from nextword.storage.run_folder import find_model

    folder = find_model(path)
    if path is None:
        _say_newest(folder)
    return folder


def open_model(path: Path | None, device: str) -> Model:
    """The model at a path, ready to use; says which run it is as :func:`resolve_model` does."""
    from nextword.model import load_model

    model = load_model(path, device)
    if path is None and model.folder is not None:
        _say_newest(model.folder)
    return model


def _say_newest(folder: Path) -> None:
    from nextword.storage.run_folder import known_runs

    if len(known_runs()) > 1:
        say(f"using {folder.parent}, the newest run (choose another with --model)", err=True)


def default_model() -> Path | None:
    """The model that the environment chooses, else None for the newest run."""
    chosen = os.environ.get(MODEL_VARIABLE)
    return Path(chosen) if chosen else None
