"""The metrics: how each is computed, named and formatted.

:data:`METRICS` is the one list of them. A new metric is one row of it; it is then part of the
evaluation, its JSON, the tables of ``eval`` and ``compare``, and the report page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nextword import formatting
from nextword.evaluation.keystrokes import most_saved
from nextword.inference.scoring import TokenScores
from nextword.statistics import perplexity, standard_error
from nextword.text.vocabulary import SPECIAL_WORDS

CALIBRATION_BINS = 15
"""Of equal width from 0 to 1, as in Guo and others (2017)."""

Estimate = tuple[float, float | None]
"""A value, NaN if the text has nothing to take it from, and its standard error, if known."""
Surface = Literal["eval", "compare", "baselines", "tiles"]
"""A table that metrics appear in: ``compare`` is also the table of the report page, ``tiles`` are
the figures at its top."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The input of a metric: a model's scores of a text, and the positions to count."""

    scores: TokenScores
    saved: NDArray[np.int32]
    """Keys that suggestions save a typist, ``(positions,)``."""
    counted: NDArray[np.bool_]
    """``(positions,)``"""
    characters: int
    """Characters of the text, at least 1."""

    def mean(self, values: NDArray[Any]) -> Estimate:
        """The mean over the counted positions of ``values``, ``(positions,)``."""
        tokens, counted_values = int(self.counted.sum()), values * self.counted
        total = float(counted_values.sum(dtype=np.float64))
        return total / tokens if tokens else math.nan, standard_error(counted_values, self.counted)

    def perplexity(self, spelled_out: bool = False, known: bool = False) -> Estimate:
        """The perplexity, unknown words charged for their letters or left out on demand."""
        nats = self.scores.surprisals.astype(np.float64)
        counted = self.counted & self.scores.known if known else self.counted
        return perplexity(nats + self.scores.spellings if spelled_out else nats, counted)


@dataclass(frozen=True)
class Metric:
    """One row of :data:`METRICS`."""

    key: str
    """Its name in JSON."""
    title: str
    short: str
    """Its title where there is little room."""
    compute: Callable[[Sample], Estimate]
    digits: int | None = None
    """Decimal digits of a number; None for a share, which is shown in per cent."""
    has_error: bool = True
    """Whether its standard error is reported, too."""
    is_variant: bool = False
    """Whether it refines the metric above it; tables indent it."""
    of_real_words: bool = False
    """Whether it is also taken over real words alone, see :func:`real_words`."""
    surfaces: frozenset[Surface] = frozenset({"eval", "compare"})

    @property
    def row_title(self) -> str:
        """The title in a table of one row a metric."""
        return f"  {self.short}" if self.is_variant else self.title

    def format(self, value: float, error: float | None = None, digits: int | None = None) -> str:
        """A value for people, with its standard error if there is one.

        Args:
            value: of the metric.
            error: its standard error.
            digits: instead of the metric's own; of no effect on a share.
        """
        if self.digits is None:
            return formatting.share(value, error)
        return formatting.figure(value, error, self.digits if digits is None else digits)


def _on(*surfaces: Surface) -> frozenset[Surface]:
    """The tables that a metric appears in."""
    return frozenset(surfaces)


def _top(k: int, sample: Sample) -> Estimate:
    return sample.mean(sample.scores.ranks <= k)


def _bits_per_character(sample: Sample) -> Estimate:
    scores = sample.scores
    bits = (scores.surprisals.astype(np.float64) + scores.spellings) / math.log(2)
    return float(bits.sum()) / sample.characters, standard_error(bits, scores.characters)


def _bits_per_unknown_word(sample: Sample) -> Estimate:
    nats = sample.scores.spellings[sample.scores.spellings > 0]
    return (float(nats.mean()) / math.log(2) if len(nats) else math.nan), None


def _keystroke_savings(sample: Sample) -> Estimate:
    saved = sample.saved
    error = standard_error(saved, sample.scores.characters)
    return int(saved.sum(dtype=np.int64)) / sample.characters, error


def _keystroke_savings_limit(sample: Sample) -> Estimate:
    scores = sample.scores
    saved = most_saved(np.where(scores.known, scores.lengths, 0), scores.spaced)
    return int(saved.sum()) / sample.characters, None


def _calibration_error(sample: Sample) -> Estimate:
    return calibration(sample.scores.confidences, sample.scores.ranks == 1).error, None


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            "perplexity",
            "perplexity",
            "perplexity",
            Sample.perplexity,
            digits=2,
            surfaces=_on("eval", "compare", "baselines", "tiles"),
        ),
        Metric(
            "perplexity_known",
            "perplexity of known words",
            "known words",
            partial(Sample.perplexity, known=True),
            digits=2,
            is_variant=True,
            surfaces=_on("eval"),
        ),
        Metric(
            "perplexity_spelled_out",
            "perplexity, unknown words spelled out",
            "spelled out",
            partial(Sample.perplexity, spelled_out=True),
            digits=2,
            is_variant=True,
        ),
        Metric(
            "bits_per_character",
            "bits per character",
            "bits/char",
            _bits_per_character,
            digits=3,
            surfaces=_on("eval", "compare", "baselines"),
        ),
        Metric(
            "unknown_rate",
            "unknown words",
            "unknown",
            lambda sample: sample.mean(~sample.scores.known),
            has_error=False,
        ),
        Metric(
            "bits_per_unknown_word",
            "bits per unknown word",
            "bits/unknown",
            _bits_per_unknown_word,
            digits=1,
            has_error=False,
            surfaces=_on(),
        ),
        *(
            Metric(
                f"top_{k}",
                f"top-{k} accuracy",
                f"top {k}",
                partial(_top, k),
                of_real_words=True,
                surfaces=surfaces,
            )
            for k, surfaces in (
                (1, _on("eval", "compare", "baselines", "tiles")),
                (3, _on("eval", "compare", "baselines", "tiles")),
                (5, _on("eval", "compare", "baselines")),
            )
        ),
        Metric(
            "mean_reciprocal_rank",
            "mean reciprocal rank",
            "rec. rank",
            lambda sample: sample.mean(1 / sample.scores.ranks),
            digits=3,
            of_real_words=True,
            surfaces=_on("eval"),
        ),
        Metric(
            "keystroke_savings",
            "keystrokes saved",
            "keys saved",
            _keystroke_savings,
            surfaces=_on("eval", "compare", "baselines", "tiles"),
        ),
        Metric(
            "keystroke_savings_limit",
            "most keystrokes that could be saved",
            "savable",
            _keystroke_savings_limit,
            has_error=False,
            surfaces=_on(),
        ),
        Metric(
            "calibration_error",
            "calibration error",
            "calibration",
            _calibration_error,
            has_error=False,
            surfaces=_on("eval"),
        ),
    )
}
"""All metrics by their keys, in the order of the tables."""


