"""``nextword explain``: a prompt word by word, or how far back a network remembers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nextword.cli.completers import complete_text
from nextword.cli.layout import PILCROW, columns_of, padded, quoted_mark, shown_word
from nextword.cli.options import (
    PromptCommand,
    check_together,
    encoding_option,
    json_option,
    model_option,
    open_model,
    places_option,
    prompt_argument,
    reach_option,
    resolve_model,
    split_option,
)
from nextword.cli.progress import ProgressBars
from nextword.cli.terminal import argument_text, piped_text, say, say_json, say_saved, say_unknown
from nextword.formatting import change, counted, escape_control, figure, percent, two_digits

if TYPE_CHECKING:
    from nextword.inference.session import Prediction
    from nextword.interpret.explanation import Explanation, WordRead
    from nextword.interpret.gradients import GradientDecay
    from nextword.interpret.memory import Memory

GRADIENT_OPTIONS = ("text", "encoding", "split", "reach", "places")
MAX_WORD_WIDTH, MAX_WIDTH = 24, 140
"""Columns of a word, and of the table."""
BAR_WIDTH = 12
"""Columns of the longest bar."""
MIXED = "this is the network alone; predict mixes it with counted n-grams"
SHOWN = (0, 1, 2, 3, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1000)
"""Distances in words that have a line; JSON has all."""
CARRIES, MATTERS = 0.5, 0.1
"""Shares of the strongest word's bits: words above the first carry a prediction, words below the
second hardly matter."""
MIN_BITS = 0.05
"""A word that changes the prediction by less carries nothing."""
NAMED = 3
"""Words named in the interpretation, at most, of either sort."""
START = "the start of the paragraph"
"""The interpretation's name for the end of a paragraph that is read before every text."""


@click.command("explain", cls=PromptCommand)
@prompt_argument
@click.option(
    "-k",
    "count",
    metavar="N",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many predictions after each word, as far as the terminal has room.",
)
@click.option(
    "--gradients",
    is_flag=True,
    help="Instead, measure how gradients vanish and what short contexts cost.",
)
@click.option(
    "--text",
    metavar="FILE",
    shell_complete=complete_text,
    help="The text for --gradients; it may also be given as PROMPT.",
)
@encoding_option
@split_option("The held-out part of the run's text for --gradients.")
@reach_option
@places_option
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also save a plot, as .png or .svg.",
)
@model_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    prompt: str | None,
    count: int,
    gradients: bool,
    text: str | None,
    encoding: str,
    split: str,
    reach: int,
    places: int,
    plot: Path | None,
    model: Path | None,
    as_json: bool,
) -> None:
    """Show how a network reads PROMPT, or how far back it remembers.

    After each word: the probability it had before, how uncertain the network is of the next one,
    how far its hidden state moved, how open its gates are; at the end, which words made the
    likeliest next word likely. What each figure means: docs/insight.md.
    """
    check_together(context, "--gradients", gradients, GRADIENT_OPTIONS)
    check_together(context, "a PROMPT", not gradients, ("count",))
    if gradients and prompt is not None and text is not None:
        raise click.UsageError("give the text as an argument or with --text, not both")
    if plot is not None:
        from nextword.plotting.style import check_picture

        check_picture(plot)
    if gradients:
        files = [file for file in (prompt, text) if file is not None]
        memory = _measure(model, files, encoding, split, reach, places)
        if plot is not None:
            from nextword.plotting.interpret import memory_figure
            from nextword.plotting.style import write_picture

            write_picture(plot, lambda: memory_figure([memory], [memory.name]))
        if as_json:
            say_json(memory.as_dict())
        else:
            say(*memory_lines(memory))
    else:
        _explain_prompt(prompt, count, plot, model, as_json)
    if plot is not None:
        say_saved(plot)


def _explain_prompt(
    prompt: str | None, count: int, plot: Path | None, model: Path | None, as_json: bool
) -> None:
    from nextword.interpret.explanation import explain
    from nextword.storage.run_folder import run_of_model
    from nextword.text.tokenized import read_prompt

    text = argument_text(prompt) if prompt is not None else piped_text()
    if prompt is None and not text.strip():
        raise click.UsageError("no prompt: give one as an argument or through a pipe")
    opened = open_model(model, "cpu")
    loaded = opened.loaded
    tokenized, unmatched = read_prompt(loaded.tokenizer, text)
    say_unknown(loaded.tokenizer, unmatched)
    explanation = explain(loaded, tokenized, count)
    if plot is not None:
        from nextword.plotting.interpret import explanation_figure
        from nextword.plotting.style import write_picture

        assert opened.folder is not None
        name = run_of_model(opened.folder).path.name
        write_picture(plot, lambda: explanation_figure(explanation, text, name))
    mixed = loaded.mixture.ngram is not None
    if as_json:
        say_json(explanation_json(explanation, text, mixed))
    else:
        say(*explanation_lines(explanation, mixed))


