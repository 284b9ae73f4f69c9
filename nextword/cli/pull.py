"""``nextword pull``: a model from the Hugging Face Hub, or from a directory."""

from __future__ import annotations

import click

from nextword.cli.options import json_option
from nextword.cli.terminal import say, say_json


@click.command("pull")
@click.argument("source", metavar="SOURCE")
@click.argument("run", required=False)
@click.option(
    "--revision",
    metavar="NAME",
    help="A revision that push named; on the Hub also a branch or tag.  [default: the newest]",
)
@click.option("--force", is_flag=True, help="Replace a run of that name.")
@json_option
def command(source: str, run: str | None, revision: str | None, force: bool, as_json: bool) -> None:
    """Fetch a model from the Hugging Face Hub, or from a directory.

    SOURCE is a repository of the Hub (user/name or hf://user/name) or a directory to which models
    were pushed (a path that begins with / or ./, or a file: URL). The model becomes the run RUN
    under runs/, by default of the source's name. Only the files of a model are fetched, and their
    checksums verified; nothing of them is run.
    """
    from nextword.hub.location import open_registry
    from nextword.hub.pulled_run import pull_run

    registry = open_registry(source)
    pulled = pull_run(registry, registry.name if run is None else run, revision, force)
    revision, left_out = pulled.fetched
    if left_out:
        say(f"not fetched, since no part of a model: {', '.join(left_out)}", err=True)
    if as_json:
        say_json(
            {"run": pulled.folder.path.name, "source": registry.location, "revision": revision}
        )
    else:
        say(f"wrote {pulled.folder.path}: {pulled.loaded.title}, revision {revision}")
