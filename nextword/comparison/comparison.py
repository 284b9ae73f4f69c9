"""Several runs measured on one text, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nextword.comparison.advantages import Advantage, advantages
from nextword.comparison.alike import Alikeness, alikeness, differing_settings
from nextword.comparison.contender import Contender, same_vocabulary, same_words
from nextword.comparison.paired import Change, bits_change, perplexity_change
from nextword.evaluation.evaluator import Evaluation, evaluate
from nextword.evaluation.held_out import LEARNED
from nextword.evaluation.keystrokes import SUGGESTIONS
from nextword.figures import plain
from nextword.insight.memory import Memory, Progress, check_memory, measure_memory
from nextword.insight.plan import PLACES, REACH

Measure = Literal["perplexity", "perplexity_spelled_out", "bits_per_character"]
TITLES: dict[Measure, str] = {
    "perplexity": "perplexity",
    "perplexity_spelled_out": "perplexity, unknown words spelled out",
    "bits_per_character": "bits per character",
}


@dataclass(frozen=True)
class Remembering:
    """How memory is measured; see :mod:`nextword.insight.plan`."""

    reach: int = REACH
    places: int = PLACES


@dataclass(frozen=True, eq=False)
class Compared:
    """One run and what was measured of it."""

    contender: Contender
    measured: Evaluation
    against_first: Change | None
    """Of the measure that runs are compared by, against the first run; None of that itself."""
    advantage: Advantage | None
    """None where the runs split the text into different words, and of a run alone."""
    memory: Memory | None
    """None unless it was asked for."""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.contender.name

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        loaded, log = self.contender.loaded, self.contender.log
        result = log.result
        return {
            "name": self.name,
            "run": self.contender.run,
            "model": str(self.contender.folder),
            "kind": loaded.config.title,
            "hidden_size": loaded.config.hidden_size,
            "layers": loaded.config.layers,
            "vocabulary_size": len(loaded.tokenizer),
            "parameters": loaded.model.parameter_count(),
            "training": {
                "steps": None if result is None else result.steps,
                "seconds": None if result is None else result.seconds,
                "tokens_per_second": None if result is None else result.tokens_per_second,
                "words": log.words,
                "validation": [
                    {"words": look.words, "seconds": look.seconds, "perplexity": look.perplexity}
                    for look in log.looks
                ],
            },
            "evaluation": self.measured.as_dict(),
            "against_first": _change_dict(self.against_first),
            "only_here": None if self.advantage is None else asdict(self.advantage),
            "memory": None if self.memory is None else self.memory.as_dict(),
        }


def _change_dict(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    told: dict[str, Any] = plain({"share": change.share, "standard_error": change.standard_error})
    return told


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs on the same text, in the order in which they were named."""

    runs: list[Compared]
    same_words: bool
    """Whether all split the text into the same words."""
    same_vocabulary: bool
    """Whether all know the same words."""

    @property
    def settings(self) -> dict[str, list[Any]]:
        """The keys of the configuration in which they differ, with each run's value; None where a
        run has no configuration beside it."""
        return differing_settings([run.contender for run in self.runs])

    @property
    def alikeness(self) -> Alikeness:
        """Whether they were trained alike."""
        return alikeness([run.contender for run in self.runs])

    @property
    def text(self) -> str:
        """What they were measured on."""
        return self.runs[0].contender.part.name

    @property
    def measure(self) -> Measure:
        """The figure by which they can be compared."""
        return _measure(self.same_words, self.same_vocabulary)

    @property
    def measured_by(self) -> str:
        """The same in words."""
        return TITLES[self.measure]

    def change(self, one: Compared, other: Compared) -> Change:
        """How much greater that figure is of one run than of another."""
        return _change(self.measure, one.measured, other.measured)

    @property
    def notes(self) -> list[str]:
        """What a reader of the figures has to know, a sentence each."""
        told = [f"{run.name} {LEARNED}." for run in self.runs if run.contender.learned_it]
        mixed = [run for run in self.runs if run.contender.loaded.mixture.ngram is not None]
        if any(run.memory is not None for run in mixed):
            told.append("What is said of memory is of the network alone, without the n-grams.")
        if len(self.runs) == 1:
            return told
        if not self.same_words:
            how = "split the text" if self.same_case else "write the words of the text"
            told.append(
                f"The runs {how} differently: compare them by bits per character, not by "
                "perplexity or shares of words."
            )
        elif not self.same_vocabulary:
            told.append(
                "The runs know different words: compare them by perplexity with unknown words "
                "spelled out, or by bits per character."
            )
        if not self.same_case:
            small = [run.name for run in self.runs if run.contender.loaded.tokenizer.lowercase]
            told.append(
                f"{', '.join(small)}: capitals were folded and need not be foretold, so the "
                "figures are better than they would be."
            )
        return told

    @property
    def same_case(self) -> bool:
        """Whether all fold capitals, or none does."""
        return len({run.contender.loaded.tokenizer.lowercase for run in self.runs}) == 1

    @property
    def memories(self) -> list[Memory]:
        """What was measured of their memory, where it was asked for."""
        return [run.memory for run in self.runs if run.memory is not None]

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        alike = self.alikeness
        return {
            "text": self.text,
            "same_words": self.same_words,
            "same_vocabulary": self.same_vocabulary,
            "compared_by": self.measure,
            "notes": self.notes,
            "settings": self.settings,
            "trained_alike": {"differences": alike.differences, "unknown": alike.unknown},
            "runs": [run.as_dict() for run in self.runs],
        }


