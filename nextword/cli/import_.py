"""``nextword import``: n-grams that other programs counted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nextword.cli.options import json_option
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import say, say_json
from nextword.formatting import escape_control

if TYPE_CHECKING:
    from nextword.text.detokenizer import Kind


@click.command("import")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("run", metavar="RUN")
@click.option(
    "--tokenizer",
    type=click.Choice(["whitespace", "words"]),
    default="whitespace",
    show_default=True,
    help="How texts are split into the file's words: at spaces, or as prose.",
)
@click.option("--lowercase", is_flag=True, help="Fold the case of texts, as the file's words are.")
@click.option(
    "--encoding",
    default="utf-8",
    show_default=True,
    metavar="NAME",
    help="Character encoding of FILE.",
)
@click.option("--force", is_flag=True, help="Replace a run of that name.")
@json_option
def command(
    file: Path,
    run: str,
    tokenizer: Kind,
    lowercase: bool,
    encoding: str,
    force: bool,
    as_json: bool,
) -> None:
    """Make a run of an n-gram model in ARPA format.

    FILE is what KenLM, SRILM and others write, plain or compressed by gzip. The run, of that name
    under runs/, predicts, generates and scores as one of kind ngram that was trained here; measure
    it with eval --text, since it has no text of its own.
    """
    from nextword.importing.imported_run import Splitting, import_arpa

    with ProgressBars() as bars:
        show = partial(bars.show, f"reading {file.name}")
        splitting = Splitting(tokenizer, lowercase)
        imported = import_arpa(file, run, splitting, encoding, force, show)
    for note in imported.notes:
        say(note, err=True)
    sizes, path = imported.loaded.model.ngram_counts(), imported.folder.path
    if as_json:
        say_json({"run": run, "vocabulary_size": sizes[0], "ngrams": sizes})
        return
    counts = ", ".join(f"{size:,}" for size in sizes)
    say(f"wrote {escape_control(str(path))}: n-grams of 1 to {len(sizes)} words: {counts}")
