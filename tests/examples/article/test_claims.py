"""The article's claims, judged on made-up networks that confirm them and on some that do not."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from nextword.comparison.comparison import Comparison, RunResult, compare_loaded
from nextword.comparison.loaded_run import LoadedRun
from nextword.inference.loaded_model import LoadedNetwork
from nextword.interpret.context import ContextCost
from nextword.interpret.gradients import GradientDecay
from nextword.interpret.memory import Memory
from nextword.report.page import Claim, Finding
from nextword.text.tokenizer import Tokenizer

SCRIPT = Path(__file__).parents[3] / "examples" / "article" / "claims.py"


def load(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location("article_claims", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


article = load(SCRIPT)
NEAR, UNCERTAIN, judge = article.NEAR, article.UNCERTAIN, article.judge

REACH = 50
CONTEXTS = (1, 2, 5, 13, 21, NEAR, REACH)
VANISHES, NEAR_WORDS, FURTHER, BETTER, MEMORY = (
    "The gradient of the standard RNN vanishes",
    "The standard RNN uses only near words",
    "LSTM and GRU reach further than the standard RNN",
    "LSTM and GRU predict better than the standard RNN",
    "A network with memory predicts better than one without",
)


def memory(
    name: str, half_life: float | None, needed: int | None, error: float | None = 0.001
) -> Memory:
    """Of a gradient that halves so fast, and a network that needs so many words."""
    k = np.arange(REACH + 1)
    left = np.ones(REACH + 1) if half_life is None else 0.5 ** (k / half_life)
    fade = GradientDecay(left, left, 0 * left, error)
    costs = [
        ContextCost(n, 50.0, 0.0 if needed is not None and n >= needed else 0.5, error)
        for n in CONTEXTS
    ]
    whole = None if name == "feedforward" else fade
    everything = ContextCost(None, 40.0, 0.0, 0.0)
    return Memory(name, name, "a text", REACH, 5, 50, whole, None, [*costs, everything])


@pytest.fixture
def contest(contend: Callable[..., LoadedRun]) -> Callable[..., Comparison]:
    """Runs by kind, each with a half-life, the words it needs, and nats more than the others."""

    def make(**result: tuple[float | None, int | None, float]) -> Comparison:
        runs: list[RunResult] = []
        for name, (half_life, needed, more) in result.items():
            alone = compare_loaded([contend(name, kind=name, layers=1)]).runs[0]
            noise = np.random.default_rng(len(runs)).normal(0, 0.2, len(alone.measured.scores.ids))
            places = replace(
                alone.measured.scores, surprisals=(4 + more + noise).astype(np.float32)
            )
            measured = replace(alone.measured, scores=places)
            remembered = memory(name, half_life, needed)
            runs.append(replace(alone, measured=measured, memory=remembered))
        return Comparison(runs, same_words=True, same_vocabulary=True)

    return make


def verdicts(comparison: Comparison) -> dict[str, Any]:
    return {claim.statement: claim.verdict for claim in judge(comparison)}


def test_what_the_article_hopes_for(contest: Callable[..., Comparison]) -> None:
    comparison = contest(
        rnn=(4.0, 13, 0.1), lstm=(20.0, 34, 0.0), gru=(30.0, None, 0.0), feedforward=(None, 5, 0.3)
    )
    assert verdicts(comparison) == dict.fromkeys(
        (VANISHES, NEAR_WORDS, FURTHER, BETTER, MEMORY), "holds"
    )
    found = {claim.statement: claim.findings for claim in judge(comparison)}
    assert found[VANISHES] == [
        Finding("rnn", "holds", "half-life 4.000 ± 0.001 words, less than 1 % left after 27 words")
    ]
    assert found[NEAR_WORDS][0].evidence == f"needs 13 words of context; near is up to {NEAR}"
    assert [finding.run for finding in found[FURTHER]] == ["lstm against rnn", "gru against rnn"]
    assert found[FURTHER][1].evidence == (
        "half-life 30.000 ± 0.001 against 4.000 ± 0.001 words, context > 50 against 13 words"
    )
    assert len(found[MEMORY]) == 3
    assert found[BETTER][0].evidence.startswith("perplexity −9.")
    assert "±" in found[BETTER][0].evidence


def test_what_does_not_hold_is_said(contest: Callable[..., Comparison]) -> None:
    comparison = contest(rnn=(None, 50, 0.0), lstm=(20.0, 13, 0.3), feedforward=(None, 5, -0.3))
    assert verdicts(comparison) == dict.fromkeys(
        (VANISHES, NEAR_WORDS, FURTHER, BETTER, MEMORY), "does not hold"
    )
    evidence = judge(comparison)[0].findings[0].evidence
    assert evidence == "half-life endless, 100 % left after 50 words"


def test_a_gradient_that_fades_slowly_has_not_vanished(contest: Callable[..., Comparison]) -> None:
    (vanishes, near) = judge(contest(rnn=(25.0, NEAR, 0.0)))
    assert vanishes.verdict == "does not hold"
    assert (
        vanishes.findings[0].evidence == "half-life 25.000 ± 0.001 words, 25 % left after 50 words"
    )
    assert near.verdict == "holds"


def test_half_a_truth_and_too_small_a_difference(contest: Callable[..., Comparison]) -> None:
    result = verdicts(contest(rnn=(4.0, 13, 0.0), gru=(30.0, 13, 0.0005)))
    assert (result[FURTHER], result[BETTER]) == ("holds in part", "inconclusive")
    assert MEMORY not in result


def memory_settings(comparison: Comparison, **memories: Memory) -> Comparison:
    """The same runs with other memories."""
    runs = [replace(run, memory=memories.get(run.name, run.memory)) for run in comparison.runs]
    return replace(comparison, runs=runs)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (0.3, "holds in part"),
        (0.4, "inconclusive"),
        (None, "inconclusive"),
        (1e-9, "holds in part"),
    ],
)
def test_a_half_life_is_longer_only_beyond_its_error(
    contest: Callable[..., Comparison], error: float | None, verdict: str
) -> None:
    comparison = contest(rnn=(4.0, 13, 0.0), gru=(5.0, 13, 0.0))
    result = {}
    for run in comparison.runs:
        assert run.memory is not None and run.memory.whole is not None
        whole = replace(run.memory.whole, half_life_error=error)
        result[run.name] = replace(run.memory, whole=whole)
    claim = judge(memory_settings(comparison, **result))[2]
    assert claim.statement == FURTHER and claim.verdict == verdict
    assert (UNCERTAIN in claim.findings[0].evidence) == (verdict == "inconclusive")


def test_a_gradient_that_is_gone_at_once_has_vanished(contest: Callable[..., Comparison]) -> None:
    comparison = contest(rnn=(4.0, 13, 0.0), lstm=(20.0, 34, 0.0))
    left = np.array([1.0, *[0.0] * REACH])
    dead = GradientDecay(left, left, 1 - left, 0.0)
    result = {name: replace(memory(name, 4.0, 13), whole=dead) for name in ("rnn", "lstm")}
    vanishes, _, further, *_ = judge(memory_settings(comparison, rnn=result["rnn"]))
    assert vanishes.verdict == "holds" and further.verdict == "holds"
    assert vanishes.findings[0].evidence == (
        "vanishes within two words, less than 1 % left after 1 word"
    )
    nothing = replace(result["rnn"], whole=GradientDecay(0 * left, 0 * left, 0 * left + 1))
    assert verdicts(memory_settings(comparison, rnn=nothing))[VANISHES] == "inconclusive"
    _, _, further, *_ = judge(memory_settings(comparison, lstm=result["lstm"]))
    assert further.verdict == "does not hold"


@pytest.mark.parametrize(
    ("rnn", "lstm", "verdict"),
    [
        ((None, 13), (None, 34), "holds in part"),  # neither fades
        ((None, 13), (None, 13), "inconclusive"),
        ((4.0, 13), (None, 34), "holds"),
        ((None, 34), (4.0, 13), "does not hold"),
        ((4.0, None), (4.0, None), "inconclusive"),  # both need more than was tried
    ],
)
def test_what_does_not_end_is_not_told_apart(
    contest: Callable[..., Comparison], rnn: Any, lstm: Any, verdict: str
) -> None:
    assert verdicts(contest(rnn=(*rnn, 0.0), lstm=(*lstm, 0.0)))[FURTHER] == verdict


def test_words_are_near_only_beyond_the_error_of_what_they_cost(
    contest: Callable[..., Comparison],
) -> None:
    comparison = contest(rnn=(4.0, NEAR, 0.0), lstm=(4.0, 50, 0.0))
    for error, near, further in (
        (0.0049, "holds", "holds in part"),
        (0.0051, "inconclusive", "holds in part"),
        (0.2, "inconclusive", "inconclusive"),
        (None, "inconclusive", "inconclusive"),
    ):
        result = {
            run.name: replace(
                run.memory, costs=[replace(cost, standard_error=error) for cost in run.memory.costs]
            )
            for run in comparison.runs
            if run.memory is not None
        }
        found = verdicts(memory_settings(comparison, **result))
        assert (found[NEAR_WORDS], found[FURTHER]) == (near, further), error


@pytest.mark.parametrize(("error", "verdict"), [(0.001, "does not hold"), (0.2, "inconclusive")])
def test_contexts_that_only_look_equal_are_not_called_so(
    contest: Callable[..., Comparison], error: float, verdict: str
) -> None:
    comparison = contest(rnn=(9.0, 13, 0.0), lstm=(4.0, 13, 0.0))
    result = {}
    for run in comparison.runs:
        assert run.memory is not None
        costs = [replace(cost, standard_error=error) for cost in run.memory.costs]
        result[run.name] = replace(run.memory, costs=costs)
    assert verdicts(memory_settings(comparison, **result))[FURTHER] == verdict


def test_near_words_are_not_judged_by_less_than_these(
    contest: Callable[..., Comparison],
) -> None:
    short = memory("rnn", 4.0, None)
    short = replace(short, reach=13, costs=[*short.costs[:4], short.costs[-1]])
    claim = judge(memory_settings(contest(rnn=(4.0, 13, 0.0)), rnn=short))[1]
    assert claim.findings == [
        Finding(
            "rnn",
            "inconclusive",
            "needs more than 13 words of context; near is up to 34, of which 13 were measured",
        )
    ]


def test_a_run_that_folds_capitals_proves_nothing(contest: Callable[..., Comparison]) -> None:
    comparison = contest(rnn=(4.0, 13, 0.3), lstm=(20.0, 34, 0.0))
    plain, gated = comparison.runs
    loaded = gated.run.loaded
    folding = Tokenizer(loaded.tokenizer.words, "words", lowercase=True)
    run = replace(
        gated.run, loaded=LoadedNetwork(loaded.arrays(), folding, loaded.settings, loaded.counts)
    )
    folded = replace(comparison, runs=[plain, replace(gated, run=run)])
    assert verdicts(comparison)[BETTER] == "holds" and verdicts(folded)[BETTER] == "inconclusive"
    assert "but one folds capitals" in judge(folded)[3].findings[0].evidence
    assert folded.notes == [
        "lstm: capitals are folded and need not be predicted, so these figures look better than "
        "they are."
    ]


def test_verdicts_of_several_findings() -> None:
    def of(*result: Any) -> str:
        return Claim("x", [Finding("a", verdict, "") for verdict in result]).verdict

    assert of("holds", "holds") == "holds"
    assert of("does not hold", "does not hold") == "does not hold"
    assert of("holds", "does not hold") == of("holds", "inconclusive") == "holds in part"
    assert of("does not hold", "inconclusive") == "inconclusive"


def test_nothing_is_claimed_where_no_memory_was_measured(
    contend: Callable[..., LoadedRun],
) -> None:
    assert judge(compare_loaded([contend("a", kind="rnn"), contend("b", kind="lstm")])) == []


SMALL = ("--reach", "10", "--places", "5")
NAMES = ("rnn", "mixed", "feedforward")


def test_the_script_prints_a_table_and_writes_a_page(
    kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    monkeypatch.chdir(kinds)
    article.main([*NAMES, *SMALL])
    printed = capsys.readouterr().out
    page = tmp_path / "new" / "page.html"
    article.main([*NAMES, *SMALL, "--report", str(page), "--json"])
    claims = json.loads(capsys.readouterr().out)
    assert len(claims) == 5
    shown = page.read_text()
    assert "Do these networks show it?" in shown and article.INTRODUCTION in shown
    for claim in claims:
        assert f"{claim['statement']}: {claim['verdict']}\n" in printed
        assert f"<strong>{claim['statement']}:</strong>" in shown
        for finding in claim["findings"]:
            assert finding["evidence"] in printed and finding["run"] in shown
    assert printed.endswith("They were trained alike on the same words.\n")


def test_the_script_says_what_is_wrong_in_one_line(kinds: Path) -> None:
    called = subprocess.run(
        [sys.executable, SCRIPT, "none", "rnn"], cwd=kinds, capture_output=True, text=True
    )
    assert (called.returncode, called.stdout) == (1, "")
    assert called.stderr.startswith("Error: none: no such run or model folder;")
    assert called.stderr.count("\n") == 1
