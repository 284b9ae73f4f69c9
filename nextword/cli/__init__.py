"""The command line: each module with a ``command`` is a subcommand, imported when it is needed.

A command module imports PyTorch and the rest of the library inside its functions, so that help and
completion answer at once.
"""

from __future__ import annotations

import importlib
import keyword
import os
import signal
import sys
import time
from io import StringIO
from typing import Any

import click

from nextword import __version__
from nextword.cli.shells import COMPLETE_VARIABLE, register_shells
from nextword.cli.terminal import abandon, open_closed_streams, say, tolerate_bad_bytes
from nextword.errors import TORCH_MISSING, NextwordError

STARTED = time.monotonic()
"""When the user's wait began, but for the start of Python."""
COMMANDS = (
    "train",
    "predict",
    "generate",
    "score",
    "similar",
    "serve",
    "export",
    "push",
    "pull",
    "eval",
    "compare",
    "report",
    "explain",
    "info",
    "import",
    "completion",
)
"""Commands in the order of help. The module of each has the same name, with a ``_`` behind it where
Python reserves the name."""


class LazyGroup(click.Group):
    """A group of the commands in this package's modules, imported on use."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return load_command(name) if name in COMMANDS else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(name)) for name in COMMANDS])

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            import difflib

            if context.resilient_parsing:
                return None, None, []  # a shell completes the line, and shows no errors
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no such command {name!r}; {hint}", context)
        return super().resolve_command(context, args)


def load_command(name: str) -> click.Command:
    """The command of a module of this package."""
    module = f"{name}_" if keyword.iskeyword(name) else name
    command: click.Command = importlib.import_module(f"{__name__}.{module}").command
    return command


def summary(name: str) -> str:
    """A command in one line: the first sentence of its help."""
    return load_command(name).get_short_help_str(limit=200)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="nextword")
def group() -> None:
    """Train a next-word predictor on your own text, and use it.

    \b
      nextword train                                   on the text that ships with the program
      nextword train --text war-and-peace.txt          on your own text
      nextword predict "Napoleon was the Emperor of"
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line; every expected error becomes one line and an exit code."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        tolerate_bad_bytes(stream)  # a letter that a terminal lacks is no reason to stop
    try:
        if COMPLETE_VARIABLE in os.environ:
            register_shells()
        code: Any = group.main(
            args, prog_name="nextword", complete_var=COMPLETE_VARIABLE, standalone_mode=False
        )
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        say(*shown.getvalue().removesuffix("\n").split("\n"), err=True)
        code = error.exit_code
    except NextwordError as error:
        say(*(f"Error: {line}" for line in str(error).split("\n")), err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        say("Stopped.", err=True)
        # click hides the interrupt behind an Abort
        code = 128 + getattr(error.__context__ or error, "signal", signal.SIGINT)
    except BrokenPipeError:
        abandon(sys.stdout)  # the pipe's reader has closed it
        code = 1
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        say(f"Error: {place}{error.strerror or error}", err=True)
        if error.filename in (None, "standard output"):
            abandon(sys.stdout)
        code = 1
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        say(f"Error: {TORCH_MISSING}", err=True)
        code = 1
    except (RuntimeError, MemoryError) as error:
        from nextword.machine import hardware_trouble

        trouble = hardware_trouble(error)
        if trouble is None:
            raise
        say(f"Error: {trouble}; try another --device, or a smaller model", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
