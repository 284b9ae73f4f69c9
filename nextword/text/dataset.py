"""An encoded text on disk: a folder that is written once, checksummed and memory-mapped."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.storage.integrity import (
    CHECKSUM,
    canonical_json,
    checksum,
    file_checksum,
    with_checksum,
)
from nextword.text.spacing import FILE as SPACING
from nextword.text.tokenized import TokenizedText
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END_ID, UNKNOWN_ID, Vocabulary

_FORMAT = 5
Ids = NDArray[np.uint16] | NDArray[np.uint32]


class DamagedDataset(ModelError):
    """The folder differs from what was written."""


@dataclass(frozen=True, eq=False)
class TextPart:
    """One part of the text: for training, validation or test."""

    ids: Ids
    """``(words + ends,)``, memory-mapped; every paragraph or line ends with the id of ``<eos>``."""
    characters: int
    """Length of the part's text, counting one per end of a paragraph or line."""
    unknown: int
    """Number of words outside the vocabulary."""
    words: int
    """Number of words, known or not, without ends."""
    unknown_words: list[str] | None = None
    """The spelling behind each unknown id; None for the training part."""
    spaced: NDArray[np.bool_] | None = None
    """``(words + ends,)``: whether a space follows; None for the training part."""

    def tokenized(self, name: str) -> TokenizedText:
        """A held-out part as a text.

        Raises:
            ValueError: it is the training part, whose unknown words and spaces are not kept.
        """
        if self.unknown_words is None or self.spaced is None:
            raise ValueError("the training part was not held out")
        return TokenizedText(self.ids, self.spaced, self.unknown_words, self.characters, name)


@dataclass(frozen=True, eq=False)
class EncodedText:
    """A text as word ids, in parts; without held-out text there is no ``valid`` or ``test``."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    parts: Mapping[str, TextPart]
    """By ``train``, ``valid`` and ``test``."""
    sha256: str
    """SHA-256 of the files' bytes, one file after the other."""
    source: str
    """The files' names, for messages."""
    held_out: str
    """A sentence about the held-out parts."""
    notes: tuple[str, ...]
    """Lines for the user: how the text was divided, how it begins, and warnings."""
    folder: Path
    """The folder of the arrays."""
    temporary_folder: object = field(default=None, repr=False)
    """Owner of ``folder`` if that is temporary; the folder is removed with its owner."""


@dataclass(frozen=True)
class PartRecord:
    """A part's entry in ``meta.json``."""

    size: int
    dtype: str
    characters: int
    unknown: int
    words: int


