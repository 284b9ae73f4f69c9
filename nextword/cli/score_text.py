"""The score of a text for people: shaded running text, or a table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from nextword.cli.wrap import Wrapper, columns_of, padded, shown_word
from nextword.evaluation.score import Score, ScoredWord
from nextword.formatting import percent
from nextword.formatting import EDGES, edge_names, shade
from nextword.text.vocabulary import END

SHADES = (231, 229, 222, 215, 209, 203)
"""Of the 256 colours of terminals: from white over yellow to red, each darker than the one before,
all light enough for black letters. Paper and ink are both set, so that a terminal's own colours,
light or dark, do not matter."""
INK = 16


def summary(score: Score) -> dict[str, Any]:
    """The figures of the whole text, ready for JSON."""
    return {
        "words": len(score.words),
        "characters": score.characters,
        "unknown_words": score.unknown,
        "bits": score.bits,
        "spelling_bits": score.spelling_bits,
        "perplexity": score.perplexity,
        "bits_per_character": score.bits_per_character,
    }


def summary_line(score: Score) -> str:
    """The same in one line."""
    spelled = f" ({_number(score.spelling_bits)} to spell unknown words)" if score.unknown else ""
    words = f"{len(score.words):,} word{'s' * (len(score.words) != 1)}"
    return (
        f"{words}: {_number(score.bits)} bits{spelled}, perplexity {_number(score.perplexity)}, "
        f"{_number(score.bits_per_character, 3)} bits per character"
    )


def _number(value: float, digits: int = 1) -> str:
    return f"{value:,.{digits}f}" if value < 1e9 else f"{value:.2e}"


def table_lines(score: Score) -> Iterator[str]:
    """A line a word, its columns aligned, and the summary."""
    names = [_name(word) for word in score.words]
    width = min(max(columns_of(name) for name in [*names, "word"]), 30)
    yield f"{padded('word', width)}  probability     rank   bits  likeliest"
    for name, word in zip(names, score.words, strict=True):
        likeliest = shown_word(word.likeliest)
        yield (
            f"{padded(name, width)}  {percent(word.probability):>11}  {word.rank:>7,}  "
            f"{_number(word.bits):>5}  {likeliest}"
        )
    if score.unknown:
        yield "(?) is not in the vocabulary; the figures are those of any unknown word"
    yield summary_line(score)


def _name(word: ScoredWord) -> str:
    shown = shown_word(word.word)
    return shown if word.known else f"{shown} (?)"


def shaded(score: Score, width: int) -> str:
    """The running text, each word on a shade of its surprisal, with a legend and the summary."""
    wrapper = Wrapper(width, gap=_paint(" ", 0.0, known=True))
    written = []
    for word in score.words:
        ended = word.word == END
        shown = shown_word(word.word)
        written.append(wrapper.push(shown, partial(_paint, bits=word.bits, known=word.known)))
        written.append(wrapper.push("\n" if ended else " " * word.spaced))
    written.append(wrapper.flush())
    text = "".join(written).rstrip("\n")
    return f"{text}\n\n{legend(score.unknown > 0)}\n{summary_line(score)}"


def legend(unknown: bool) -> str:
    """What the shades mean, on one line."""
    lows = (0, *EDGES)
    parts = [_paint(f" {name} ", low, True) for name, low in zip(edge_names(), lows, strict=True)]
    told = f", {click.style('unknown', underline=True)} underlined" if unknown else ""
    return f"{''.join(parts)} bits{told}"


def _paint(text: str, bits: float, known: bool) -> str:
    return click.style(text, fg=INK, bg=SHADES[shade(bits)], underline=None if known else True)
