"""Writes docs/commands.md from the commands; the test suite checks that it is up to date.

python scripts/describe_commands.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from nextword.cli import group

INTRODUCTION = """# Commands

Written from `nextword/cli/` by `python scripts/describe_commands.py`.

Results go to stdout; progress, notes and errors go to stderr. The exit code is 0 for success, 1
for a failure, 2 for a mistake in the call or the configuration, and 128 plus the signal's number
when a signal ended the program (130 for Ctrl-C).

| variable | effect |
| --- | --- |
| `NEXTWORD_MODEL` | the run or model folder to use where no option names one |
| `NEXTWORD_<KEY>` | sets a key of the configuration: [configuration.md](configuration.md) |
| `NEXTWORD_CACHE_DIR` | for prepared texts and notes of verified models, not `~/.cache/nextword` |
| `NO_COLOR` | no colours |

Names of runs are looked up under `runs/` in the current folder.
"""
_DEFAULT = re.compile(r"\s*\[default: (.*)\]$")


def page() -> str:
    """The whole page."""
    context = click.Context(group, info_name="nextword")
    sections = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        sections.append("\n".join(command_lines(name, command)))
    return "\n".join([INTRODUCTION, *sections])


def command_lines(name: str, command: click.Command) -> Iterator[str]:
    """One command: its usage, its help and a table of its options."""
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join([f"nextword {name} [OPTIONS]", *map(argument_usage, arguments)])
    yield from (f"## {name}", "", "```", usage, "```", "")
    # click shows the help up to a form feed, and the paragraph after \b with its own line ends
    for paragraph in inspect.cleandoc((command.help or "").split("\f")[0]).split("\n\n"):
        verbatim = paragraph.removeprefix("\b\n")
        yield paragraph if verbatim == paragraph else f"```\n{inspect.cleandoc(verbatim)}\n```"
        yield ""
    options = [option for option in command.params if isinstance(option, click.Option)]
    if options:
        yield from ("| option | default | meaning |", "| --- | --- | --- |")
        for option in options:
            cells = (cell.replace("|", "\\|") for cell in option_cells(option))
            yield f"| {' | '.join(cells)} |"
        yield ""


def argument_usage(argument: click.Argument) -> str:
    """An argument in a usage line, such as ``[PROMPT]`` or ``[RUNS]...``."""
    if argument.metavar is not None:
        return argument.metavar
    name = (argument.name or "").upper()
    return f"[{name}]{'...' * (argument.nargs == -1)}"


def option_cells(option: click.Option) -> tuple[str, str, str]:
    """An option's flags with its value, its default, and its meaning."""
    help_text, default = option.help or "", ""
    if match := _DEFAULT.search(help_text):
        help_text, default = help_text[: match.start()], match[1]
    elif option.show_default:
        default = f"`{option.default}`"
    names = [*option.opts, *option.secondary_opts]
    flags = ", ".join(sorted(names, key=lambda flag: (len(flag) > 2, flag)))
    return f"`{' '.join([flags, value_of(option)]).strip()}`", default, help_text


def value_of(option: click.Option) -> str:
    """The placeholder of an option's value; empty for a flag."""
    if option.is_flag:
        return ""
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return "N" if isinstance(option.type, click.types.IntParamType) else "NAME"


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
    target.write_text(page(), encoding="utf-8")
