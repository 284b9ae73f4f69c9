"""A comparison as a table of text: a row per figure, a column per run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nextword.comparison.comparison import Comparison, RunResult
from nextword.evaluation.metrics import METRICS, Metric, metrics_on
from nextword.formatting import change
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import context_figure, half_life_figure, steps_figure

MISSING = "-"
Cell = Callable[[RunResult], str]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    title: str
    cells: list[str]


def rows(comparison: Comparison) -> list[Row]:
    """What the runs are, how they were trained, and how they performed."""
    table = {**_training(), **_evaluation(comparison)}
    if comparison.memories:
        table |= _memory()
    return [
        Row(title, [cell(result) for result in comparison.runs]) for title, cell in table.items()
    ]


def _training() -> dict[str, Cell]:
    return {
        "model": lambda result: result.run.loaded.title,
        "parameters": lambda result: f"{result.run.loaded.parameter_count():,}",
        "vocabulary": lambda result: f"{len(result.run.loaded.tokenizer):,}",
        "words read in training": lambda result: _count(result.run.log.words),
        "training time": _training_time,
        "training words/s": _training_speed,
    }


def _training_time(result: RunResult) -> str:
    logged = result.run.log.result
    return MISSING if logged is None or logged.seconds is None else f"{logged.seconds:,.1f} s"


def _training_speed(result: RunResult) -> str:
    logged = result.run.log.result
    speed = None if logged is None else logged.tokens_per_second
    return _count(None if speed is None else round(speed))


def _count(value: int | None) -> str:
    return MISSING if value is None else f"{value:,}"


def _evaluation(comparison: Comparison) -> dict[str, Cell]:
    table: dict[str, Cell] = {"words predicted": lambda result: f"{result.measured.tokens:,}"}
    for metric in metrics_on("compare"):
        # spelling out the same unknown words tells nothing about the difference
        if metric.key == "perplexity_spelled_out" and comparison.same_vocabulary:
            continue
        table[metric.row_title] = _metric_cell(metric)
        if metric.key == "top_1":
            # predicting <unk> for an unknown word is easy
            table["  of real words"] = _metric_cell(metric, real_words=True)
    table["reading words/s"] = _reading_speed
    if len(comparison.runs) > 1:
        short = METRICS[comparison.measure].short
        table[f"{short} against {comparison.runs[0].name}"] = _against_first
    return table


def _metric_cell(metric: Metric, real_words: bool = False) -> Cell:
    def cell(result: RunResult) -> str:
        values = result.measured.real_words if real_words else result.measured
        return values.show(metric)

    return cell


def _reading_speed(result: RunResult) -> str:
    return f"{result.measured.tokens / max(result.measured.seconds, 1e-9):,.0f}"


def _against_first(result: RunResult) -> str:
    if result.against_first is None:
        return MISSING
    return change(result.against_first.share, result.against_first.standard_error)


def _memory() -> dict[str, Cell]:
    return {
        "gradient's half-life (words)": _decay_cell(half_life_figure),
        "  less than 1 % left after (words)": _decay_cell(steps_figure),
        "context needed (words)": (
            lambda result: MISSING if result.memory is None else context_figure(result.memory)
        ),
    }


def _decay_cell(show: Callable[[GradientDecay], str]) -> Cell:
    def cell(result: RunResult) -> str:
        decay = None if result.memory is None else result.memory.whole
        return MISSING if decay is None else show(decay)

    return cell
