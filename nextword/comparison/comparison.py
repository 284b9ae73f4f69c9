"""Several runs measured on one text, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nextword.comparison.comparability import Comparability, comparability, differing_settings
from nextword.comparison.loaded_run import LoadedRun, same_vocabulary, same_words
from nextword.comparison.paired import Change, bits_change, perplexity_change
from nextword.comparison.unique_hits import UniqueHits, find_unique_hits
from nextword.evaluation.evaluator import Evaluation, evaluate
from nextword.evaluation.held_out import LEARNED
from nextword.evaluation.keystrokes import SUGGESTIONS
from nextword.formatting import plain
from nextword.interpret.memory import Memory, Progress, check_memory, measure_memory
from nextword.interpret.plan import PLACES, REACH

Measure = Literal["perplexity", "perplexity_spelled_out", "bits_per_character"]
TITLES: dict[Measure, str] = {
    "perplexity": "perplexity",
    "perplexity_spelled_out": "perplexity, unknown words spelled out",
    "bits_per_character": "bits per character",
}


@dataclass(frozen=True)
class MemorySettings:
    """How memory is measured; see :mod:`nextword.interpret.plan`."""

    reach: int = REACH
    places: int = PLACES


@dataclass(frozen=True, eq=False)
class RunResult:
    """One run and what was measured of it."""

    loaded_run: LoadedRun
    measured: Evaluation
    against_first: Change | None
    """Of the measure that runs are compared by, against the first run; None of that itself."""
    unique_hits: UniqueHits | None
    """None where the runs split the text into different words, and of a run alone."""
    memory: Memory | None
    """None unless it was asked for."""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.loaded_run.name

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        loaded, log = self.loaded_run.loaded, self.loaded_run.log
        result = log.result
        return {
            "name": self.name,
            "run": self.loaded_run.run,
            "model": str(self.loaded_run.folder),
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
            "only_here": None if self.unique_hits is None else asdict(self.unique_hits),
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

    runs: list[RunResult]
    same_words: bool
    """Whether all split the text into the same words."""
    same_vocabulary: bool
    """Whether all know the same words."""

    @property
    def settings(self) -> dict[str, list[Any]]:
        """The keys of the configuration in which they differ, with each run's value; None where a
        run has no configuration beside it."""
        return differing_settings([run.loaded_run for run in self.runs])

    @property
    def comparability(self) -> Comparability:
        """Whether they were trained alike."""
        return comparability([run.loaded_run for run in self.runs])

    @property
    def text(self) -> str:
        """What they were measured on."""
        return self.runs[0].loaded_run.part.name

    @property
    def measure(self) -> Measure:
        """The figure by which they can be compared."""
        return _measure(self.same_words, self.same_vocabulary)

    @property
    def measured_by(self) -> str:
        """The same in words."""
        return TITLES[self.measure]

    def change(self, one: RunResult, other: RunResult) -> Change:
        """How much greater that figure is of one run than of another."""
        return _change(self.measure, one.measured, other.measured)

    @property
    def notes(self) -> list[str]:
        """What a reader of the figures has to know, a sentence each."""
        told = [f"{run.name} {LEARNED}." for run in self.runs if run.loaded_run.learned_it]
        mixed = [run for run in self.runs if run.loaded_run.loaded.mixture.ngram is not None]
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
            small = [run.name for run in self.runs if run.loaded_run.loaded.tokenizer.lowercase]
            told.append(
                f"{', '.join(small)}: capitals were folded and need not be foretold, so the "
                "figures are better than they would be."
            )
        return told

    @property
    def same_case(self) -> bool:
        """Whether all fold capitals, or none does."""
        return len({run.loaded_run.loaded.tokenizer.lowercase for run in self.runs}) == 1

    @property
    def memories(self) -> list[Memory]:
        """What was measured of their memory, where it was asked for."""
        return [run.memory for run in self.runs if run.memory is not None]

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        alike = self.comparability
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
    loaded_runs: Sequence[LoadedRun],
    suggestions: int = SUGGESTIONS,
    memory_settings: MemorySettings | None = None,
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
    if memory_settings is not None:
        for each in filter(_has_network, loaded_runs):
            check_memory(each.loaded, each.part, memory_settings.reach, memory_settings.places)
    measured = [_evaluate(each, suggestions, progress) for each in loaded_runs]
    memories = [_remember(each, memory_settings, progress) for each in loaded_runs]
    words, vocabulary = same_words(loaded_runs), same_vocabulary(loaded_runs)
    won: list[UniqueHits] | list[None] = [None] * len(loaded_runs)
    if words and len(loaded_runs) > 1:
        won = find_unique_hits(
            [each.places for each in measured],
            [each.loaded.tokenizer.words for each in loaded_runs],
            loaded_runs[0].spelled,
            loaded_runs[0].part.spaced,
        )
    measure = _measure(words, vocabulary)
    changes = [None, *(_change(measure, each, measured[0]) for each in measured[1:])]
    rows = zip(loaded_runs, measured, changes, won, memories, strict=True)
    runs = [RunResult(*row) for row in rows]
    return Comparison(runs, words, vocabulary)


def _evaluate(loaded_run: LoadedRun, suggestions: int, progress: Progress) -> Evaluation:
    label, total, read = f"{loaded_run.name}: words predicted", len(loaded_run.part.ids), 0

    def more(words: int) -> None:
        nonlocal read
        read += words
        progress(label, read, total)

    loaded = loaded_run.loaded
    decoder = loaded.decoder()
    part = loaded_run.part
    return evaluate(decoder, part, loaded.tokenizer, loaded.counts, suggestions, more)


def _has_network(loaded_run: LoadedRun) -> bool:
    return loaded_run.loaded.config.kind != "ngram"


def _remember(
    loaded_run: LoadedRun, memory_settings: MemorySettings | None, progress: Progress
) -> Memory | None:
    if memory_settings is None or not _has_network(loaded_run):
        return None
    return measure_memory(
        loaded_run.loaded,
        loaded_run.name,
        loaded_run.part,
        memory_settings.reach,
        memory_settings.places,
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
