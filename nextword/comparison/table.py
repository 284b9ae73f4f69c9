"""A comparison as a table of words and figures, a row a figure and a column a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nextword.comparison.comparison import Comparison, RunResult
from nextword.formatting import change, figure, percent, share
from nextword.interpret import phrases
from nextword.interpret.gradients import GradientDecay

NONE = "-"
"""Where there is nothing to tell."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    title: str
    cells: list[str]


def rows(comparison: Comparison) -> list[Row]:
    """What the runs are, how they were trained, and how they fared."""
    told = {**_training(), **_evaluation(comparison)}
    if comparison.memories:
        told |= _memory()
    return [Row(title, [tell(run) for run in comparison.runs]) for title, tell in told.items()]


Tell = Callable[[RunResult], str]


def _training() -> dict[str, Tell]:
    return {
        "model": _architecture,
        "parameters": lambda run: f"{run.loaded_run.loaded.model.parameter_count():,}",
        "vocabulary": lambda run: f"{len(run.loaded_run.loaded.tokenizer):,}",
        "words read in training": lambda run: _count(run.loaded_run.log.words),
        "training time": _training_time,
        "training words/s": _training_speed,
    }


def _architecture(run: RunResult) -> str:
    config = run.loaded_run.loaded.config
    if config.kind == "ngram":
        return f"{config.order}-gram"
    mixed = " + n-grams" * (run.loaded_run.loaded.mixture.ngram is not None)
    return f"{config.title} {config.layers} x {config.hidden_size}{mixed}"


def _training_time(run: RunResult) -> str:
    result = run.loaded_run.log.result
    return NONE if result is None or result.seconds is None else f"{result.seconds:,.1f} s"


def _training_speed(run: RunResult) -> str:
    result = run.loaded_run.log.result
    speed = None if result is None else result.tokens_per_second
    return _count(None if speed is None else round(speed))


def _count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def _evaluation(comparison: Comparison) -> dict[str, Tell]:
    told: dict[str, Tell] = {
        "words predicted": lambda run: f"{run.measured.tokens:,}",
        "unknown words": lambda run: percent(run.measured.unknown_rate),
        "perplexity": _figure("perplexity", 2),
        "  spelled out": _figure("perplexity_spelled_out", 2),
        "bits per character": _figure("bits_per_character", 3),
        "right word first": _share("top_1"),
        "  of real words": _real_share,
        "among the first 3": _share("top_3"),
        "among the first 5": _share("top_5"),
        "keystrokes saved": _share("keystroke_savings"),
        "reading words/s": lambda run: (
            f"{run.measured.tokens / max(run.measured.seconds, 1e-9):,.0f}"
        ),
    }
    if comparison.same_vocabulary:
        # of the same words, and so the same in all columns
        del told["  spelled out"]
    if len(comparison.runs) > 1:
        first = comparison.runs[0].name
        told[f"{_SHORT[comparison.measure]} against {first}"] = _against_first
    return told


_SHORT = {
    "perplexity": "perplexity",
    "perplexity_spelled_out": "spelled out",
    "bits_per_character": "bits/char",
}


def _figure(key: str, digits: int) -> Tell:
    return lambda run: figure(getattr(run.measured, key), run.measured.standard_errors[key], digits)


def _share(key: str) -> Tell:
    return lambda run: share(getattr(run.measured, key), run.measured.standard_errors[key])


def _real_share(run: RunResult) -> str:
    """Of known words with a letter or digit: an unknown word is easily foretold as one."""
    real = run.measured.real_words
    return share(real.top_1, real.standard_errors["top_1"])


def _against_first(run: RunResult) -> str:
    if run.against_first is None:
        return NONE
    return change(run.against_first.share, run.against_first.standard_error)


def _memory() -> dict[str, Tell]:
    return {
        "gradient's half-life (words)": _of_fade(phrases.half_life),
        "  less than 1 % left after (words)": _of_fade(phrases.steps_to_1_percent),
        "context needed (words)": (
            lambda run: NONE if run.memory is None else phrases.needed(run.memory)
        ),
    }


def _of_fade(tell: Callable[[GradientDecay], str]) -> Tell:
    def told(run: RunResult) -> str:
        fade = None if run.memory is None else run.memory.whole
        return NONE if fade is None else tell(fade)

    return told
