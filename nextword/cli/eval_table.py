"""An evaluation as lines for the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nextword.evaluation.breakdown import Band
from nextword.evaluation.evaluator import Evaluation
from nextword.evaluation.metrics import metrics_on
from nextword.formatting import escape_control, figure, percent

COSTLIEST = 10
"""Costliest words shown; JSON has more."""
_NAME, _FIRST = 22, 20
"""Widths of the first two columns."""


def table_lines(measured: Evaluation, text: str, model: Path) -> list[str]:
    """The metrics with their standard errors, a line each."""
    speed = measured.tokens / max(measured.seconds, 1e-9)
    rows = [
        ("text", f"{text} ({measured.tokens:,} words)", ""),
        ("model", str(model), ""),
        *_metric_rows(measured),
        ("time", f"{measured.seconds:.1f} s, {speed:,.0f} words/s", ""),
    ]
    width = max(_NAME, *(len(name) + 2 for name, _, _ in rows))
    return [f"{name:<{width}}{first:<{_FIRST}}{second}".rstrip() for name, first, second in rows]


def _metric_rows(measured: Evaluation) -> Iterator[tuple[str, str, str]]:
    """Title, value, and the value over real words or a note."""
    notes, head = _notes(measured), True
    for metric in metrics_on("eval"):
        second = notes.get(metric.key, "")
        if metric.of_real_words:
            if head:
                yield "", "all words", "with a letter or digit"
            head, second = False, measured.real_words.show(metric)
        yield metric.row_title, measured.show(metric), second


def _notes(measured: Evaluation) -> dict[str, str]:
    """What else a reader of some metrics wants to know, by their keys."""
    bits = measured.bits_per_unknown_word
    shown = f"{measured.suggestions} suggestion{'s' * (measured.suggestions != 1)}"
    most = percent(measured.keystroke_savings_limit)
    confidence = percent(measured.calibration.confidence)
    return {
        "unknown_rate": "" if math.isnan(bits) else f"{bits:.1f} bits each to spell",
        "keystroke_savings": f"of at most {most}, with {shown}",
        "calibration_error": f"mean probability of the likeliest word: {confidence}",
    }


def details_lines(measured: Evaluation) -> list[str]:
    """Perplexity by frequency and position, and the costliest words."""
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
    width, metrics = max(_NAME, *(len(name) + 2 for name in compared)), metrics_on("baselines")
    titles = "".join(f"{metric.short:>12}" for metric in metrics)
    lines = ["", f"{'baselines':<{width}}{titles}"]
    for name, measured in compared.items():
        values = (f"{metric.format(measured.values[metric.key]):>12}" for metric in metrics)
        lines.append(f"{name:<{width}}{''.join(values)}")
    return lines


def _band_lines(title: str, bands: Sequence[Band]) -> list[str]:
    total = sum(band.tokens for band in bands)
    lines = ["", f"{title:<{_NAME}}{'words':>8}{'share':>10}{'perplexity':>12}"]
    for band in bands:
        words = percent(band.tokens / total)
        value, *error = figure(band.perplexity, band.standard_error, 1).split(" ", 1)
        cells = " ".join([f"{value:>12}", *error])
        lines.append(f"{band.band:<{_NAME}}{band.tokens:>8,}{words:>10}{cells}")
    return lines
