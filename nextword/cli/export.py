"""``nextword export``: a model for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from nextword.cli.completers import complete_runs
from nextword.cli.options import MODEL_VARIABLE, json_option, open_model, run_or_model
from nextword.cli.terminal import say, say_json
from nextword.errors import NextwordError
from nextword.formatting import escape_control

FORMATS = ("html",)


@click.command("export")
@click.argument(
    "run", required=False, type=click.Path(path_type=Path), shell_complete=complete_runs
)
@click.option(
    "--model",
    "-m",
    type=click.Path(path_type=Path),
    envvar=MODEL_VARIABLE,
    shell_complete=complete_runs,
    metavar="PATH",
    help="A run or model folder, the same as the RUN argument.  "
    f"[default: ${MODEL_VARIABLE}, else the newest run under runs/]",
)
@click.option(
    "--to",
    "form",
    type=click.Choice(FORMATS),
    required=True,
    help="html: a page for writing that holds the model and needs nothing else.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write.  [default: the run's name with the format's ending]",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    run: Path | None,
    model: Path | None,
    form: str,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a model in a form that other programs read.

    The file holds the vocabulary, counted n-grams and weights, which can reproduce passages of the
    training text: share it only if you would share the text.
    """
    from nextword.export.html import html_page
    from nextword.storage.files import write_output
    from nextword.storage.run_folder import run_of_model

    opened = open_model(run_or_model(context, run, model), "cpu")
    assert opened.folder is not None
    out = out or Path(f"{run_of_model(opened.folder).path.name}.{form}")
    if out.is_file() and not force:
        raise NextwordError(f"{out}: exists; add --force to write over it, or name another --out")
    say("packing the model, which takes some seconds", err=True)
    content = html_page(opened.loaded).encode()
    write_output(out, content)
    if as_json:
        say_json({"file": str(out), "bytes": len(content), "format": form})
    else:
        size = f"{len(content) / 1e6:.1f} MB"
        say(f"wrote {escape_control(str(out))} ({size}); open it in a browser")
