"""``nextword push``: a model to the Hugging Face Hub, or to a directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from nextword.cli.completers import complete_runs
from nextword.cli.options import json_option, model_option, resolve_model, run_or_model
from nextword.cli.terminal import is_terminal, say, say_json
from nextword.formatting import counted, escape_control

if TYPE_CHECKING:
    from nextword.hub.registry import Registry

WARNING = (
    "A model can give back passages of the text that it was trained on: push it only if you would "
    "share that text."
)


@click.command("push")
@click.argument(
    "places",
    nargs=-1,
    metavar="[MODEL] DESTINATION",
    shell_complete=complete_runs,
)
@model_option
@click.option("--license", metavar="NAME", help="The model's licence, such as cc-by-4.0.")
@click.option("--language", metavar="CODE", help="The text's language, such as en.")
@click.option(
    "--private/--public",
    default=True,
    help="Who can see a new repository of the Hub.  [default: private]",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    places: tuple[str, ...],
    model: Path | None,
    license: str | None,
    language: str | None,
    private: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Publish a model on the Hugging Face Hub, or in a directory.

    MODEL is a run or a model folder. DESTINATION is a repository of the Hub (user/name or
    hf://user/name) or a directory (a path that begins with / or ./, or a file: URL). What is sent
    is the model folder with a model card, without the run's text, settings and logs. Each push adds
    a revision, whole or not at all.
    """
    from nextword.hub.card import CardOptions, write_card
    from nextword.hub.files import publishable_copy, published_files
    from nextword.hub.location import open_registry
    from nextword.inference.model_folder import load_model_folder

    run, destination = _places(places)
    registry = open_registry(destination)
    _check_visibility(context, registry)
    if not yes and not is_terminal(sys.stdin):
        raise click.UsageError(f"{WARNING} If you would, add --yes")
    folder = resolve_model(run_or_model(context, run, model))
    with publishable_copy(folder) as copy:
        kind = load_model_folder(copy).architecture.kind
        write_card(copy, folder, kind, registry, CardOptions(license, language))
        files = published_files(copy)
        size = sum(file.stat().st_size for file in files)
        say(WARNING, err=True)
        if not yes and not _agrees(folder, registry, size, private):
            say("nothing was sent", err=True)
            context.exit(1)
        revision = registry.publish(copy, private)
    if as_json:
        names = [file.name for file in files]
        say_json(
            {
                "destination": registry.location,
                "revision": revision,
                "files": names,
                "bytes": size,
            }
        )
    else:
        sent = f"{counted(len(files), 'file')}, {size / 1e6:.1f} MB"
        say(f"pushed to {registry.location} ({sent}), revision {revision}")


def _places(places: tuple[str, ...]) -> tuple[Path | None, str]:
    """The model, if it is named, and the destination."""
    if not 1 <= len(places) <= 2:
        raise click.UsageError("give a DESTINATION, perhaps with a MODEL before it")
    *models, destination = places
    return (Path(models[0]) if models else None), destination


def _check_visibility(context: click.Context, registry: Registry) -> None:
    """Refuse --private and --public for a directory, whose permissions decide."""
    from nextword.hub.hugging_face import HubRepository

    given = context.get_parameter_source("private") is ParameterSource.COMMANDLINE
    if given and not isinstance(registry, HubRepository):
        raise click.UsageError("--private and --public go with a repository of the Hub")


def _agrees(folder: Path, registry: Registry, size: int, private: bool) -> bool:
    """Whether the user wants to publish a model."""
    from nextword.hub.hugging_face import HubRepository

    visibility = ""
    if isinstance(registry, HubRepository):
        visibility = ", private" if private else ", for everyone to see"
    question = f"Push {folder} ({size / 1e6:.1f} MB) to {registry.location}{visibility}?"
    return click.confirm(escape_control(question), err=True)