def write_part(
    folder: Path,
    name: str,
    chunks: Iterable[Ids],
    dtype: type[np.uint16] | type[np.uint32],
    size: int,
    characters: int,
) -> PartRecord:
    """Write a part's ids.

    Args:
        folder: the dataset's folder.
        name: ``train``, ``valid`` or ``test``.
        chunks: the ids, in pieces of any length.
        dtype: wide enough for the vocabulary.
        size: number of ids in all chunks together.
        characters: see :class:`TextPart`.
    """
    ids = np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=dtype, shape=(size,))
    filled = unknown = ends = 0
    for chunk in chunks:
        ids[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
        unknown += int((chunk == UNKNOWN_ID).sum())
        ends += int((chunk == END_ID).sum())
    ids.flush()
    return PartRecord(size, str(ids.dtype), characters, unknown, size - ends)


def write_spelling(
    folder: Path, part: str, unknown_words: list[str], spaced: NDArray[np.bool_]
) -> None:
    """Write the unknown words and spaces of a held-out part."""
    words_file, spaces_file = _spelling_files(part)
    text = json.dumps(unknown_words, ensure_ascii=False)
    (folder / words_file).write_text(text, encoding="utf-8")
    np.save(folder / spaces_file, spaced, allow_pickle=False)


def _spelling_files(part: str) -> tuple[str, str]:
    return f"{part}.unknown.json", f"{part}.spaced.npy"


def finish_dataset(
    folder: Path,
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    parts: Mapping[str, PartRecord],
    sha256: str,
    held_out: str,
    notes: Sequence[str],
) -> None:
    """Write the files that belong to no part, ``meta.json`` with the checksums last."""
    tokenizer.save(folder / "tokenizer.json")
    np.save(folder / "counts.npy", vocabulary.counts, allow_pickle=False)
    files = ["tokenizer.json", "counts.npy"]
    files += [] if tokenizer.spacing is None else [SPACING]
    for part in parts:
        files += [f"{part}.npy", *(() if part == "train" else _spelling_files(part))]
    meta = {
        "format": _FORMAT,
        "sha256": sha256,
        "held_out": held_out,
        "notes": list(notes),
        "parts": {name: asdict(record) for name, record in parts.items()},
        "files": {name: file_checksum(folder / name) for name in files},
    }
    (folder / "meta.json").write_text(json.dumps(with_checksum(meta), indent=1), encoding="utf-8")


def read_dataset(folder: Path, source: str, temporary_folder: object = None) -> EncodedText:
    """Read a finished dataset.

    Args:
        folder: the dataset's folder.
        source: the name of the text, for messages.
        temporary_folder: see :class:`EncodedText`.

    Raises:
        DamagedDataset: a file is missing or has changed.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] != _FORMAT:
            raise DamagedDataset("another format")
        if meta.pop(CHECKSUM) != checksum(meta):
            raise DamagedDataset("meta.json has changed")
        for name, expected in meta["files"].items():
            if file_checksum(folder / name) != expected:
                raise DamagedDataset(f"{name} has changed")
        tokenizer = Tokenizer.load(folder / "tokenizer.json")
        counts = np.load(folder / "counts.npy", allow_pickle=False)
        vocabulary = Vocabulary(tuple(tokenizer.words), counts)
        parts = {
            name: _read_part(folder, name, PartRecord(**record), len(vocabulary))
            for name, record in meta["parts"].items()
        }
        return EncodedText(
            tokenizer=tokenizer,
            vocabulary=vocabulary,
            parts=parts,
            sha256=meta["sha256"],
            source=source,
            held_out=meta["held_out"],
            notes=tuple(meta["notes"]),
            folder=folder,
            temporary_folder=temporary_folder,
        )
    except ModelError as error:
        raise DamagedDataset(str(error)) from error
    except Exception as error:  # NumPy raises almost anything for a damaged array header
        raise DamagedDataset(f"{type(error).__name__}: {error}") from error


def _read_part(folder: Path, name: str, record: PartRecord, vocabulary_size: int) -> TextPart:
    """A part whose files' checksums are verified already."""
    ids = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    if ids.shape != (record.size,) or str(ids.dtype) != record.dtype:
        raise DamagedDataset(f"{name}.npy has another shape")
    if int(ids.max()) >= vocabulary_size:
        raise DamagedDataset(f"{name}.npy has ids outside the vocabulary")
    unknown_words, spaced = None, None
    if name != "train":
        words_file, spaces_file = _spelling_files(name)
        unknown_words = json.loads((folder / words_file).read_text(encoding="utf-8"))
        spaced = np.load(folder / spaces_file, allow_pickle=False)
        if len(unknown_words) != record.unknown or spaced.shape != (record.size,):
            raise DamagedDataset(f"{words_file} or {spaces_file} does not fit {name}.npy")
    return TextPart(ids, record.characters, record.unknown, record.words, unknown_words, spaced)


def dataset_key(settings: Mapping[str, Any]) -> str:
    """A folder name for the settings that determine the encoded text."""
    content = canonical_json({"format": _FORMAT, **settings})
    return hashlib.sha256(content.encode()).hexdigest()[:40]


class _TemporaryFolder:
    """A folder that is removed together with this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="nextword-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def make_work_folder(
    cache: Path, key: str, report: Callable[[str], None]
) -> tuple[Path, Path, object]:
    """An empty folder to write a dataset into, and the folder to publish it as.

    If the cache cannot be written, both are in a temporary folder, whose owner is the third item.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{key[:8]}-", suffix=".tmp", dir=cache))
        return work, cache / key, None
    except OSError as error:
        reason = error.strerror or error
        report(f"{cache}: cannot be written ({reason}), so the prepared text is not kept")
    temporary = _TemporaryFolder()
    work = temporary.path / "work"
    work.mkdir()
    return work, temporary.path / key, temporary


def publish(work: Path, target: Path) -> None:
    """Rename ``work`` to ``target``, replacing a damaged dataset but no sound one."""
    if target.exists():
        try:
            read_dataset(target, "")
            return
        except DamagedDataset:
            old = work.with_suffix(".old")
            target.rename(old)
            shutil.rmtree(old, ignore_errors=True)
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():  # otherwise another process was faster, with the same content
            raise
