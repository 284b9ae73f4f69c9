"""``nextword similar``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nextword.cli.asked import asked_model
from nextword.cli.options import json_option, model_option
from nextword.cli.terminal import say, say_json
from nextword.formatting import escape_control

if TYPE_CHECKING:
    from nextword.inference.neighbours import Neighbour
    from nextword.model import Model


@click.command("similar")
@click.argument("word", required=False)
@click.option(
    "-k", "count", default=10, show_default=True, type=click.IntRange(min=1), help="How many words."
)
@click.option(
    "--analogy",
    nargs=3,
    metavar="A B C",
    help="Instead of WORD: A is to B as C is to which words?",
)
@click.option(
    "--map",
    "picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw a map of the most frequent words, as .png or .svg.",
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
    """Name the words that a network takes to be like WORD.

    Near are words whose vectors, in the network's embedding, point the same way. On a map the
    WORD and those near it stand out.
    """
    if word is not None and analogy is not None:
        raise click.UsageError("give a WORD or --analogy A B C, not both")
    if word is None and analogy is None and picture is None:
        raise click.UsageError("give a WORD, --analogy A B C, or --map FILE")
    if picture is not None:
        from nextword.plotting.style import check_picture

        check_picture(picture)
    from nextword.model import load_model

    predictor = load_model(asked_model(model))
    asked: list[str] = []
    found: list[Neighbour] = []
    if analogy is not None:
        asked, found = list(analogy), predictor.analogy(*analogy, k=count)
    elif word is not None:
        asked, found = [word], predictor.similar(word, count)
    if as_json:
        _say_json(asked, found)
    else:
        for line in _lines(found):
            say(line)
    if picture is not None:
        _draw(predictor, picture, map_words, asked + [near.word for near in found])


def _say_json(asked: list[str], found: list[Neighbour]) -> None:
    if not asked:
        return
    question: dict[str, Any] = {"word": asked[0]} if len(asked) == 1 else {"analogy": asked}
    say_json({**question, "similar": [asdict(near) for near in found]})


def _lines(found: list[Neighbour]) -> list[str]:
    """Word, cosine, and a bar to look at."""
    words = [escape_control(near.word) for near in found]
    width = max(map(len, words), default=0)
    return [
        f"{word:<{width}}  {near.similarity:>6.3f}  {'█' * round(24 * max(near.similarity, 0))}"
        for word, near in zip(words, found, strict=True)
    ]


def _draw(predictor: Model, picture: Path, words: int, marked: list[str]) -> None:
    from nextword.inference.neighbours import word_id
    from nextword.plotting.word_map import write_map

    ids = [word_id(predictor.loaded.tokenizer, word) for word in marked]
    write_map(predictor.loaded, picture, words, list(dict.fromkeys(ids)))
    say(f"saved {picture}", err=True)
