"""Loading runs for a comparison, and checking that all are measured on the same text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nextword.config.schema import Config
from nextword.errors import TextError
from nextword.evaluation.held_out import PART_NAMES, held_out_part, read_text, trained_on
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.model_folder import load_model_folder
from nextword.storage.metrics_log import RunLog
from nextword.storage.run_folder import find_model, run_of_model
from nextword.storage.run_record import RunRecord
from nextword.text.tokenized import TokenizedText
from nextword.text.vocabulary import END


@dataclass(frozen=True, eq=False)
class LoadedRun:
    """One run and the text that it is measured on."""

    name: str
    """Its folder's name without the prefix that all have in common, or with parent folders if two
    folders have the same name."""
    folder: Path
    """The model folder."""
    loaded: LoadedModel
    part: TokenizedText
    """The text to measure on, in the run's own tokens."""
    config: Config | None
    """Its configuration; None for a model folder without a run."""
    log: RunLog
    measured_on: str
    """The text in words, its files without their folders."""
    learned_it: bool = False
    """Whether the run was trained on that very text."""
    record: RunRecord | None = None
    """What its ``run.json`` says; None for a model folder without a run."""

    @property
    def shareable_config(self) -> Config | None:
        """The configuration without this machine's folders, its threads resolved."""
        threads = 0 if self.record is None else self.record.threads
        return None if self.config is None else self.config.shareable(threads)

    @property
    def folder_name(self) -> str:
        """The full name of the run's folder."""
        return run_of_model(self.folder).path.name

    @cached_property
    def spelled(self) -> list[str]:
        """The words of the text as spelled, unknown words included."""
        return self.part.words(self.loaded.tokenizer.words)


def load_runs(
    paths: Sequence[Path | None],
    split: str = "valid",
    text: Sequence[str] = (),
    encoding: str = "utf-8",
    alone: bool = False,
    device: str = "cpu",
) -> list[LoadedRun]:
    """Load runs, each with the text that it is measured on.

    Args:
        paths: run or model folders; None for the newest run. Duplicates count once.
        split: the held-out part of their own text, ``valid`` or ``test``.
        text: files to measure on instead.
        encoding: of these files.
        alone: load several networks without what they are mixed with.
        device: where networks compute.

    Raises:
        ModelError: a run is missing or corrupt, or its text is missing.
        TextError: the runs held out different texts.
    """
    folders = list({folder.resolve(): folder for folder in map(find_model, paths)}.values())
    loaded_runs: list[LoadedRun] = []
    for folder, name in zip(folders, _names(folders), strict=True):
        loaded = load_model_folder(folder).to(device)
        if alone and len(folders) > 1:
            loaded = loaded.alone()
        part = (
            read_text(loaded.tokenizer, list(text), encoding)
            if text
            else held_out_part(folder, loaded.tokenizer, split)
        )
        run = run_of_model(folder)
        config = run.read_config() if run.exists else None
        record = run.read_record() if run.exists else None
        log = run.log.read()
        files = list(text) if config is None or text else config.text.file_names_of(split)
        names = ", ".join(Path(file).name for file in files)
        measured_on = names if text else f"the {PART_NAMES[split]} part of {names}"
        learned = bool(text) and trained_on(folder, text)
        loaded_runs.append(
            LoadedRun(name, folder, loaded, part, config, log, measured_on, learned, record)
        )
    if not text:
        _check_same_text(loaded_runs)
    return loaded_runs


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' names without their common prefix; equal names get as many parent folders as
    tell them apart."""
    runs = [run_of_model(folder).path for folder in folders]
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        shared = len(common_prefix(names))
        return [name[shared:] for name in names]
    for depth in range(2, max(len(run.parts) for run in runs) + 1):
        longer = [str(Path(*run.parts[-depth:])) for run in runs]
        names = [longer[i] if names.count(name) > 1 else name for i, name in enumerate(names)]
    return names


def common_prefix(names: Sequence[str]) -> str:
    """The common prefix of several names, up to a separator; empty for a single name."""
    if len(names) < 2:
        return ""
    common = os.path.commonprefix(list(names))
    while common and (common[-1] not in "-_. " or common in names):
        common = common[:-1]
    return common


def _check_same_text(loaded_runs: Sequence[LoadedRun]) -> None:
    """Refuse runs that held out different texts.

    Raises:
        TextError: naming two that differ.
    """
    first, *others = loaded_runs
    for other in others:
        if not _same_letters(first, other):
            raise TextError(
                f"{first.name} and {other.name} {_difference(first, other)}; give one with --text "
                "that neither was trained on"
            )


def _difference(one: LoadedRun, other: LoadedRun) -> str:
    """Why two runs hold out different texts."""
    kinds = [run.loaded.tokenizer.kind for run in (one, other)]
    if one.part.name != other.part.name:
        return f"held out different texts ({one.part.name}, {other.part.name})"
    if kinds[0] != kinds[1]:
        return (
            f"split the same text differently ({kinds[0]}, {kinds[1]} tokenizer) and so held out "
            "different parts of it"
        )
    return "held out different parts of the same text (text.holdout)"


def _same_letters(one: LoadedRun, other: LoadedRun) -> bool:
    """Whether two texts have the same letters, however they are split into words."""
    if same_words([one, other]):
        return True
    folded = one.loaded.tokenizer.lowercase or other.loaded.tokenizer.lowercase
    texts = ["".join(word for word in run.spelled if word != END) for run in (one, other)]
    return texts[0].lower() == texts[1].lower() if folded else texts[0] == texts[1]


def same_words(loaded_runs: Sequence[LoadedRun]) -> bool:
    """Whether all split their text into the same words, so that positions correspond."""
    first = loaded_runs[0]
    return all(other.spelled == first.spelled for other in loaded_runs[1:])


def same_vocabulary(loaded_runs: Sequence[LoadedRun]) -> bool:
    """Whether all have the same vocabulary, so that perplexities compare."""
    first = loaded_runs[0].loaded.tokenizer.words
    return all(other.loaded.tokenizer.words == first for other in loaded_runs[1:])
