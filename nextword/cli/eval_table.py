"""An evaluation as lines for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from nextword.evaluation.breakdown import Band
from nextword.evaluation.evaluator import Evaluation
from nextword.formatting import escape_control, figure, percent, share

COSTLIEST = 10
"""Words named for what they cost; JSON has more."""
_NAME, _FIRST = 20, 20
"""Widths of the first two columns."""


def table_lines(measured: Evaluation, text: str, model: Path) -> list[str]:
    """The figures, with their standard errors, one kind a line."""
    speed = measured.tokens / max(measured.seconds, 1e-9)
    rows = [
        ("text", f"{text} ({measured.tokens:,} words)", ""),
        ("model", str(model), ""),
        *_knowledge(measured),
        ("", "all words", "with a letter or digit"),
        *_usefulness(measured),
        ("time", f"{measured.seconds:.1f} s, {speed:,.0f} words/s", ""),
    ]
    return [f"{name:<{_NAME}}{first:<{_FIRST}}{second}".rstrip() for name, first, second in rows]


def _knowledge(measured: Evaluation) -> list[tuple[str, str, str]]:
    """How unsure the model is of the text."""
    figures = {
        "perplexity": ("perplexity", 2),
        "  known words": ("perplexity_known", 2),
        "  spelled out": ("perplexity_spelled_out", 2),
        "bits per character": ("bits_per_character", 3),
    }
    rows = [
        (name, figure(getattr(measured, key), measured.standard_errors[key], digits), "")
        for name, (key, digits) in figures.items()
    ]
    each = measured.bits_per_unknown_word
    spelled = "" if math.isnan(each) else f"{each:.1f} bits each to spell"
    return [*rows, ("unknown words", percent(measured.unknown_rate), spelled)]


def _usefulness(measured: Evaluation) -> list[tuple[str, str, str]]:
    """How good its predictions are; in the second column, of words with a letter or digit."""
    errors, real = measured.standard_errors, measured.real_words
    tops = {
        "right word first": "top_1",
        "among the first 3": "top_3",
        "among the first 5": "top_5",
    }
    rows = [
        (
            name,
            share(getattr(measured, key), errors[key]),
            share(getattr(real, key), real.standard_errors[key]),
        )
        for name, key in tops.items()
    ]
    key = "mean_reciprocal_rank"
    reciprocal = figure(measured.mean_reciprocal_rank, errors[key], 3)
    of_real = figure(real.mean_reciprocal_rank, real.standard_errors[key], 3)
    saved = share(measured.keystroke_savings, errors["keystroke_savings"])
    shown = f"{measured.suggestions} suggestion{'s' * (measured.suggestions != 1)}"
    most = f"of at most {percent(measured.keystroke_savings_limit)}, with {shown}"
    sure = f"likeliest word given {percent(measured.calibration.confidence)} on average"
    return [
        *rows,
        ("reciprocal rank", reciprocal, of_real),
        ("keystrokes saved", saved, most),
        ("calibration error", percent(measured.calibration.error), sure),
    ]


def details_lines(measured: Evaluation) -> list[str]:
    """Where the model is good and where it is not."""
    lines = [
        *_band_lines("times in training", measured.by_frequency),
        *_band_lines("place in paragraph", measured.by_position),
        "",
        f"{'costliest words':<{_NAME}}{'times':>8}{'bits':>10}{'bits each':>12}",
    ]
    for cost in measured.costliest_words[:COSTLIEST]:
        lines.append(
            f"{escape_control(cost.word):<{_NAME}}{cost.times:>8,}{cost.bits:>10,.0f}{cost.mean_bits:>12.2f}"
        )
    return lines


def comparison_lines(compared: Mapping[str, Evaluation]) -> list[str]:
    """Models side by side on the same text, one a line."""
    width = max(_NAME, *(len(name) + 2 for name in compared))
    titles = ("perplexity", "bits/char", "first", "first 3", "first 5", "keys saved")
    lines = ["", f"{'beside others':<{width}}" + "".join(f"{title:>12}" for title in titles)]
    for name, each in compared.items():
        figures = (
            f"{each.perplexity:,.2f}",
            f"{each.bits_per_character:.3f}",
            *(percent(share) for share in (each.top_1, each.top_3, each.top_5)),
            percent(each.keystroke_savings),
        )
        lines.append(f"{name:<{width}}" + "".join(f"{figure:>12}" for figure in figures))
    return lines


def _band_lines(title: str, bands: Sequence[Band]) -> list[str]:
    total = sum(band.tokens for band in bands)
    lines = ["", f"{title:<{_NAME}}{'words':>8}{'share':>10}{'perplexity':>12}"]
    for band in bands:
        words = percent(band.tokens / total)
        value, *error = figure(band.perplexity, band.standard_error, 1).split(" ", 1)
        told = " ".join([f"{value:>12}", *error])
        lines.append(f"{band.band:<{_NAME}}{band.tokens:>8,}{words:>10}{told}")
    return lines