def _measure(
    model: Path | None,
    files: Sequence[str],
    encoding: str,
    split: str,
    reach: int,
    places: int,
) -> Memory:
    """Measure a network's memory on files, or without any on a held-out part of its own text."""
    from nextword.comparison.loaded_run import load_runs
    from nextword.device import leave_busy_cores
    from nextword.evaluation.held_out import TRAINED_ON
    from nextword.interpret.memory import check_memory, measure_memory

    (run,) = load_runs([resolve_model(model)], split, files, encoding)
    if run.learned_it:
        say(f"{run.name} {TRAINED_ON}", err=True)
    leave_busy_cores(partial(say, err=True))
    check_memory(run.loaded, run.part, reach, places)
    with ProgressBars() as bars:
        return measure_memory(run.loaded, run.name, run.part, reach, places, bars.show)


# A prompt, word by word


def explanation_json(explanation: Explanation, prompt: str, mixed: bool) -> dict[str, Any]:
    """All figures, ready for JSON."""
    from nextword.text.vocabulary import UNKNOWN

    return {
        "prompt": prompt,
        "network_alone_of_a_mixture": mixed,
        "steps": [{"t": t, **asdict(word)} for t, word in enumerate(explanation.words)],
        "prediction": asdict(explanation.prediction),
        "left_out_words_are_read_as": UNKNOWN,
        "attributions": [asdict(part) for part in explanation.attributions],
    }


def explanation_lines(explanation: Explanation, mixed: bool) -> Iterator[str]:
    """A line for each word, what made the last prediction likely, and what the columns mean."""
    names = [_name(word) for word in explanation.words]
    width = max(columns_of(name) for name in [*names, "word"])
    yield from _step_lines(explanation, names, width)
    yield ""
    yield from _attribution_lines(explanation, names, width)
    yield ""
    yield interpretation(explanation)
    yield ""
    yield from _notes(explanation, mixed)


def _name(word: WordRead) -> str:
    from nextword.text.vocabulary import UNKNOWN

    shown = shown_word(word.word)
    if columns_of(shown) > MAX_WORD_WIDTH:
        shown = shown[: MAX_WORD_WIDTH - 1] + "…"
    return shown if word.known or word.word == UNKNOWN else f"{shown} (?)"


def _step_lines(explanation: Explanation, names: Sequence[str], width: int) -> Iterator[str]:
    has_state = explanation.words[0].moved is not None
    inside = [" moved"] * has_state + [f" {gate}" for gate in explanation.gate_names]
    head = f"{'t':>2}  {padded('word', width)} {'before':>11} {'rank':>6} entropy{''.join(inside)}"
    room = min(shutil.get_terminal_size().columns, MAX_WIDTH) - columns_of(head) - 2
    yield f"{'':>2}  {'':<{width}} probability"
    yield f"{head}  likely next words (%)"
    for t, (name, word) in enumerate(zip(names, explanation.words, strict=True)):
        before = "-" if word.probability is None else percent(word.probability)
        rank = "-" if word.rank is None else f"{word.rank:,}"
        start = f"{t:>2}  {padded(name, width)} {before:>11} {rank:>6} {word.entropy_bits:>7.2f}"
        yield start + _inside(word, explanation.gate_names) + "  " + _next(word.predictions, room)


def _inside(word: WordRead, gates: Sequence[str]) -> str:
    moved = "" if word.moved is None else f" {word.moved:>5.2f}"
    return moved + "".join(f" {word.gate(gate):>{len(gate)}.2f}" for gate in gates)


def _next(predictions: Sequence[Prediction], room: int) -> str:
    """The likeliest words: at least one, and more as long as there is room."""
    line = ""
    for prediction in predictions:
        more = f"{quoted_mark(prediction.word)} {two_digits(prediction.probability)}"
        if line and columns_of(line) + 2 + columns_of(more) > room:
            break
        line = f"{line}, {more}" if line else more
    return line


def _attribution_lines(explanation: Explanation, names: Sequence[str], width: int) -> Iterator[str]:
    from nextword.text.vocabulary import UNKNOWN

    best = explanation.prediction
    yield f"What made {escape_control(best.word)!r} ({percent(best.probability)}) likely, in bits"
    column = BAR_WIDTH + 9
    yield f"{'t':>2}  {padded('word', width)}  {'gradient × input':<{column}}  read as {UNKNOWN}"
    parts = explanation.attributions
    first = len(names) - len(parts)
    most = max(max(abs(part.gradient_bits), abs(part.left_out_bits)) for part in parts)
    for t, (name, part) in enumerate(zip(names[first:], parts, strict=True), first):
        gradient = _bar(part.gradient_bits, most)
        left_out = _bar(part.left_out_bits, most) if explanation.words[t].known else f"{'-':>7}"
        yield f"{t:>2}  {padded(name, width)}  {gradient:<{column}}  {left_out}".rstrip()


def _bar(value: float, most: float) -> str:
    """A number and its bar, shaded where the number is negative."""
    length = round(BAR_WIDTH * abs(value) / most) if most > 0 and math.isfinite(value) else 0
    return f"{value:>+7.2f}  {('█' if value > 0 else '░') * length}"