def compare(
    contenders: Sequence[Contender],
    suggestions: int = SUGGESTIONS,
    remembering: Remembering | None = None,
    progress: Progress = lambda what, read, total: None,
) -> Comparison:
    """Measure runs on the text that they stand before.

    Args:
        contenders: at least one.
        suggestions: words that a typist is shown at once.
        remembering: measure how far back networks remember, too; n-grams have no memory.
        progress: is told how far the work has come.

    Raises:
        ModelError: a model says things that are no probabilities.
        TextError: the text holds no word, or too few to measure memory on.
    """
    if remembering is not None:
        for each in filter(_has_network, contenders):
            check_memory(each.loaded, each.part, remembering.reach, remembering.places)
    measured = [_evaluate(each, suggestions, progress) for each in contenders]
    memories = [_remember(each, remembering, progress) for each in contenders]
    words, vocabulary = same_words(contenders), same_vocabulary(contenders)
    won: list[Advantage] | list[None] = [None] * len(contenders)
    if words and len(contenders) > 1:
        won = advantages(
            [each.places for each in measured],
            [each.loaded.tokenizer.words for each in contenders],
            contenders[0].spelled,
            contenders[0].part.spaced,
        )
    measure = _measure(words, vocabulary)
    changes = [None, *(_change(measure, each, measured[0]) for each in measured[1:])]
    rows = zip(contenders, measured, changes, won, memories, strict=True)
    runs = [Compared(*row) for row in rows]
    return Comparison(runs, words, vocabulary)


def _evaluate(contender: Contender, suggestions: int, progress: Progress) -> Evaluation:
    label, total, read = f"{contender.name}: words foretold", len(contender.part.ids), 0

    def more(words: int) -> None:
        nonlocal read
        read += words
        progress(label, read, total)

    loaded = contender.loaded
    reading = loaded.reading()
    part = contender.part
    return evaluate(reading, part, loaded.tokenizer, loaded.counts, suggestions, more)


def _has_network(contender: Contender) -> bool:
    return contender.loaded.config.kind != "ngram"


def _remember(
    contender: Contender, remembering: Remembering | None, progress: Progress
) -> Memory | None:
    if remembering is None or not _has_network(contender):
        return None
    return measure_memory(
        contender.loaded,
        contender.name,
        contender.part,
        remembering.reach,
        remembering.places,
        lambda name, read, total: progress(f"{name}: memory", read, total),
    )


def _measure(same_words: bool, same_vocabulary: bool) -> Measure:
    if not same_words:
        return "bits_per_character"
    return "perplexity" if same_vocabulary else "perplexity_spelled_out"


def _change(measure: Measure, one: Evaluation, other: Evaluation) -> Change:
    mine, others = one.places, other.places
    if measure == "bits_per_character":
        return bits_change(mine, others)
    if measure == "perplexity":
        return perplexity_change(mine.surprisals, others.surprisals)
    return perplexity_change(mine.surprisals + mine.spellings, others.surprisals + others.spellings)
