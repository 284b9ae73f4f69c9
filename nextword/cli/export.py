"""``nextword export``: a model for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from nextword.cli.options import (
    check_together,
    json_option,
    model_argument,
    model_option,
    open_model,
    run_or_model,
)
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import say, say_json
from nextword.errors import NextwordError
from nextword.formatting import escape_control

FORMATS = ("html", "onnx", "arpa")


def whole_numbers(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...]:
    """Numbers with commas between them."""
    try:
        return tuple(int(number) for number in value.split(",")) if value else ()
    except ValueError:
        raise click.BadParameter(f"{value!r} is not like 0,1,2") from None


@click.command("export")
@model_argument
@model_option
@click.option(
    "--to",
    "form",
    type=click.Choice(FORMATS, case_sensitive=False),
    required=True,
    help="html: a page for writing that needs nothing else. onnx: the network for ONNX runtimes. "
    "arpa: the n-grams for KenLM, SRILM and others.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; of arpa, compressed if it ends in .gz.  [default: the run's name with "
    "the format's ending]",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option(
    "--prune",
    "thresholds",
    callback=whole_numbers,
    metavar="0,N,...",
    help="With arpa: leave out n-grams of 1, 2, ... words that occurred at most so often.",
)
@click.option(
    "--max-ngrams",
    type=click.IntRange(min=0),
    metavar="N",
    help="With arpa: keep the N most important n-grams of two words or more.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    run: Path | None,
    model: Path | None,
    form: str,
    out: Path | None,
    force: bool,
    thresholds: tuple[int, ...],
    max_ngrams: int | None,
    as_json: bool,
) -> None:
    """Write a model in a form that other programs read.

    MODEL is a run or a model folder. The file can give back passages of the training text: share it
    only if you would share the text.
    """
    from nextword.export.write import Settings, export
    from nextword.storage.run_folder import run_of_model

    check_together(context, "--to arpa", form == "arpa", ("thresholds", "max_ngrams"))
    opened = open_model(run_or_model(context, run, model), "cpu")
    assert opened.folder is not None
    if str(out) == "-":
        raise click.UsageError("--out: name a file; the model is not written to the terminal")
    out = out or Path(f"{run_of_model(opened.folder).path.name}.{form}")
    if out.is_file() and not force:
        raise NextwordError(f"{out}: exists; add --force to write over it, or name another --out")
    with ProgressBars() as bars:
        note = export(opened.loaded, form, out, Settings(thresholds, max_ngrams), bars.show)
    size = out.stat().st_size if out.is_file() else None
    if as_json:
        say_json({"file": str(out), "bytes": size, "format": form, "note": note})
        return
    measured = "" if size is None else f" ({size / 1e6:.1f} MB)"
    say(f"wrote {escape_control(str(out))}{measured}" + (f"; {note}" if note else ""))
