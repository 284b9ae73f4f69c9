"""All that a page tells, measured once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nextword.comparison.claims import Claim, claims
from nextword.comparison.comparison import Comparison, MemorySettings, RunResult, compare
from nextword.comparison.loaded_run import LoadedRun
from nextword.errors import TextError
from nextword.inference.generation import Generated
from nextword.interpret.memory import Progress, check_memory
from nextword.model import Model
from nextword.report.facts import Facts, facts
from nextword.report.passages import MOST, ShadedPassage, hardest_passages, ordinary_passage
from nextword.report.reproduce import commands, config_text
from nextword.storage.metrics_log import LoggedValidation

WORDS, TEXTS = 80, 3
"""Words in each generated text, and how many texts."""
LOOKS, PASSAGES = 4, 2
"""Of each of several runs, so many looks at the validation part and so many passages are told."""
SEED = 1
"""What chance starts from in the first of them."""


@dataclass(frozen=True, eq=False)
class RunData:
    """What is told of one run."""

    compared: RunResult
    facts: Facts
    looks: list[LoggedValidation]
    prompts: list[str]
    """What the network was asked at each look."""
    generated: list[Generated]
    hardest: list[ShadedPassage]
    ordinary: ShadedPassage | None

    @property
    def name(self) -> str:
        """The run's name."""
        return self.compared.name


@dataclass(frozen=True, eq=False)
class ReportData:
    """What a page is made from."""

    comparison: Comparison
    runs: list[RunData]
    claims: list[Claim]
    memory_left_out: str | None
    """Why no memory was measured, where it was not."""
    config: str | None
    """The configuration that runs are repeated from."""
    commands: list[str]

    @property
    def shared_facts(self) -> Facts:
        """What is true of all runs."""
        first, *others = (run.facts for run in self.runs)
        return [fact for fact in first if all(fact in facts for facts in others)]


def gather(
    loaded_runs: Sequence[LoadedRun],
    memory_settings: MemorySettings,
    progress: Progress = lambda what, read, total: None,
) -> ReportData:
    """Measure some runs and let them write.

    Args:
        contenders: at least one.
        remembering: how memory is measured.
        progress: is told how far the work has come.

    Raises:
        TextError: the text holds no word.
        ModelError: a model says things that are no probabilities.
    """
    left_out = _why_no_memory(loaded_runs, memory_settings)
    comparison = compare(
        loaded_runs, memory_settings=None if left_out else memory_settings, progress=progress
    )
    runs = [_of_run(run, len(loaded_runs) == 1, progress) for run in comparison.runs]
    judged = claims(comparison) if len(loaded_runs) > 1 else []
    return ReportData(
        comparison, runs, judged, left_out, config_text(loaded_runs), commands(loaded_runs)
    )


def _why_no_memory(loaded_runs: Sequence[LoadedRun], memory_settings: MemorySettings) -> str | None:
    networks = [each for each in loaded_runs if each.loaded.config.kind != "ngram"]
    if not networks:
        return "n-grams have no memory beyond their own length"
    try:
        for each in networks:
            # the reason is told on the page, where folders are nobody's business
            part = replace(each.part, name=each.measured_on)
            check_memory(each.loaded, part, memory_settings.reach, memory_settings.places)
    except TextError as error:
        return str(error)
    return None


def _of_run(run: RunResult, whole: bool, progress: Progress) -> RunData:
    loaded_run = run.loaded_run
    looks = [look for look in loaded_run.log.looks if look.samples]
    if not whole:
        # the first and the last, and what lies between them in equal steps
        kept = range(min(LOOKS, len(looks)))
        looks = [looks[round(i * (len(looks) - 1) / max(len(kept) - 1, 1))] for i in kept]
    prompts = list(dict.fromkeys(prompt for look in looks for prompt in look.samples))
    places, spelled = run.measured.places, loaded_run.spelled
    return RunData(
        compared=run,
        facts=facts(loaded_run),
        looks=looks,
        prompts=prompts,
        generated=_texts(loaded_run, prompts or [""], progress),
        hardest=hardest_passages(places, spelled, MOST if whole else PASSAGES),
        ordinary=ordinary_passage(places, spelled) if whole else None,
    )


def _texts(loaded_run: LoadedRun, prompts: Sequence[str], progress: Progress) -> list[Generated]:
    predictor = Model(loaded_run.loaded)
    written = []
    for number in range(TEXTS):
        prompt = prompts[number % len(prompts)]
        # a seed for each, since a network may go the same way from any prompt
        written.append(predictor.generate(prompt, WORDS, seed=SEED + number))
        progress(f"{loaded_run.name}: text generated", (number + 1) * WORDS, TEXTS * WORDS)
    return written
