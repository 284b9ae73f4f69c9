"""Several runs, measured side by side on one text."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nextword.comparison.comparability import Comparability, comparability, differing_settings
from nextword.comparison.loaded_run import LoadedRun, load_runs, same_vocabulary, same_words
from nextword.comparison.unique_hits import UniqueHits, find_unique_hits
from nextword.errors import ConfigError
from nextword.evaluation.evaluator import Evaluation, evaluate
from nextword.evaluation.held_out import TRAINED_ON
from nextword.evaluation.keystrokes import SUGGESTIONS
from nextword.evaluation.metrics import METRICS
from nextword.formatting import plain
from nextword.inference.lazy_pytorch import resolve_device
from nextword.inference.scoring import TokenScores
from nextword.interpret.memory import (
    Memory,
    MemorySettings,
    Progress,
    check_memory,
    measure_memory,
)
from nextword.statistics import Change, perplexity_change, standard_error

Measure = Literal["perplexity", "perplexity_spelled_out", "bits_per_character"]
"""Keys of :data:`~nextword.evaluation.metrics.METRICS`."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """The measurements of one run."""

    run: LoadedRun
    measured: Evaluation
    against_first: Change | None
    """In the metric that runs are compared by; None for the first run itself."""
    unique_hits: UniqueHits | None
    """None for a single run, or if the runs split the text into different words."""
    memory: Memory | None
    """None unless it was measured."""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        loaded, log = self.run.loaded, self.run.log
        result = log.result
        return {
            "name": self.name,
            "run": self.run.folder_name,
            "model": str(self.run.folder),
            "kind": loaded.architecture.title,
            "hidden_size": loaded.architecture.hidden_size,
            "layers": loaded.architecture.layers,
            "vocabulary_size": len(loaded.tokenizer),
            "parameters": loaded.parameter_count(),
            "training": {
                "steps": None if result is None else result.steps,
                "seconds": None if result is None else result.seconds,
                "tokens_per_second": None if result is None else result.tokens_per_second,
                "words": log.words,
                "validation": [
                    {"words": v.words, "seconds": v.seconds, "perplexity": v.perplexity}
                    for v in log.validations
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
    figures: dict[str, Any] = plain(
        {"share": change.share, "standard_error": change.standard_error}
    )
    return figures


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs measured on the same text, in the order in which they were given."""

    runs: list[RunResult]
    same_words: bool
    """Whether all split the text into the same words."""
    same_vocabulary: bool
    """Whether all have the same vocabulary."""

    @property
    def settings(self) -> dict[str, list[Any]]:
        """The keys of the configuration that the runs differ in, with the value of each run; None
        for a run without a configuration."""
        return differing_settings([result.run for result in self.runs])

    @property
    def comparability(self) -> Comparability:
        """Whether the networks were trained alike."""
        return comparability([result.run for result in self.runs])

    @property
    def text(self) -> str:
        """The text that the runs were measured on."""
        return self.runs[0].run.part.name

    @property
    def measure(self) -> Measure:
        """The key of the metric that the runs are compared by."""
        return measure_for(self.same_words, self.same_vocabulary)

    @property
    def measured_by(self) -> str:
        """The title of that metric."""
        return METRICS[self.measure].title

    def change(self, result: RunResult, other: RunResult) -> Change:
        """How much that metric of one run differs from another's."""
        return change_of(self.measure, result.measured.scores, other.measured.scores)

    @property
    def notes(self) -> list[str]:
        """What a reader of the figures has to know, a sentence each."""
        notes = [f"{result.name} {TRAINED_ON}." for result in self.runs if result.run.learned_it]
        mixed = [result for result in self.runs if result.run.loaded.mixture.ngram is not None]
        if any(result.memory is not None for result in mixed):
            notes.append("Memory figures describe the network without n-grams.")
        if len(self.runs) == 1:
            return notes
        if not self.same_words:
            how = "split the text" if self.same_case else "spell the words of the text"
            notes.append(
                f"The runs {how} differently: compare them by bits per character, not by "
                "perplexity or accuracy."
            )
        elif not self.same_vocabulary:
            notes.append(
                "The runs have different vocabularies: compare them by perplexity with unknown "
                "words spelled out, or by bits per character."
            )
        if not self.same_case:
            names = [each.name for each in self.runs if each.run.loaded.tokenizer.lowercase]
            notes.append(
                f"{', '.join(names)}: capitals are folded and need not be predicted, so these "
                "figures look better than they are."
            )
        return notes

    @property
    def same_case(self) -> bool:
        """Whether all fold capitals, or none does."""
        return len({result.run.loaded.tokenizer.lowercase for result in self.runs}) == 1

    @property
    def memories(self) -> list[Memory]:
        """The memories that were measured."""
        return [result.memory for result in self.runs if result.memory is not None]

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        comparability = self.comparability
        return {
            "text": self.text,
            "same_words": self.same_words,
            "same_vocabulary": self.same_vocabulary,
            "compared_by": self.measure,
            "notes": self.notes,
            "settings": self.settings,
            "trained_alike": {
                "differences": comparability.differences,
                "unknown": comparability.unknown,
            },
            "runs": [result.as_dict() for result in self.runs],
        }


