"""Holds the article "How Recurrent Neural Networks work" against measurements of trained networks.

    python examples/article/claims.py RUN... [--text FILE] [--report FILE] [--json]

Each claim is judged for every run that it is about. A verdict needs a difference of more than two
standard errors; without one the claim is inconclusive. The first claim alone is judged by the
figures themselves.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nextword.comparison.comparison import Comparison, RunResult, compare
from nextword.comparison.loaded_run import load_runs
from nextword.errors import NextwordError
from nextword.formatting import change as format_change
from nextword.formatting import escape_control
from nextword.interpret.context import ENOUGH, ContextCost
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import (
    PLACES,
    REACH,
    Memory,
    MemorySettings,
    context_figure,
    context_phrase,
    count_words,
    half_life_figure,
    half_life_phrase,
)
from nextword.report.page import Claim, Finding, Verdict

INTRODUCTION = (
    "The article How Recurrent Neural Networks work explains that the gradient of a standard RNN "
    "vanishes, so that it learns from near words only, and that LSTM and GRU are made to reach "
    "further."
)
NEAR = 34
"""Words of context, one of the measured lengths, about two sentences: a network that needs no more
uses only near words."""
UNCERTAIN = " (too uncertain to tell)"
"""Follows a difference within two standard errors, and one without any."""


@dataclass(frozen=True, eq=False)
class Network:
    """A run whose memory was measured."""

    result: RunResult
    memory: Memory

    @property
    def name(self) -> str:
        return self.result.name

    @property
    def kind(self) -> str:
        return self.result.run.loaded.architecture.kind

    @property
    def decay(self) -> GradientDecay:
        assert self.memory.whole is not None  # only asked of recurrent networks
        return self.memory.whole


def judge(comparison: Comparison) -> list[Claim]:
    """Every claim about kinds of networks that are compared; none without measured memory."""
    networks = [Network(r, r.memory) for r in comparison.runs if r.memory is not None]
    standard = [network for network in networks if network.kind == "rnn"]
    gated = [network for network in networks if network.kind in ("lstm", "gru")]
    memoryless = [network for network in networks if network.kind == "feedforward"]

    def predicts_better(one: Network, other: Network) -> Finding:
        return _predicts_better(comparison, one, other)

    claims = [
        Claim("The gradient of the standard RNN vanishes", [_vanishes(n) for n in standard]),
        Claim("The standard RNN uses only near words", [_uses_near_words(n) for n in standard]),
        Claim(
            "LSTM and GRU reach further than the standard RNN",
            list(_pairs(gated, standard, _reaches_further)),
        ),
        Claim(
            "LSTM and GRU predict better than the standard RNN",
            list(_pairs(gated, standard, predicts_better)),
        ),
        Claim(
            "A network with memory predicts better than one without",
            list(_pairs([*standard, *gated], memoryless, predicts_better)),
        ),
    ]
    return [claim for claim in claims if claim.findings]


def _pairs(
    ones: Sequence[Network],
    others: Sequence[Network],
    judge_pair: Callable[[Network, Network], Finding],
) -> Iterator[Finding]:
    for one in ones:
        for other in others:
            yield judge_pair(one, other)


def _vanishes(network: Network) -> Finding:
    decay, reach = network.decay, network.memory.reach
    if not decay.left[0]:
        return Finding(network.name, "inconclusive", "no word's loss has a gradient at all")
    half_life = half_life_phrase(decay)
    if decay.steps_to_1_percent is None:
        left = 100 * decay.left[-1]
        evidence = f"{half_life}, {left:.3g} % left after {reach} words"
        return Finding(network.name, "does not hold", evidence)
    evidence = f"{half_life}, less than 1 % left after {count_words(decay.steps_to_1_percent)}"
    return Finding(network.name, "does not hold" if decay.half_life is None else "holds", evidence)


def _uses_near_words(network: Network) -> Finding:
    memory = network.memory
    evidence = f"needs {context_phrase(memory)} of context; near is up to {NEAR}"
    verdict: Verdict = "inconclusive"
    if memory.reach < NEAR:
        evidence += f", of which {memory.reach} were measured"
    elif (more := needs_more(memory.costs, NEAR)) is not None:
        verdict = "does not hold" if more else "holds"
    else:
        evidence += UNCERTAIN
    return Finding(network.name, verdict, evidence)


def _reaches_further(one: Network, other: Network) -> Finding:
    further = [
        _longer_half_life(one.decay, other.decay),
        _needs_more_than(one.memory, other.memory),
    ]
    verdict: Verdict = "holds in part" if True in further else "does not hold"
    if None in further and True not in further:
        verdict = "inconclusive"
    elif all(further):
        verdict = "holds"
    half_lives = " against ".join(half_life_figure(network.decay) for network in (one, other))
    contexts = " against ".join(context_figure(network.memory) for network in (one, other))
    uncertain = [UNCERTAIN * (each is None) for each in further]
    return Finding(
        f"{one.name} against {other.name}",
        verdict,
        f"half-life {half_lives} words{uncertain[0]}, context {contexts} words{uncertain[1]}",
    )


def _longer_half_life(one: GradientDecay, other: GradientDecay) -> bool | None:
    """Whether a half-life is longer by two standard errors; None if that is uncertain."""
    if one.half_life is None or other.half_life is None:
        endless = one.half_life is None
        return None if endless == (other.half_life is None) else endless
    if one.half_life_error is None or other.half_life_error is None:
        return None
    error = math.hypot(one.half_life_error, other.half_life_error)
    difference = one.half_life - other.half_life
    return None if abs(difference) <= 2 * error else difference > 0


def _needs_more_than(one: Memory, other: Memory) -> bool | None:
    """Whether one network needs more context than another; None if that is uncertain."""
    needed, other_needed = one.words_needed, other.words_needed
    if needed == other_needed:
        return False if needed is not None and needs_more(one.costs, needed) is False else None
    if other_needed is not None and (needed is None or needed > other_needed):
        return True if loses_more(one.costs, other.costs, other_needed) else None
    assert needed is not None  # or both would be None, and so equal
    return False if loses_more(other.costs, one.costs, needed) else None


def needs_more(costs: Sequence[ContextCost], words: int) -> bool | None:
    """Whether a context is too short for ``ENOUGH``, by two standard errors.

    Args:
        costs: as measured, the shortest context first.
        words: of context.

    Returns:
        None if that is uncertain: at the longest measured context up to ``words``, or at a longer
        one, ``ENOUGH`` lies within two standard errors.
    """
    measured = {cost.words: cost for cost in costs if cost.words is not None}
    longest = max((length for length in measured if length <= words), default=0)
    answers = [_is_too_short(cost) for length, cost in measured.items() if length >= longest]
    if True in answers:
        return True
    return None if None in answers or not answers else False


def _is_too_short(cost: ContextCost) -> bool | None:
    """Whether a context costs more than ``ENOUGH``; None if that is uncertain."""
    if cost.standard_error is None or abs(cost.above - ENOUGH) <= 2 * cost.standard_error:
        return None
    return cost.above > ENOUGH


def loses_more(costs: Sequence[ContextCost], others: Sequence[ContextCost], words: int) -> bool:
    """Whether one network surely loses more than another with a short context.

    Args:
        costs: of the first network.
        others: of the second network.
        words: of context; a length measured of both.
    """
    (one,), (other,) = ([c for c in each if c.words == words] for each in (costs, others))
    if one.standard_error is None or other.standard_error is None:
        return False
    error = math.hypot(one.standard_error, other.standard_error)
    return one.above - other.above > 2 * error


def _predicts_better(comparison: Comparison, one: Network, other: Network) -> Finding:
    change = comparison.change(one.result, other.result)
    verdict: Verdict = "inconclusive"
    if change.sign:
        verdict = "holds" if change.sign < 0 else "does not hold"
    difference = format_change(change.share, change.standard_error)
    but = ", on too short a text to tell" if change.standard_error is None else ""
    first, second = (each.result.run.loaded.tokenizer.lowercase for each in (one, other))
    if first != second:
        verdict, but = "inconclusive", ", but one folds capitals and need not predict them"
    evidence = f"{comparison.measured_by} {difference}{but}"
    return Finding(f"{one.name} against {other.name}", verdict, evidence)


def claim_lines(claims: Sequence[Claim], comparison: Comparison) -> Iterator[str]:
    """The claims and what they were judged by, for a terminal."""
    for claim in claims:
        yield f"{claim.statement}: {claim.verdict}"
        width = max(len(escape_control(finding.run)) for finding in claim.findings)
        for finding in claim.findings:
            name = escape_control(finding.run)
            yield f"  {name:<{width}}  {finding.verdict:<13}  {finding.evidence}"
    if comparison.comparability.sentence:
        yield escape_control(comparison.comparability.sentence)


def show_progress(label: str, done: int, total: int) -> None:
    """One line on stderr, overwritten as the work goes on."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r\x1b[K{label} {100 * done // max(total, 1)} %", end=end, file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run or model folder")
    parser.add_argument("--text", action="append", default=[], metavar="FILE")
    parser.add_argument("--reach", type=int, default=REACH, metavar="WORDS")
    parser.add_argument("--places", type=int, default=PLACES, metavar="N")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the report page")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    memory = MemorySettings(options.reach, options.places)
    try:
        if options.report is None:
            comparison = compare(
                options.runs, text=options.text, memory=memory, progress=show_progress
            )
            claims = judge(comparison)
        else:
            from nextword.report.data import collect
            from nextword.report.page import render
            from nextword.storage.files import write_output

            runs = load_runs([Path(run) for run in options.runs], "valid", options.text, alone=True)
            data = collect(runs, memory, show_progress)
            comparison = data.comparison
            claims = judge(comparison)
            write_output(options.report, render(data, claims, INTRODUCTION))
    except NextwordError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    if options.json:
        print(json.dumps([claim.as_dict() for claim in claims], ensure_ascii=False))
    else:
        print("\n".join(claim_lines(claims, comparison)))


if __name__ == "__main__":
    main()
