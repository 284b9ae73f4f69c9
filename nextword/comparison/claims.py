"""What the article says of recurrent networks, held against what was measured of some.

The article is "How Recurrent Neural Networks work". A claim is tried on every run that it is
about, and its verdict says whether it held, whichever way that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nextword import formatting as figures
from nextword.comparison.comparison import Comparison, RunResult
from nextword.interpret import phrases
from nextword.interpret.context import loses_more, needs_more
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import Memory

NEAR = 34
"""Words of context, one of those that are measured, about two sentences: who needs no more of them
uses only near words."""
UNSURE = " (too uncertain to tell)"
"""Of what is not beyond two standard errors, or of a text too short for any."""

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

    run: RunResult
    memory: Memory

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def kind(self) -> str:
        return self.run.loaded_run.loaded.config.kind

    @property
    def fade(self) -> GradientDecay:
        assert self.memory.whole is not None  # it is asked of recurrent networks
        return self.memory.whole


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


def _vanishes(each: _Remembered) -> Finding:
    fade, reach = each.fade, each.memory.reach
    if not fade.left[0]:
        return Finding(each.name, "not decided", "no word's loss has a gradient at all")
    half_life = phrases.half_life_in_words(fade)
    if fade.steps_to_1_percent is None:
        left = 100 * fade.left[-1]
        evidence = f"{half_life}, {left:.3g} % left after {reach} words"
        return Finding(each.name, "does not hold", evidence)
    evidence = f"{half_life}, less than 1 % left after {phrases.words(fade.steps_to_1_percent)}"
    return Finding(each.name, "does not hold" if fade.half_life is None else "holds", evidence)


def _near(each: _Remembered) -> Finding:
    evidence = f"needs {phrases.needed_in_words(each.memory)} of context; near is up to {NEAR}"
    verdict: Verdict = "not decided"
    if each.memory.reach < NEAR:
        evidence += f", of which {each.memory.reach} were tried"
    elif (sure := needs_more(each.memory.costs, NEAR)) is not None:
        verdict = "does not hold" if sure else "holds"
    else:
        evidence += UNSURE
    return Finding(each.name, verdict, evidence)


def _against(
    ones: Sequence[_Remembered],
    others: Sequence[_Remembered],
    judge: Callable[[_Remembered, _Remembered], Finding],
) -> Iterator[Finding]:
    for one in ones:
        for other in others:
            yield judge(one, other)


def _further(one: _Remembered, other: _Remembered) -> Finding:
    further = [_fades_later(one.fade, other.fade), _needs_more(one.memory, other.memory)]
    verdict: Verdict = "holds in part" if True in further else "does not hold"
    if None in further and True not in further:
        verdict = "not decided"
    elif all(further):
        verdict = "holds"
    half_lives = [phrases.half_life(each.fade) for each in (one, other)]
    unsure = [UNSURE * (each is None) for each in further]
    return Finding(
        f"{one.name} against {other.name}",
        verdict,
        f"half-life {' against '.join(half_lives)} words{unsure[0]}, context "
        f"{phrases.needed(one.memory)} against {phrases.needed(other.memory)} words{unsure[1]}",
    )


def _fades_later(one: GradientDecay, other: GradientDecay) -> bool | None:
    """Whether a gradient's half-life is longer, by two standard errors; None if nobody knows."""
    if one.half_life is None or other.half_life is None:
        endless = one.half_life is None
        return None if endless == (other.half_life is None) else endless
    if one.half_life_error is None or other.half_life_error is None:
        return None
    error = math.hypot(one.half_life_error, other.half_life_error)
    longer = one.half_life - other.half_life
    return None if abs(longer) <= 2 * error else longer > 0


def _needs_more(one: Memory, other: Memory) -> bool | None:
    """Whether more context is needed; None if nobody knows."""
    mine, others = one.words_needed, other.words_needed
    if mine == others:
        return False if mine is not None and needs_more(one.costs, mine) is False else None
    if others is not None and (mine is None or mine > others):
        return True if loses_more(one.costs, other.costs, others) else None
    assert mine is not None  # else both would be
    return False if loses_more(other.costs, one.costs, mine) else None


def _better(comparison: Comparison) -> Callable[[_Remembered, _Remembered], Finding]:
    def judge(one: _Remembered, other: _Remembered) -> Finding:
        change = comparison.change(one.run, other.run)
        verdict: Verdict = "not decided"
        if change.sign:
            verdict = "holds" if change.sign < 0 else "does not hold"
        told = figures.change(change.share, change.standard_error)
        but = ", on too short a text to tell" if change.standard_error is None else ""
        tokenizers = [each.run.loaded_run.loaded.tokenizer for each in (one, other)]
        if tokenizers[0].lowercase != tokenizers[1].lowercase:
            verdict, but = "not decided", ", but one folds capitals and need not foretell them"
        evidence = f"{comparison.measured_by} {told}{but}"
        return Finding(f"{one.name} against {other.name}", verdict, evidence)

    return judge
