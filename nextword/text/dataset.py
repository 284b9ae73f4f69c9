"""Encoded texts on disk: written once, mapped from then on, rebuilt when damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError, TextError
from nextword.text.tokenized import TokenizedText
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import Vocabulary

_FORMAT = 3
_CHUNK = 1 << 22
Ids = NDArray[np.uint16] | NDArray[np.uint32]


class _Damaged(ModelError):
    """The folder is not what was written."""


@dataclass(frozen=True, eq=False)
class TextPart:
    """One part of the text: what is trained on, or what is held out."""

    ids: Ids
    """(words + ends,), mapped from a file; every paragraph or line ends in the end's id."""
    characters: int
    """Characters of the part's text, one for each paragraph's or line's end included."""
    unknown: int
    """Words outside the vocabulary."""
    words: int
    """Words, known or not; ends are not counted."""
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
    """A text as word ids, in parts; ``valid`` and ``test`` are absent where nothing is held out."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    parts: Mapping[str, TextPart]
    """By ``train``, ``valid`` and ``test``."""
    sha256: str
    """Of the files' bytes, one after the other."""
    source: str
    """The files, for the screen."""
    held_out: str
    """What is held out, in one sentence."""
    folder: Path
    """Where the arrays lie."""
    keeper: object = field(default=None, repr=False)
    """Removes a temporary folder when the text is no longer used."""


@dataclass(frozen=True)
class PartRecord:
    """What the cache notes of a part."""

    size: int
    dtype: str
    checksum: int
    """CRC-32 of the ids' bytes."""
    characters: int
    unknown: int
    words: int


class PartWriter:
    """Writes a part's ids as ``.npy``, piece by piece."""

    def __init__(self, path: Path, dtype: type[np.uint16] | type[np.uint32], size: int) -> None:
        self._ids = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(size,))
        self._filled = 0
        self._checksum = 0
        self._unknown = 0
        self._ends = 0

    def write(self, ids: Ids) -> None:
        """Appends ``ids``, (any,)."""
        self._ids[self._filled : self._filled + len(ids)] = ids
        self._filled += len(ids)
        self._checksum = zlib.crc32(np.ascontiguousarray(ids).data, self._checksum)
        self._unknown += int((ids == 0).sum())
        self._ends += int((ids == 1).sum())

    def finish(self, characters: int) -> PartRecord:
        """The record of what was written."""
        self._ids.flush()
        dtype, size = str(self._ids.dtype), len(self._ids)
        return PartRecord(size, dtype, self._checksum, characters, self._unknown, size - self._ends)


def write_spelling(
    folder: Path, part: str, unknown_words: list[str], spaced: NDArray[np.bool_]
) -> None:
    """Writes the unknown words and spaces of a held-out part, before :func:`save`."""
    words_file, spaces_file = _spelling_files(part)
    text = json.dumps(unknown_words, ensure_ascii=False)
    (folder / words_file).write_text(text, encoding="utf-8")
    np.save(folder / spaces_file, spaced, allow_pickle=False)


def _spelling_files(part: str) -> tuple[str, ...]:
    return () if part == "train" else (f"{part}.unknown.json", f"{part}.spaced.npy")


class _TemporaryFolder:
    """A folder that goes when this object does."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="nextword-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def default_cache() -> Path:
    """``$NEXTWORD_CACHE_DIR``, else ``nextword`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get("NEXTWORD_CACHE_DIR"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path(os.path.expanduser("~/.cache"))) / "nextword"


def key(settings: Mapping[str, Any]) -> str:
    """A folder name that changes with anything that changes the encoded text."""
    return _digest_of({"format": _FORMAT, **settings})[:40]


def load_or_build(
    cache: Path,
    name: str,
    build: Callable[[Path], None],
    source: str,
    report: Callable[[str], None],
) -> EncodedText:
    """The encoded text ``name``; ``build`` writes it into a folder where the cache lacks it.

    Where the cache cannot be written, a temporary folder serves, for as long as the result lives.
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
        report(f"{cache}: cannot be written ({error.strerror or error}), so the text is not kept")
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
            "room or set NEXTWORD_CACHE_DIR to another folder"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    try:
        return _load(target, source, keeper)
    except _Damaged as error:
        raise TextError(f"{target}: what was just written reads back wrong ({error})") from error


def _publish(work: Path, target: Path) -> None:
    """Renames ``work`` to ``target``, in place of a damaged one; another process's may stand."""
    if target.exists():
        try:
            _load(target, "")
            return
        except _Damaged:
            aside = work.with_suffix(".old")
            target.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
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
    """Writes all but what is kept of each part, ``meta.json`` last."""
    tokenizer.save(folder / "tokenizer.json")
    np.save(folder / "counts.npy", vocabulary.counts, allow_pickle=False)
    files = ["tokenizer.json", "counts.npy", *(file for p in parts for file in _spelling_files(p))]
    meta: dict[str, Any] = {
        "format": _FORMAT,
        "sha256": sha256,
        "held_out": held_out,
        "parts": {name: asdict(record) for name, record in parts.items()},
        "files": {name: _digest((folder / name).read_bytes()) for name in files},
    }
    meta["digest"] = _digest_of(meta)
    (folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


def _load(folder: Path, source: str, keeper: object = None) -> EncodedText:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] != _FORMAT:
            raise _Damaged("another format")
        if meta.pop("digest") != _digest_of(meta):
            raise _Damaged("meta.json has changed")
        for name, digest in meta["files"].items():
            if _digest((folder / name).read_bytes()) != digest:
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
    checksum = 0
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        checksum = zlib.crc32(chunk.data, checksum)
        if int(chunk.max()) >= types:
            raise _Damaged(f"{path.name} has ids outside the vocabulary")
    if checksum != record.checksum:
        raise _Damaged(f"{path.name} has changed")
    part = TextPart(ids, record.characters, record.unknown, record.words)
    if name == "train":
        return part
    return replace(part, **_load_spelling(folder, name, record))


def _load_spelling(folder: Path, name: str, record: PartRecord) -> dict[str, Any]:
    """What :func:`write_spelling` wrote; the files' checksums are known to be right."""
    words_file, spaces_file = _spelling_files(name)
    words = json.loads((folder / words_file).read_text(encoding="utf-8"))
    spaced = np.load(folder / spaces_file, allow_pickle=False)
    if len(words) != record.unknown or spaced.shape != (record.size,):
        raise _Damaged(f"{words_file} or {spaces_file} does not fit {name}.npy")
    return {"unknown_words": words, "spaced": spaced}


def _digest_of(content: Mapping[str, Any]) -> str:
    return _digest(json.dumps(content, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
