"""Everything that a page shows, measured once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nextword.comparison.comparison import Comparison, RunResult, compare_loaded
from nextword.comparison.loaded_run import LoadedRun
from nextword.errors import TextError
from nextword.inference.generation import Generated
from nextword.interpret.memory import MemorySettings, Progress, check_memory
from nextword.model import Model
from nextword.report.facts import Facts, commands, config_text, facts
from nextword.report.passages import PASSAGES, ShadedPassage, hardest_passages, ordinary_passage
from nextword.storage.metrics_log import LoggedValidation

WORDS, TEXTS = 80, 3
"""The number of generated texts, and of words in each."""
VALIDATIONS_OF_SEVERAL, PASSAGES_OF_SEVERAL = 4, 2
"""The number of validations and of passages that a page shows for each of several runs."""
SEED = 1
"""The seed of the first generated text; each of the others has the next."""


@dataclass(frozen=True, eq=False)
class RunData:
    """What a page shows of one run."""

    result: RunResult
    facts: Facts
    validations: list[LoggedValidation]
    prompts: list[str]
    """The prompts whose predictions were logged at each validation."""
    generated: list[Generated]
    hardest: list[ShadedPassage]
    ordinary: ShadedPassage | None

    @property
    def name(self) -> str:
        """The run's name."""
        return self.result.name


@dataclass(frozen=True, eq=False)
class ReportData:
    """What a page shows."""

    comparison: Comparison
    runs: list[RunData]
    no_memory_reason: str | None
    """Why memory was not measured; None if it was."""
    config: str | None
    """The configuration that reproduces the runs, as YAML."""
    commands: list[str]

    @property
    def shared_facts(self) -> Facts:
        """The facts that hold for all runs."""
        first, *others = (run.facts for run in self.runs)
        return [fact for fact in first if all(fact in facts for facts in others)]


def collect(
    loaded_runs: Sequence[LoadedRun],
    memory: MemorySettings,
    progress: Progress = lambda label, done, total: None,
) -> ReportData:
    """Measure at least one run, and let each generate texts.

    Args:
        loaded_runs: the runs.
        memory: how memory is measured, where it can be.
        progress: called with a label, the work done so far, and all the work there is.

    Raises:
        TextError: the text has no word.
        ModelError: a model's probabilities are not numbers.
    """
    reason = _no_memory_reason(loaded_runs, memory)
    comparison = compare_loaded(loaded_runs, memory=None if reason else memory, progress=progress)
    single = len(loaded_runs) == 1
    runs = [_collect_run(result, single, progress) for result in comparison.runs]
    return ReportData(comparison, runs, reason, config_text(loaded_runs), commands(loaded_runs))


def _no_memory_reason(loaded_runs: Sequence[LoadedRun], memory: MemorySettings) -> str | None:
    networks = [run for run in loaded_runs if run.loaded.has_network]
    if not networks:
        return "n-grams have no memory beyond their own length"
    try:
        for run in networks:
            # the message appears on the page, which must not name folders
            part = replace(run.part, name=run.measured_on)
            check_memory(run.loaded, part, memory.reach, memory.places)
    except TextError as error:
        return str(error)
    return None


def _collect_run(result: RunResult, single: bool, progress: Progress) -> RunData:
    run = result.run
    validations = [each for each in run.log.validations if each.samples]
    if not single:
        # the first, the last, and evenly spaced ones between
        count, last = min(VALIDATIONS_OF_SEVERAL, len(validations)), len(validations) - 1
        validations = [validations[round(i * last / max(count - 1, 1))] for i in range(count)]
    prompts = list(dict.fromkeys(prompt for each in validations for prompt in each.samples))
    scores, spelled = result.measured.scores, run.spelled
    return RunData(
        result=result,
        facts=facts(run),
        validations=validations,
        prompts=prompts,
        generated=_generate(run, prompts or [""], progress),
        hardest=hardest_passages(scores, spelled, PASSAGES if single else PASSAGES_OF_SEVERAL),
        ordinary=ordinary_passage(scores, spelled) if single else None,
    )


def _generate(run: LoadedRun, prompts: Sequence[str], progress: Progress) -> list[Generated]:
    model, texts = Model(run.loaded), []
    for number in range(TEXTS):
        prompt = prompts[number % len(prompts)]
        # with one seed for all, a network may go the same way from any prompt
        texts.append(model.generate(prompt, WORDS, seed=SEED + number))
        progress(f"{run.name}: text generated", (number + 1) * WORDS, TEXTS * WORDS)
    return texts
