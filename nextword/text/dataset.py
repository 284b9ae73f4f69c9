"""Encoded texts on disk: written once, memory-mapped from then on, rebuilt when damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from nextword.errors import ModelError, TextError
from nextword.storage.integrity import (
    CHECKSUM,
    canonical_json,
    checksum,
    file_checksum,
    with_checksum,
)
from nextword.text.tokenized import TokenizedText
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import Vocabulary

_FORMAT = 4
Ids = NDArray[np.uint16] | NDArray[np.uint32]


class _Damaged(ModelError):
    """The folder differs from what was written."""


@dataclass(frozen=True, eq=False)
class TextPart:
    """One part of the text: for training, validation or test."""

    ids: Ids
    """``(words + ends,)``, memory-mapped; every paragraph or line ends with the id of ``<eos>``."""
    characters: int
    """Characters of the part's text, including one per end of a paragraph or line."""
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
    """A sentence that says what is held out."""
    folder: Path
    """The folder of the arrays."""
    keeper: object = field(default=None, repr=False)
    """Owns a temporary folder, which is removed with it."""


@dataclass(frozen=True)
class PartRecord:
    """A part's entry in ``meta.json``."""

    size: int
    dtype: str
    characters: int
    unknown: int
    words: int


class PartWriter:
    """Writes a part's ids as ``.npy``, chunk by chunk."""

    def __init__(self, path: Path, dtype: type[np.uint16] | type[np.uint32], size: int) -> None:
        self._ids = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(size,))
        self._filled = 0
        self._unknown = 0
        self._ends = 0

    def write(self, ids: Ids) -> None:
        """Append ``ids``, ``(any,)``."""
        self._ids[self._filled : self._filled + len(ids)] = ids
        self._filled += len(ids)
        self._unknown += int((ids == 0).sum())
        self._ends += int((ids == 1).sum())

    def finish(self, characters: int) -> PartRecord:
        """Flush the ids to the disk; the part's record."""
        self._ids.flush()
        dtype, size = str(self._ids.dtype), len(self._ids)
        return PartRecord(size, dtype, characters, self._unknown, size - self._ends)


def write_spelling(
    folder: Path, part: str, unknown_words: list[str], spaced: NDArray[np.bool_]
) -> None:
    """Write the unknown words and spaces of a held-out part, before :func:`save`."""
    words_file, spaces_file = _spelling_files(part)
    text = json.dumps(unknown_words, ensure_ascii=False)
    (folder / words_file).write_text(text, encoding="utf-8")
    np.save(folder / spaces_file, spaced, allow_pickle=False)


def _part_files(part: str) -> tuple[str, ...]:
    return (f"{part}.npy", *_spelling_files(part))


def _spelling_files(part: str) -> tuple[str, ...]:
    return () if part == "train" else (f"{part}.unknown.json", f"{part}.spaced.npy")


class _TemporaryFolder:
    """A folder that is removed together with this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="nextword-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def default_cache() -> Path:
    """``$NEXTWORD_CACHE_DIR``, else the system's cache folder: ``~/.cache/nextword`` on Linux."""
    if own := os.environ.get("NEXTWORD_CACHE_DIR"):
        return Path(own)
    return platformdirs.user_cache_path("nextword", appauthor=False)


def key(settings: Mapping[str, Any]) -> str:
    """A folder name for the settings that determine the encoded text."""
    content = canonical_json({"format": _FORMAT, **settings})
    return hashlib.sha256(content.encode()).hexdigest()[:40]