def metrics_on(surface: Surface) -> list[Metric]:
    """The metrics that a table shows."""
    return [metric for metric in METRICS.values() if surface in metric.surfaces]


class MetricValue:
    """A metric of :class:`MetricValues` as a typed attribute, by its key."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = name

    def __get__(self, instance: MetricValues, owner: type) -> float:
        return instance.values[self._key]


@dataclass(frozen=True)
class MetricValues:
    """Metrics of a text, or of some of its positions; NaN where there is nothing to count."""

    tokens: int
    """The number of positions counted."""
    values: dict[str, float]
    """Each metric by its key."""
    standard_errors: dict[str, float | None]
    """Of the metrics that have one; None if the text is too short."""

    top_1 = MetricValue()
    """The share of words that were the likeliest prediction."""
    top_3 = MetricValue()
    """The share that was among the three likeliest predictions."""
    top_5 = MetricValue()
    """The share that was among the five likeliest predictions."""
    mean_reciprocal_rank = MetricValue()
    """The mean of 1 / rank (Voorhees, 1999)."""

    def show(self, metric: Metric, digits: int | None = None) -> str:
        """A metric for people; see :meth:`Metric.format`."""
        error = self.standard_errors.get(metric.key)
        return metric.format(self.values[metric.key], error, digits)

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON: numbers that are not finite become None."""
        errors = {"standard_errors": self.standard_errors}
        figures: dict[str, Any] = formatting.plain({"tokens": self.tokens, **self.values, **errors})
        return figures


def compute_metrics(sample: Sample, metrics: Sequence[Metric]) -> MetricValues:
    """The given metrics of a sample."""
    estimates = {metric.key: metric.compute(sample) for metric in metrics}
    return MetricValues(
        tokens=int(sample.counted.sum()),
        values={key: value for key, (value, _) in estimates.items()},
        standard_errors={m.key: estimates[m.key][1] for m in metrics if m.has_error},
    )


def real_words(words: Sequence[str]) -> NDArray[np.bool_]:
    """Which words of a vocabulary have a letter or digit and are not special, ``(words,)``."""
    real = np.array([any(map(str.isalnum, word)) for word in words], dtype=np.bool_)
    real[: len(SPECIAL_WORDS)] = False
    return real


@dataclass(frozen=True)
class Bin:
    """The positions where the probability of the likeliest word lay between two bounds."""

    above: float
    """The lower bound, exclusive except for 0."""
    up_to: float
    """The upper bound, inclusive."""
    tokens: int
    """Positions in the bin."""
    confidence: float
    """Mean probability of the likeliest word; NaN, like the accuracy, in an empty bin."""
    accuracy: float
    """Share of the positions where the likeliest word came."""


@dataclass(frozen=True)
class Calibration:
    """How the probability of the likeliest word compares with how often it comes."""

    error: float
    """Expected calibration error: the mean, over positions, of the distance between the accuracy
    and the confidence of their bin."""
    confidence: float
    """Mean probability of the likeliest word; above the accuracy, the model is overconfident."""
    bins: list[Bin]


def calibration(
    confidences: NDArray[np.floating], hits: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> Calibration:
    """Compare the probability of the likeliest word with how often it came.

    Args:
        confidences: the probability of the likeliest word, ``(positions,)``, at least one.
        hits: whether that word came, ``(positions,)``.
        bins: how many bins of equal width.
    """
    probabilities = np.asarray(confidences, dtype=np.float64)
    bounds = np.arange(bins + 1) / bins
    assigned = np.clip(np.searchsorted(bounds, probabilities, side="left") - 1, 0, bins - 1)
    tokens = np.bincount(assigned, minlength=bins)
    confidence = np.bincount(assigned, probabilities, minlength=bins)
    correct = np.bincount(assigned, hits, minlength=bins)
    return Calibration(
        error=float(np.abs(confidence - correct).sum()) / len(probabilities),
        confidence=float(probabilities.mean()),
        bins=[
            Bin(
                above=float(bounds[i]),
                up_to=float(bounds[i + 1]),
                tokens=int(tokens[i]),
                confidence=float(confidence[i] / tokens[i]) if tokens[i] else math.nan,
                accuracy=float(correct[i] / tokens[i]) if tokens[i] else math.nan,
            )
            for i in range(bins)
        ],
    )
