"""Values of options and arguments, as a shell completes them.

Nothing here imports pydantic or NumPy: someone who presses Tab waits for the answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from nextword.formatting import CONTROL_CHARS

RUNS, CONFIG = "runs", "config.yaml"
"""The folder of all runs, and the file that makes a folder in it a run."""
DEVICES = ("auto", "cpu", "cuda", "mps")


def complete_runs(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of runs, without those given before, and folders."""
    value = context.params.get(parameter.name or "")
    given = {str(run) for run in value} if isinstance(value, tuple) else set()
    names = (entry.name for entry in _entries(RUNS) if os.path.isfile(f"{entry.path}/{CONFIG}"))
    return [_folders(incomplete), *_starting(incomplete, sorted({*names} - given))]


def complete_resumed_run(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The runs after ``--resume``; the name of a new run is free."""
    return complete_runs(context, parameter, incomplete) if context.params.get("resume") else []


def complete_config(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of the configurations that ship, and YAML files."""
    from nextword.resources import resource_names

    above = incomplete[: incomplete.rfind("/") + 1]
    hidden = incomplete.startswith(".", len(above))
    names = [Path(name).stem for name in resource_names("configs") if name.endswith(".yaml")]
    files = sorted(
        above + entry.name
        for entry in _entries(os.path.expanduser(above) or ".")
        if entry.name.endswith((".yaml", ".yml")) and entry.name.startswith(".") == hidden
    )
    return [_folders(incomplete), *_starting(incomplete, [*names, *files])]


def complete_setting(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Keys of the configuration, and the values of a key that is typed in full or beyond doubt."""
    from nextword.config.key_summary import key_summaries

    typed, equals, _ = incomplete.partition("=")
    settings = [
        setting
        for setting in key_summaries()
        if (setting.key == typed if equals else setting.key.startswith(typed))
    ]
    if len(settings) != 1:
        return [CompletionItem(f"{setting.key}=", help=setting.meaning) for setting in settings]
    key, choices, default, meaning = settings[0]
    # a second candidate beside the default stops the shell after the =, where a value is typed
    values = choices or [*([] if equals else [""]), default]
    return [
        CompletionItem(item, help="the default" if value == default else meaning)
        for value in values
        if (item := f"{key}={value}").startswith(incomplete)
    ]


def complete_device(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of devices."""
    return [*_starting(incomplete, DEVICES)]


def complete_text(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Files and folders."""
    return [CompletionItem(incomplete, type="file")]


def _folders(incomplete: str) -> CompletionItem:
    """Lets the shell complete folders; bash does so only without other candidates."""
    return CompletionItem(incomplete, type="dir")


def _starting(incomplete: str, names: Iterable[str]) -> Iterator[CompletionItem]:
    """The names that start with the typed letters, without those that no line can hold."""
    for name in names:
        if name.startswith(incomplete) and not CONTROL_CHARS.search(name):
            yield CompletionItem(name)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """The entries of a folder; none if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [*entries]
    except OSError:
        return []
