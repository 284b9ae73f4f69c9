"""``nextword similar``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nextword.cli.layout import BAR_WIDTH, columns_of, padded
from nextword.cli.options import json_option, model_option, open_model
from nextword.cli.terminal import say, say_json, say_saved, say_unknown
from nextword.formatting import escape_control

if TYPE_CHECKING:
    from nextword.inference.neighbours import Neighbour
    from nextword.model import Model


@click.command("similar")
@click.argument("word", required=False)
@click.option(
    "-k",
    "count",
    metavar="N",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many words.",
)
@click.option(
    "--analogy",
    nargs=3,
    metavar="A B C",
    help="Instead of WORD: which words are to C as B is to A?",
)
@click.option(
    "--map",
    "picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also save a map of the most frequent words, as .png or .svg.",
)
@click.option(
    "--map-words",
    default=250,
    show_default=True,
    type=click.IntRange(min=2),
    metavar="N",
    help="How many words on the map.",
)
@model_option
@json_option
def command(
    word: str | None,
    count: int,
    analogy: tuple[str, str, str] | None,
    picture: Path | None,
    map_words: int,
    model: Path | None,
    as_json: bool,
) -> None:
    """List the words most similar to WORD.

    Similarity is the cosine between two words' vectors in the network's embedding. On a map, WORD
    and its neighbours are highlighted.
    """
    if word is not None and analogy is not None:
        raise click.UsageError("give a WORD or --analogy A B C, not both")
    if word is None and analogy is None and picture is None:
        raise click.UsageError("give a WORD, --analogy A B C, or --map FILE")
    if picture is not None:
        from nextword.plotting.style import check_picture

        check_picture(picture)
    opened = open_model(model, "cpu")
    words: list[str] = []
    neighbours: list[Neighbour] = []
    if analogy is not None:
        words, neighbours = list(analogy), opened.analogy(*analogy, k=count)
    elif word is not None:
        words, neighbours = [word], opened.similar(word, count)
    tokenizer = opened.loaded.tokenizer
    found = map(tokenizer.find, words)
    say_unknown(tokenizer, [match for match in found if not match.exact])
    if as_json and words:
        question: dict[str, Any] = {"word": word} if analogy is None else {"analogy": words}
        say_json({**question, "similar": [asdict(neighbour) for neighbour in neighbours]})
    elif not as_json:
        for line in neighbour_lines(neighbours):
            say(line)
    if picture is not None:
        highlighted = words + [neighbour.word for neighbour in neighbours]
        _save_map(opened, picture, map_words, highlighted)


def neighbour_lines(neighbours: list[Neighbour]) -> list[str]:
    """Aligned lines of word, cosine, and a bar."""
    words = [escape_control(neighbour.word) for neighbour in neighbours]
    width = max(map(columns_of, words), default=0)
    return [
        f"{padded(word, width)}  {neighbour.similarity:>6.3f}  "
        f"{'█' * round(BAR_WIDTH * max(neighbour.similarity, 0))}"
        for word, neighbour in zip(words, neighbours, strict=True)
    ]


def _save_map(model: Model, picture: Path, words: int, highlighted: list[str]) -> None:
    from nextword.inference.neighbours import word_id
    from nextword.plotting.word_map import write_map

    ids = [word_id(model.loaded.tokenizer, word) for word in highlighted]
    write_map(model.loaded, picture, words, list(dict.fromkeys(ids)))
    say_saved(picture)