def interpretation(explanation: Explanation) -> str:
    """Which words carry the prediction and which hardly matter, in a sentence.

    Judged by the bits that the prediction loses when a word is read as unknown. Only the words
    since the last end of a paragraph are named, each once; a word that is unknown anyway is not.
    The paragraph's beginning is named only if it is what the prediction depends on most.
    """
    parts = explanation.attributions
    known = explanation.words[len(explanation.words) - len(parts) :]
    bits: dict[str, float] = {}
    for part, word in zip(parts, known, strict=True):
        shown = shown_word(part.word)
        if word.known:
            # of a word that comes twice, the stronger occurrence
            bits[shown] = max(bits.get(shown, 0.0), part.left_out_bits, key=abs)
    if bits.get(PILCROW, 0.0) < max(bits.values(), default=0.0):
        bits.pop(PILCROW, None)
    strongest = max(bits.values(), default=0.0)
    ordered = sorted(bits, key=lambda word: -bits[word])
    carrying = [word for word in ordered if bits[word] >= max(MIN_BITS, CARRIES * strongest)]
    idle = [word for word in ordered if abs(bits[word]) < MATTERS * strongest]
    if not carrying:
        return f"No single word carries {escape_control(explanation.prediction.word)!r}."
    listed = _listed(carrying)
    verb = "carries" if len(carrying) == 1 else "carry"
    sentence = f"{listed[0].upper()}{listed[1:]} {verb} this prediction"
    if idle:
        sentence += f"; {_listed(idle)} hardly matter{'s' * (len(idle) == 1)}"
    return f"{sentence}."


def _listed(words: Sequence[str]) -> str:
    shown = [START if word == PILCROW else f"'{word}'" for word in words[:NAMED]]
    if len(words) > NAMED:
        shown.append(counted(len(words) - NAMED, "other word"))
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _notes(explanation: Explanation, mixed: bool) -> Iterator[str]:
    from nextword.text.vocabulary import UNKNOWN

    yield "probability before: the word's probability just before it came"
    yield "entropy: uncertainty about the next word, in bits"
    if explanation.words[0].moved is not None:
        gates = "; gates: how open, mean over units, 0 to 1" if explanation.gate_names else ""
        yield f"moved: length of the hidden state's change, relative to its length{gates}"
    yield (
        "in bits: positive supports the prediction; "
        f"read as {UNKNOWN}: what the prediction loses without this word"
    )
    if any(not word.known for word in explanation.words):
        yield "(?) is not in the vocabulary and was read as unknown"
    if mixed:
        yield MIXED


# How far back a network remembers


def memory_lines(memory: Memory) -> Iterator[str]:
    """A network's gradients, and what short contexts cost it."""
    yield f"model   {memory.name}, {memory.kind}"
    yield f"text    {memory.text}"
    yield ""
    if memory.whole is None:
        yield f"{memory.kind}: no hidden state for gradients to flow through"
    else:
        yield from _gradient_lines(memory, memory.whole)
    yield ""
    yield from _context_lines(memory)


def _gradient_lines(memory: Memory, whole: GradientDecay) -> Iterator[str]:
    from nextword.interpret.memory import HALF_LIFE, half_life_phrase, steps_phrase

    state = "h and c" if memory.hidden is not None else "h"
    positions = counted(memory.gradient_places, "position")
    yield f"Gradient of the loss with respect to {state}, k words back, relative to k = 0"
    yield f"over {positions}"
    alone = "" if memory.hidden is None else f"{'h alone':>16}"
    yield f"{'k':>5}{'geometric mean':>16}{'mean':>12}{alone}"
    for k in sorted({k for k in SHOWN if k <= memory.reach} | {memory.reach}):
        row = f"{k:>5}{whole.geometric_mean[k]:>16.3g}{whole.mean[k]:>12.3g}"
        if memory.hidden is not None:
            row += f"{memory.hidden.geometric_mean[k]:>16.3g}"
        yield row
    small = steps_phrase(whole)
    yield f"{half_life_phrase(whole)}, fitted from k = 1 on; below 1 % after {small}"
    if memory.hidden is not None:
        yield f"h alone: {half_life_phrase(memory.hidden)}"
    yield HALF_LIFE
    if whole.vanished.any():
        share = f"{100 * whole.vanished[-1]:.1f} %"
        yield f"vanished within {counted(memory.reach, 'word')} at {share} of the positions"


def _context_lines(memory: Memory) -> Iterator[str]:
    from nextword.interpret.memory import context_phrase

    positions = counted(memory.context_places, "position")
    yield f"Perplexity by words of context, over {positions}"
    yield f"{'words':>5}{'perplexity':>16}    increase over full context"
    for cost in memory.costs[:-1]:
        increase = change(cost.above, cost.standard_error)
        yield f"{cost.words:>5}{figure(cost.perplexity, None, 2):>16}    {increase}"
    yield f"{'all':>5}{figure(memory.perplexity, None, 2):>16}"
    yield f"needs {context_phrase(memory)} of context to come within 1 % of full context"