def compare(
    paths: Sequence[str | os.PathLike[str]],
    *,
    split: str = "valid",
    text: str | Sequence[str] | None = None,
    encoding: str = "utf-8",
    suggestions: int = SUGGESTIONS,
    memory: bool | MemorySettings = False,
    device: str = "auto",
    progress: Progress = lambda label, done, total: None,
) -> Comparison:
    """Measure runs side by side on the same text.

    Args:
        paths: at least two run or model folders.
        split: the held-out part of their own text, ``valid`` or ``test``.
        text: a file, or several, to measure on instead.
        encoding: of these files.
        suggestions: the number of words that the typist of the keystroke savings sees at once.
        memory: also measure how far back the networks remember, with these settings; what is mixed
            with a network is then left aside.
        device: ``auto`` (CUDA if there is one, else the CPU), ``cpu``, ``cuda``, ``cuda:1`` or
            ``mps``.
        progress: called with a label, the work done so far, and all the work there is.

    Raises:
        ConfigError: these are fewer than two runs.
        ModelError: a run is missing or corrupt, its text is missing, or its probabilities are not
            numbers.
        TextError: the runs held out different texts, or the text is too short.
    """
    if len(paths) < 2:
        raise ConfigError("name at least two runs; for one there is nextword eval")
    files = [text] if isinstance(text, str) else list(text or ())
    target = resolve_device(device)
    runs = load_runs([Path(path) for path in paths], split, files, encoding, bool(memory), target)
    if len(runs) < 2:
        raise ConfigError("name at least two runs: these are the same one")
    settings = MemorySettings() if memory is True else memory or None
    return compare_loaded(runs, suggestions, settings, progress)


def compare_loaded(
    loaded_runs: Sequence[LoadedRun],
    suggestions: int = SUGGESTIONS,
    memory: MemorySettings | None = None,
    progress: Progress = lambda label, done, total: None,
) -> Comparison:
    """Measure at least one loaded run; see :func:`compare`."""
    if memory is not None:
        for run in loaded_runs:
            if run.loaded.has_network:
                check_memory(run.loaded, run.part, memory.reach, memory.places)
    evaluations = [_evaluate(run, suggestions, progress) for run in loaded_runs]
    memories = [_measure_memory(run, memory, progress) for run in loaded_runs]
    words, vocabulary = same_words(loaded_runs), same_vocabulary(loaded_runs)
    hits: list[UniqueHits] | list[None] = [None] * len(loaded_runs)
    if words and len(loaded_runs) > 1:
        hits = find_unique_hits(
            [measured.scores for measured in evaluations],
            [run.loaded.tokenizer.words for run in loaded_runs],
            loaded_runs[0].spelled,
            loaded_runs[0].part.spaced,
        )
    measure, first = measure_for(words, vocabulary), evaluations[0].scores
    changes = [None, *(change_of(measure, each.scores, first) for each in evaluations[1:])]
    rows = zip(loaded_runs, evaluations, changes, hits, memories, strict=True)
    return Comparison([RunResult(*row) for row in rows], words, vocabulary)


def _evaluate(run: LoadedRun, suggestions: int, progress: Progress) -> Evaluation:
    label, total, read = f"{run.name}: words predicted", len(run.part.ids), 0

    def advance(words: int) -> None:
        nonlocal read
        read += words
        progress(label, read, total)

    loaded = run.loaded
    return evaluate(
        loaded.decoder(), run.part, loaded.tokenizer, loaded.counts, suggestions, advance
    )


def _measure_memory(
    run: LoadedRun, settings: MemorySettings | None, progress: Progress
) -> Memory | None:
    if settings is None or not run.loaded.has_network:
        return None
    return measure_memory(
        run.loaded,
        run.name,
        run.part,
        settings.reach,
        settings.places,
        lambda name, done, total: progress(f"{name}: memory", done, total),
    )


def measure_for(same_words: bool, same_vocabulary: bool) -> Measure:
    """The metric that runs can be compared by.

    Args:
        same_words: whether all split the text into the same words.
        same_vocabulary: whether all have the same vocabulary.
    """
    if not same_words:
        return "bits_per_character"
    return "perplexity" if same_vocabulary else "perplexity_spelled_out"


def change_of(measure: Measure, scores: TokenScores, others: TokenScores) -> Change:
    """How much a metric of one model differs from that of another on the same text."""
    if measure == "bits_per_character":
        return bits_change(scores, others)
    if measure == "perplexity":
        return perplexity_change(scores.surprisals, others.surprisals)
    return perplexity_change(
        scores.surprisals + scores.spellings, others.surprisals + others.spellings
    )


def bits_change(scores: TokenScores, others: TokenScores) -> Change:
    """The difference between the bits that two models need for a text, unknown words spelled out.

    The two may split the text into different words; the letters are the same.
    """
    bits, other_bits = bits_by_letter(scores), bits_by_letter(others)
    if bits.sum() <= 0 or other_bits.sum() <= 0:
        return Change(0.0, None)  # no share of nothing
    ratio = float(bits.sum()) / float(other_bits.sum())
    # folding capitals may change the number of letters by a few, which shifts little
    letters = min(len(bits), len(other_bits))
    words = min(len(scores.ids), len(others.ids))
    error = standard_error(bits[:letters], other_bits[:letters], words)
    return Change(math.log(ratio), None if error is None else error / ratio)


def bits_by_letter(scores: TokenScores) -> NDArray[np.float64]:
    """The bits of each word, spread evenly over its letters, ``(letters,)``.

    The end of a paragraph has no letters and counts with the letter before it.
    """
    bits = (scores.surprisals.astype(np.float64) + scores.spellings) / math.log(2)
    letters = scores.lengths
    spread = np.repeat(bits / np.maximum(letters, 1), letters)
    if len(spread):
        ends = letters == 0
        last = np.maximum(np.cumsum(letters)[ends] - 1, 0)
        np.add.at(spread, last, bits[ends])
    return spread
