"""The runs that are compared, opened and found to stand before the same text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from nextword.config import Config
from nextword.errors import TextError
from nextword.evaluation.held_out import held_out_part, read_text, trained_on
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.model_folder import load_model_folder
from nextword.storage.metrics_log import RunLog
from nextword.storage.run_folder import RunFolder, RunRecord, find_model
from nextword.text.tokenized import TokenizedText
from nextword.text.vocabulary import END

_PARTS = {"valid": "validation", "test": "test"}


@dataclass(frozen=True, eq=False)
class LoadedRun:
    """One run, ready to be measured."""

    name: str
    """To tell it from the others: its folder's name without what all their names begin with, or
    with the folders around it where two are called alike."""
    folder: Path
    """The model folder."""
    loaded: LoadedModel
    part: TokenizedText
    """The text that it is measured on, in its own words."""
    config: Config | None
    """What it was told; None of a model folder without its run."""
    log: RunLog
    measured_on: str
    """The text again, its files by their names alone, for those to whom folders mean nothing."""
    learned_it: bool = False
    """Whether that is the text it was trained on, so that its figures mean nothing."""
    record: RunRecord | None = None
    """Versions, threads and text of its training; None of a model folder without its run."""

    @property
    def shareable_config(self) -> Config | None:
        """The configuration without this machine's folders, its threads resolved."""
        threads = 0 if self.record is None else self.record.threads
        return None if self.config is None else self.config.shareable(threads)

    @property
    def run(self) -> str:
        """The whole name of its folder."""
        return _run_of(self.folder).name

    @cached_property
    def spelled(self) -> list[str]:
        """The words of its text, known or not."""
        return self.part.words(self.loaded.tokenizer.words)


def load_runs(
    paths: Sequence[Path | None],
    split: str = "valid",
    text: Sequence[str] = (),
    encoding: str = "utf-8",
    alone: bool = False,
    device: torch.device | None = None,
) -> list[LoadedRun]:
    """The runs at some paths, each with the text that it is measured on.

    Args:
        paths: run or model folders; None for the newest run. One that is named twice counts once.
        split: the held-out part of their own text, ``valid`` or ``test``.
        text: files to measure on instead.
        encoding: of these files.
        alone: of several, leave aside what is mixed with a network.
        device: where to compute; the CPU unless given.

    Raises:
        ModelError: one of them is missing or damaged, or its text is not there any more.
        TextError: they held different texts out.
    """
    folders = list({folder.resolve(): folder for folder in map(find_model, paths)}.values())
    found: list[LoadedRun] = []
    for folder, name in zip(folders, _names(folders), strict=True):
        loaded = load_model_folder(folder).to(device or torch.device("cpu"))
        if alone and len(folders) > 1:
            loaded = loaded.alone()
        part = (
            read_text(loaded.tokenizer, list(text), encoding)
            if text
            else held_out_part(folder, loaded.tokenizer, split)
        )
        run = RunFolder(folder.parent)
        config = run.read_config() if run.exists else None
        record = run.read_record() if run.exists else None
        log = run.log.read()
        files = list(text) if config is None or text else config.text.file_names_of(split)
        names = ", ".join(Path(file).name for file in files)
        measured_on = names if text else f"the {_PARTS[split]} part of {names}"
        learned = bool(text) and trained_on(folder, text)
        found.append(
            LoadedRun(name, folder, loaded, part, config, log, measured_on, learned, record)
        )
    if not text:
        _check_same_text(found)
    return found


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' own names without what all begin with; where some are called alike, theirs with
    as many of the folders around them as tell them apart."""
    runs = [_run_of(folder) for folder in folders]
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        shared = len(shared_beginning(names))
        return [name[shared:] for name in names]
    for depth in range(2, max(len(run.parts) for run in runs) + 1):
        longer = [str(Path(*run.parts[-depth:])) for run in runs]
        names = [longer[i] if names.count(name) > 1 else name for i, name in enumerate(names)]
    return names


def _run_of(model: Path) -> Path:
    """The folder of a model's run, with a name even if it was called by a dot."""
    place = Path(os.path.abspath(model))
    return place.parent if place.name == "model" else place


def shared_beginning(names: Sequence[str]) -> str:
    """What several names begin with, up to a mark between words; nothing of a name alone."""
    if len(names) < 2:
        return ""
    common = os.path.commonprefix(list(names))
    while common and (common[-1] not in "-_. " or common in names):
        common = common[:-1]
    return common


def _check_same_text(loaded_runs: Sequence[LoadedRun]) -> None:
    """Refuse runs that held different texts out.

    Raises:
        TextError: naming two that differ.
    """
    first, *others = loaded_runs
    for other in others:
        if not _same_letters(first, other):
            raise TextError(
                f"{first.name} and {other.name} {_why(first, other)}; name a --text that none of "
                "them was trained on"
            )


def _why(one: LoadedRun, other: LoadedRun) -> str:
    """In what two runs differ that hold different texts out."""
    kinds = [each.loaded.tokenizer.kind for each in (one, other)]
    if one.part.name != other.part.name:
        return f"held different texts out ({one.part.name}, {other.part.name})"
    if kinds[0] != kinds[1]:
        return (
            f"split the same text differently ({kinds[0]}, {kinds[1]} tokenizer), so that they "
            "held different parts of it out"
        )
    return "held different parts of the same text out (text.holdout)"


def _same_letters(one: LoadedRun, other: LoadedRun) -> bool:
    """Whether two texts are the same, however they are split into words."""
    if same_words([one, other]):
        return True
    small = one.loaded.tokenizer.lowercase or other.loaded.tokenizer.lowercase
    texts = ["".join(word for word in each.spelled if word != END) for each in (one, other)]
    return texts[0].lower() == texts[1].lower() if small else texts[0] == texts[1]


def same_words(loaded_runs: Sequence[LoadedRun]) -> bool:
    """Whether all split their text into the same words, so that places can be compared."""
    first = loaded_runs[0]
    return all(other.spelled == first.spelled for other in loaded_runs[1:])


def same_vocabulary(loaded_runs: Sequence[LoadedRun]) -> bool:
    """Whether all know the same words, so that perplexities mean the same."""
    first = loaded_runs[0].loaded.tokenizer.words
    return all(other.loaded.tokenizer.words == first for other in loaded_runs[1:])
