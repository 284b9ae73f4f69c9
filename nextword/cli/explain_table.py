"""How a network read a prompt, as lines for the terminal and as JSON."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from nextword.cli.wrap import columns_of, padded, shown_word
from nextword.formatting import escape_control, percent, two_digits
from nextword.inference.session import Prediction
from nextword.interpret.attribution import Attribution
from nextword.interpret.explanation import Explanation, WordRead
from nextword.text.vocabulary import UNKNOWN

WIDEST_WORD, WIDEST = 24, 140
"""Columns."""
BAR = 12
"""Columns of the longest bar."""
ALONE = "the network alone; predict mixes its forecast with counted n-grams"


def explanation_json(told: Explanation, prompt: str, mixed: bool) -> dict[str, Any]:
    """All figures, ready for JSON."""
    return {
        "prompt": prompt,
        "network_alone_of_a_mixture": mixed,
        "steps": [{"t": t, **asdict(word)} for t, word in enumerate(told.words)],
        "prediction": asdict(told.prediction),
        "left_out_words_are_read_as": UNKNOWN,
        "attributions": [asdict(part) for part in told.attributions],
    }


def explanation_lines(told: Explanation, mixed: bool) -> Iterator[str]:
    """A line a word, then what the last prediction rests on."""
    names = [_name(word.word, word.known) for word in told.words]
    width = max(columns_of(name) for name in [*names, "word"])
    yield from _step_lines(told, names, width)
    yield ""
    yield from _attribution_lines(told, names, width)
    yield ""
    yield from _notes(told, mixed)


def _name(word: str, known: bool) -> str:
    shown = shown_word(word)
    if columns_of(shown) > WIDEST_WORD:
        shown = shown[: WIDEST_WORD - 1] + "…"
    return shown if known or word == UNKNOWN else f"{shown} (?)"


def _step_lines(told: Explanation, names: Sequence[str], width: int) -> Iterator[str]:
    inside = told.words[0].moved is not None
    titles = [f"{'t':>2}  {padded('word', width)} {'given':>7} {'rank':>6} entropy"]
    titles += [" moved"] * inside + [f" {gate}" for gate in told.gate_names]
    head = "".join(titles)
    room = min(shutil.get_terminal_size().columns, WIDEST) - columns_of(head) - 2
    yield f"{head}  may come next (%)"
    for t, (name, word) in enumerate(zip(names, told.words, strict=True)):
        given = "-" if word.probability is None else percent(word.probability)
        rank = "-" if word.rank is None else f"{word.rank:,}"
        start = f"{t:>2}  {padded(name, width)} {given:>7} {rank:>6} {word.entropy_bits:>7.2f}"
        yield start + _inside(word, told.gate_names) + "  " + _next(word.predictions, room)


def _inside(word: WordRead, gates: Sequence[str]) -> str:
    moved = "" if word.moved is None else f" {word.moved:>5.2f}"
    return moved + "".join(f" {word.gate(gate):>{len(gate)}.2f}" for gate in gates)


def _next(predictions: Sequence[Prediction], room: int) -> str:
    """The likeliest words: one at least, and more as long as there is room."""
    told = ""
    for prediction in predictions:
        more = f"{escape_control(prediction.word)} {two_digits(prediction.probability)}"
        if told and columns_of(told) + 2 + columns_of(more) > room:
            break
        told = f"{told}, {more}" if told else more
    return told


def _attribution_lines(told: Explanation, names: Sequence[str], width: int) -> Iterator[str]:
    best = told.prediction
    yield f"What {escape_control(best.word)!r} ({percent(best.probability)}) rests on, in bits"
    column = BAR + 9
    by_gradient = f"{'gradient × input':<{column}}"
    yield f"{'t':>2}  {padded('word', width)}  {by_gradient}  read as {UNKNOWN}"
    first = len(names) - len(told.attributions)
    most = max(max(abs(v) for v in _values(part)) for part in told.attributions)
    for t, (name, part) in enumerate(zip(names[first:], told.attributions, strict=True), first):
        gradient, left_out = (_bar(value, most) for value in _values(part))
        unknown = not told.words[t].known
        shown = f"{'-':>7}" if unknown else left_out
        yield f"{t:>2}  {padded(name, width)}  {gradient:<{column}}  {shown}".rstrip()


def _values(part: Attribution) -> tuple[float, float]:
    return part.gradient_bits, part.left_out_bits


def _bar(value: float, most: float) -> str:
    """A number and its bar, shaded where the number is negative."""
    length = round(BAR * abs(value) / most) if most > 0 and math.isfinite(value) else 0
    return f"{value:>+7.2f}  {('█' if value > 0 else '░') * length}"


def _notes(told: Explanation, mixed: bool) -> Iterator[str]:
    yield "given: the word's probability before it came; entropy: of the next word, in bits"
    if told.words[0].moved is not None:
        gates = "; gates: how open, mean over units, 0 to 1" if told.gate_names else ""
        yield f"moved: length of the hidden state's change over its length{gates}"
    yield f"rests on: positive speaks for the word; read as {UNKNOWN}: bits lost without this word"
    if any(not word.known for word in told.words):
        yield "(?) is not in the vocabulary and was read as unknown"
    if mixed:
        yield ALONE
