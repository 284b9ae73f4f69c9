"""The command line. A command's module is imported when it is called, torch with it."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
from contextlib import suppress
from typing import Any

import click

from nextword import __version__
from nextword.cli.terminal import say
from nextword.errors import NextwordError

COMMANDS = {
    "train": "Train a predictor on a text.",
    "predict": "Say which words are most likely to come next.",
    "generate": "Write on from a prompt.",
    "score": "Say how surprised a model is by each word of a text.",
    "similar": "Name the words that a network takes to be like a word.",
    "eval": "Measure a model on text that it has not seen.",
    "compare": "Set several runs side by side on the same held-out text.",
    "report": "Write a page about a run, or about several side by side.",
    "explain": "Show how a network reads a text, and how far back it remembers.",
    "info": "Show versions, devices, and what a run holds.",
}
"""Each command's one line, so that --help need import none of them."""


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own, imported on use."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"nextword.cli.{name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = (
                f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(COMMANDS)}"
            )
            raise click.UsageError(f"no such command {name!r}{hint}", context)
        return super().resolve_command(context, args)


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "NEXTWORD",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="nextword")
def group() -> None:
    """Train a next-word predictor on your own text, and use it.

    \b
      nextword train                                   on the text that ships with the program
      nextword train --text war-and-peace.txt          on your own
      nextword predict "Napoleon was the Emperor of"
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line; every foreseen error becomes one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter that a terminal lacks stops nothing
    try:
        code: Any = group.main(args, prog_name="nextword", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        say(*shown.getvalue().removesuffix("\n").split("\n"), err=True)
        code = error.exit_code
    except NextwordError as error:
        say(*(f"Error: {line}" for line in str(error).split("\n")), err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        with suppress(OSError):  # the terminal may be gone
            say("Stopped.", err=True)
        # click hides the interrupt behind an Abort
        code = 128 + getattr(error.__context__ or error, "signal", signal.SIGINT)
    except BrokenPipeError:
        # the reader of a pipe has gone; Python must not try to flush to it once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        say(f"Error: {place}{error.strerror or error}", err=True)
        code = 1
    except (RuntimeError, MemoryError) as error:
        from nextword.device import hardware_trouble

        trouble = hardware_trouble(error)
        if trouble is None:
            raise
        say(f"Error: {trouble}; try another --device, or a smaller model", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
