"""All that a page tells, measured once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nextword.comparison.claims import Claim, claims
from nextword.comparison.comparison import Compared, Comparison, Remembering, compare
from nextword.comparison.contender import Contender
from nextword.errors import TextError
from nextword.insight.memory import Progress, check_memory
from nextword.prediction.generation import Generated
from nextword.prediction.predictor import Predictor
from nextword.report.facts import Facts, facts
from nextword.report.passages import MOST, ShadedPassage, hardest_passages, ordinary_passage
from nextword.report.repeat import commands, config_text
from nextword.run_log import LoggedLook

WORDS, TEXTS = 80, 3
"""Words in each generated text, and how many texts."""
LOOKS, PASSAGES = 4, 2
"""Of each of several runs, so many looks at the validation part and so many passages are told."""
SEED = 1
"""What chance starts from in the first of them."""


@dataclass(frozen=True, eq=False)
class RunMaterial:
    """What is told of one run."""

    compared: Compared
    facts: Facts
    looks: list[LoggedLook]
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
class Material:
    """What a page is made from."""

    comparison: Comparison
    runs: list[RunMaterial]
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
    contenders: Sequence[Contender],
    remembering: Remembering,
    progress: Progress = lambda what, read, total: None,
) -> Material:
    """Measure some runs and let them write.

    Args:
        contenders: at least one.
        remembering: how memory is measured.
        progress: is told how far the work has come.

    Raises:
        TextError: the text holds no word.
        ModelError: a model says things that are no probabilities.
    """
    left_out = _why_no_memory(contenders, remembering)
    comparison = compare(
        contenders, remembering=None if left_out else remembering, progress=progress
    )
    runs = [_of_run(run, len(contenders) == 1, progress) for run in comparison.runs]
    judged = claims(comparison) if len(contenders) > 1 else []
    return Material(
        comparison, runs, judged, left_out, config_text(contenders), commands(contenders)
    )


def _why_no_memory(contenders: Sequence[Contender], remembering: Remembering) -> str | None:
    networks = [each for each in contenders if each.loaded.config.kind != "ngram"]
    if not networks:
        return "n-grams have no memory beyond their own length"
    try:
        for each in networks:
            # the reason is told on the page, where folders are nobody's business
            part = replace(each.part, name=each.measured_on)
            check_memory(each.loaded, part, remembering.reach, remembering.places)
    except TextError as error:
        return str(error)
    return None


def _of_run(run: Compared, whole: bool, progress: Progress) -> RunMaterial:
    contender = run.contender
    looks = [look for look in contender.log.looks if look.samples]
    if not whole:
        # the first and the last, and what lies between them in equal steps
        kept = range(min(LOOKS, len(looks)))
        looks = [looks[round(i * (len(looks) - 1) / max(len(kept) - 1, 1))] for i in kept]
    prompts = list(dict.fromkeys(prompt for look in looks for prompt in look.samples))
    places, spelled = run.measured.places, contender.spelled
    return RunMaterial(
        compared=run,
        facts=facts(contender),
        looks=looks,
        prompts=prompts,
        generated=_texts(contender, prompts or [""], progress),
        hardest=hardest_passages(places, spelled, MOST if whole else PASSAGES),
        ordinary=ordinary_passage(places, spelled) if whole else None,
    )


def _texts(contender: Contender, prompts: Sequence[str], progress: Progress) -> list[Generated]:
    predictor = Predictor(contender.loaded)
    written = []
    for number in range(TEXTS):
        prompt = prompts[number % len(prompts)]
        # a seed for each, since a network may go the same way from any prompt
        written.append(predictor.generate(prompt, WORDS, seed=SEED + number))
        progress(f"{contender.name}: text written", (number + 1) * WORDS, TEXTS * WORDS)
    return written