def load_or_build(
    cache: Path,
    name: str,
    build: Callable[[Path], None],
    source: str,
    report: Callable[[str], None],
) -> EncodedText:
    """The encoded text ``name`` from the cache; ``build`` writes it into a folder if it is missing.

    If the cache cannot be written, a temporary folder is used for as long as the result lives.
    """
    target = cache / name
    if target.exists():
        try:
            return _load(target, source)
        except _Damaged as error:
            report(f"the cached text in {target} is damaged ({error}): preparing it again")
    keeper = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{name[:8]}-", suffix=".tmp", dir=cache))
    except OSError as error:
        reason = error.strerror or error
        report(f"{cache}: cannot be written ({reason}), so the prepared text is not kept")
        keeper = _TemporaryFolder()
        target = keeper.path / name
        work = keeper.path / "work"
        work.mkdir()
    report(f"preparing {source}")
    try:
        build(work)
        _publish(work, target)
    except OSError as error:
        raise TextError(
            f"{work.parent}: cannot write the prepared text ({error.strerror or error}); free some "
            "space or set NEXTWORD_CACHE_DIR to another folder"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    try:
        return _load(target, source, keeper)
    except _Damaged as error:
        raise TextError(f"{target}: the text just written cannot be read back ({error})") from error


def _publish(work: Path, target: Path) -> None:
    """Rename ``work`` to ``target``, replacing a damaged one; one of another process may stay."""
    if target.exists():
        try:
            _load(target, "")
            return
        except _Damaged:
            old = work.with_suffix(".old")
            target.rename(old)
            shutil.rmtree(old, ignore_errors=True)
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():  # otherwise another process was faster, with the same content
            raise


def save(
    folder: Path,
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    parts: Mapping[str, PartRecord],
    sha256: str,
    held_out: str,
) -> None:
    """Write the files that do not belong to one part, ``meta.json`` last."""
    tokenizer.save(folder / "tokenizer.json")
    np.save(folder / "counts.npy", vocabulary.counts, allow_pickle=False)
    files = ["tokenizer.json", "counts.npy", *(file for p in parts for file in _part_files(p))]
    meta = {
        "format": _FORMAT,
        "sha256": sha256,
        "held_out": held_out,
        "parts": {name: asdict(record) for name, record in parts.items()},
        "files": {name: file_checksum(folder / name) for name in files},
    }
    (folder / "meta.json").write_text(json.dumps(with_checksum(meta), indent=1), encoding="utf-8")


def _load(folder: Path, source: str, keeper: object = None) -> EncodedText:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] != _FORMAT:
            raise _Damaged("another format")
        if meta.pop(CHECKSUM) != checksum(meta):
            raise _Damaged("meta.json has changed")
        for name, written in meta["files"].items():
            if file_checksum(folder / name) != written:
                raise _Damaged(f"{name} has changed")
        tokenizer = Tokenizer.load(folder / "tokenizer.json")
        counts = np.load(folder / "counts.npy", allow_pickle=False)
        vocabulary = Vocabulary(tuple(tokenizer.words), counts)
        parts = {
            name: _load_part(folder, name, PartRecord(**record), len(vocabulary))
            for name, record in meta["parts"].items()
        }
        return EncodedText(
            tokenizer=tokenizer,
            vocabulary=vocabulary,
            parts=parts,
            sha256=meta["sha256"],
            source=source,
            held_out=meta["held_out"],
            folder=folder,
            keeper=keeper,
        )
    except ModelError as error:
        raise _Damaged(str(error)) from error
    except Exception as error:  # NumPy lets almost anything out when an array's head is damaged
        raise _Damaged(f"{type(error).__name__}: {error}") from error


def _load_part(folder: Path, name: str, record: PartRecord, types: int) -> TextPart:
    path = folder / f"{name}.npy"
    ids = np.load(path, mmap_mode="r", allow_pickle=False)
    if ids.shape != (record.size,) or str(ids.dtype) != record.dtype:
        raise _Damaged(f"{path.name} has another shape")
    if int(ids.max()) >= types:
        raise _Damaged(f"{path.name} has ids outside the vocabulary")
    part = TextPart(ids, record.characters, record.unknown, record.words)
    if name == "train":
        return part
    return replace(part, **_load_spelling(folder, name, record))


def _load_spelling(folder: Path, name: str, record: PartRecord) -> dict[str, Any]:
    """What :func:`write_spelling` wrote; the files' checksums are verified already."""
    words_file, spaces_file = _spelling_files(name)
    words = json.loads((folder / words_file).read_text(encoding="utf-8"))
    spaced = np.load(folder / spaces_file, allow_pickle=False)
    if len(words) != record.unknown or spaced.shape != (record.size,):
        raise _Damaged(f"{words_file} or {spaces_file} does not fit {name}.npy")
    return {"unknown_words": words, "spaced": spaced}
