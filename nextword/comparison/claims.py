"""What the article says of recurrent networks, held against what was measured of some.

The article is "How Recurrent Neural Networks work". A claim is tried on every run that it is
about, and its verdict says whether it held, whichever way that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nextword import figures
from nextword.comparison.comparison import Compared, Comparison
from nextword.insight.gradients import Fade
from nextword.insight.memory import Memory

NEAR = 21
"""Words of context, one of those that are measured and about a sentence: who needs no more of them
uses only near words."""
ALIKE = 0.05
"""Trainings that read as much as each other, up to this share, read alike."""
STUDIED = frozenset({"model.kind", "model.activation", "training.learning_rate"})
"""Settings in which runs trained alike differ: what is compared, and the rate that suits each."""
ASIDE = frozenset(
    {
        *(f"model.{name}" for name in ("context", "order")),
        *(
            f"training.{name}"
            for name in ("validations", "save_every", "device", "threads", "prompts", "tensorboard")
        ),
        *(f"mixture.{name}" for name in ("ngram", "cache", "cache_size")),
    }
)
"""Settings that change nothing of what is claimed here, or belong to one kind alone."""

Verdict = Literal["holds", "holds in part", "does not hold", "not decided"]


@dataclass(frozen=True)
class Finding:
    """What was measured of one run."""

    run: str
    verdict: Verdict
    evidence: str


@dataclass(frozen=True)
class Claim:
    """Something that the article says."""

    statement: str
    findings: list[Finding]

    @property
    def verdict(self) -> Verdict:
        """Of all findings together."""
        told = {finding.verdict for finding in self.findings}
        if len(told) == 1:
            return told.pop()
        return "holds in part" if told & {"holds", "holds in part"} else "not decided"


def as_dicts(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Claims, ready for JSON."""
    return [{**asdict(claim), "verdict": claim.verdict} for claim in claims]


@dataclass(frozen=True, eq=False)
class _Remembered:
    """A run whose memory was measured."""

    run: Compared
    memory: Memory

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def kind(self) -> str:
        return self.run.contender.loaded.config.kind

    @property
    def fade(self) -> Fade:
        assert self.memory.whole is not None  # it is asked of recurrent networks
        return self.memory.whole

    @property
    def needed(self) -> float:
        """Words of context; endless where none of those measured was enough."""
        return math.inf if self.memory.words_needed is None else self.memory.words_needed


def claims(comparison: Comparison) -> list[Claim]:
    """Every claim that some of the runs can try; none unless their memory was measured."""
    told = [_Remembered(run, run.memory) for run in comparison.runs if run.memory is not None]
    plain = [each for each in told if each.kind == "rnn"]
    gated = [each for each in told if each.kind in ("lstm", "gru")]
    without = [each for each in told if each.kind == "feedforward"]
    # the lists may be empty, and so may what is found
    found = [
        Claim("The gradient of the standard RNN vanishes", [_vanishes(each) for each in plain]),
        Claim("The standard RNN uses only near words", [_near(each) for each in plain]),
        Claim(
            "LSTM and GRU reach further than the standard RNN",
            list(_against(gated, plain, _further)),
        ),
        Claim(
            "LSTM and GRU predict better than the standard RNN",
            list(_against(gated, plain, _better(comparison))),
        ),
        Claim(
            "A network with memory predicts better than one without",
            list(_against([*plain, *gated], without, _better(comparison))),
        ),
    ]
    return [claim for claim in found if claim.findings]


def not_alike(comparison: Comparison) -> list[str]:
    """In what, besides what is compared, the runs were not trained alike; a phrase for each."""
    told = [
        f"{key} ({', '.join(map(str, values))})"
        for key, values in comparison.settings.items()
        if key not in STUDIED | ASIDE
    ]
    words = [run.contender.log.words for run in comparison.runs]
    read = [count for count in words if count is not None]
    if read and max(read) > (1 + ALIKE) * min(read):
        told.append(f"words read ({', '.join('?' if w is None else f'{w:,}' for w in words)})")
    return told


def _vanishes(each: _Remembered) -> Finding:
    fade = each.fade
    words = "" if fade.half_life is None else " words"
    half_life = f"half-life {_half_life(each)}{words}"
    if fade.little_after is None:
        left = 100 * fade.geometric_mean[-1]
        evidence = f"{half_life}, {left:.3g} % left after {each.memory.reach} words"
        return Finding(each.name, "does not hold", evidence)
    evidence = f"{half_life}, less than 1 % left after {fade.little_after} words"
    return Finding(each.name, "does not hold" if fade.half_life is None else "holds", evidence)


def _near(each: _Remembered) -> Finding:
    evidence = f"needs {_needed(each)} words of context; near is up to {NEAR}"
    return Finding(each.name, "holds" if each.needed <= NEAR else "does not hold", evidence)


def _against(
    ones: Sequence[_Remembered],
    others: Sequence[_Remembered],
    judge: Callable[[_Remembered, _Remembered], Finding],
) -> Iterator[Finding]:
    for one in ones:
        for other in others:
            yield judge(one, other)


def _further(one: _Remembered, other: _Remembered) -> Finding:
    further = [_fades_later(one, other), one.needed > other.needed]
    verdict: Verdict = "holds" if all(further) else "holds in part"
    return Finding(
        f"{one.name} against {other.name}",
        verdict if any(further) else "does not hold",
        f"half-life {_half_life(one)} against {_half_life(other)} words, context {_needed(one)} "
        f"against {_needed(other)} words",
    )


def _fades_later(one: _Remembered, other: _Remembered) -> bool:
    """Whether a gradient's half-life is longer, by two standard errors where these are known."""
    mine, others = one.fade, other.fade
    if mine.half_life is None or others.half_life is None:
        return mine.half_life is None and others.half_life is not None
    error = math.hypot(mine.half_life_error or 0.0, others.half_life_error or 0.0)
    return mine.half_life - others.half_life > 2 * error


def _half_life(each: _Remembered) -> str:
    half = each.fade.half_life
    return "endless" if half is None else figures.short(half, each.fade.half_life_error)


def _needed(each: _Remembered) -> str:
    needed = each.memory.words_needed
    return f"more than {each.memory.reach}" if needed is None else str(needed)


def _better(comparison: Comparison) -> Callable[[_Remembered, _Remembered], Finding]:
    def judge(one: _Remembered, other: _Remembered) -> Finding:
        change = comparison.change(one.run, other.run)
        verdict: Verdict = "not decided"
        if change.sign:
            verdict = "holds" if change.sign < 0 else "does not hold"
        told = figures.change(change.share, change.standard_error)
        but = ", on too short a text to tell" if change.standard_error is None else ""
        tokenizers = [each.run.contender.loaded.tokenizer for each in (one, other)]
        if tokenizers[0].lowercase != tokenizers[1].lowercase:
            verdict, but = "not decided", ", but one folds capitals and need not foretell them"
        evidence = f"{comparison.measured_by} {told}{but}"
        return Finding(f"{one.name} against {other.name}", verdict, evidence)

    return judge
