"""A text made ready for training: words to ids, split into parts, kept in a cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextword.config.schema import TextConfig, VocabularyConfig
from nextword.errors import ConfigError, TextError
from nextword.text import dataset as store
from nextword.text.dataset import EncodedText, TextPart
from nextword.text.readers import Source, display_name, read_units, text_files
from nextword.text.split import split_blocks
from nextword.text.tokenized import spaces_after
from nextword.text.tokenizer import PATTERNS, Tokenizer
from nextword.text.vocabulary import SPECIAL_WORDS, UNKNOWN_ID, Vocabulary

__all__ = ["EncodedText", "TextPart", "prepare_text", "text_sha256"]

Ids = NDArray[np.uint32]
_PARTS = ("train", "valid", "test")
_GROUP = 1 << 22
"""Words handled at once."""
_NO_SPACE = np.zeros(1, dtype=np.bool_)
"""What follows the end of a paragraph."""


@dataclass(frozen=True)
class _Encoding:
    """The whole text in the ids of an intermediate vocabulary that lacks no word."""

    tokenizer: Tokenizer
    ids: Ids
    """(words,), mapped from a file."""
    lengths: NDArray[np.int64]
    """(paragraphs,): words of each, its end included."""
    characters: NDArray[np.int64]
    """(paragraphs,): characters of each, one for its end included."""
    file_part: NDArray[np.uint8]
    """(paragraphs,): the part whose files the paragraph came from."""

    def groups(self) -> Iterator[tuple[slice, Ids]]:
        """Runs of paragraphs and their ids, of a bounded number of words."""
        ends = np.cumsum(self.lengths)
        first, start = 0, 0
        while first < len(ends):
            last = max(first + 1, int(np.searchsorted(ends, start + _GROUP, side="right")))
            yield slice(first, last), self.ids[start : int(ends[last - 1])]
            first, start = last, int(ends[last - 1])


def prepare_text(
    text: TextConfig,
    vocabulary: VocabularyConfig,
    cache: Path | None = None,
    report: Callable[[str], None] | None = None,
) -> EncodedText:
    """The text as mapped arrays of word ids, from the cache where it has been prepared before.

    ``cache`` is the cache folder; ``report`` takes a line for the screen now and then. Raises
    TextError for a text that cannot be read or is too short, ConfigError where none is named.
    """
    report = report or (lambda line: None)
    sources = _sources(text)
    sha256, digests = _digests(sources)
    source = ", ".join(display_name(file) for files in sources.values() for file in files[:3])
    source += ", ..." if any(len(files) > 3 for files in sources.values()) else ""
    settings = {
        "files": digests,
        "pattern": PATTERNS[text.tokenizer],
        "text": text.model_dump(mode="json", include={"encoding", "lowercase", "holdout"}),
        "vocabulary": vocabulary.model_dump(mode="json"),
    }

    def build(folder: Path) -> None:
        _build(folder, text, vocabulary, sources, sha256)

    return store.load_or_build(
        cache or store.default_cache(), store.key(settings), build, source, report
    )


def _sources(text: TextConfig) -> dict[str, list[Path]]:
    """The files of each part; of ``train`` alone where the text is not split already."""
    if text.path is not None:
        return {"train": text_files(text.path)}
    if text.train is None:
        raise ConfigError("text.path: no text is named; give a file, a folder, or - for a pipe")
    named = {"train": text.train, "valid": text.valid, "test": text.test}
    return {part: text_files(path) for part, path in named.items() if path is not None}


def text_sha256(path: Source) -> str:
    """SHA-256 of a text's files, one after the other, as :attr:`EncodedText.sha256` has it."""
    return _digests({"train": text_files(path)})[0]


def _digests(sources: Mapping[str, list[Path]]) -> tuple[str, dict[str, list[str]]]:
    """SHA-256 of all files' bytes one after the other, and of each file."""
    whole = hashlib.sha256()
    digests: dict[str, list[str]] = {}
    for part, files in sources.items():
        for file in files:
            single = hashlib.sha256()
            try:
                with file.open("rb") as stream:
                    while chunk := stream.read(1 << 20):
                        whole.update(chunk)
                        single.update(chunk)
            except OSError as error:
                raise TextError(f"{display_name(file)}: cannot be read ({error})") from error
            digests.setdefault(part, []).append(single.hexdigest())
    return whole.hexdigest(), digests


def _build(
    folder: Path,
    text: TextConfig,
    settings: VocabularyConfig,
    sources: Mapping[str, list[Path]],
    sha256: str,
) -> None:
    """Writes the encoded text into ``folder``."""
    scratch = folder / "intermediate.bin"
    encoding = _encode(text, sources, scratch)
    if text.train is not None:
        parts = encoding.file_part
        held_out = "held out: the files given for " + " and ".join(
            {"valid": "validation", "test": "test"}[part] for part in sources if part != "train"
        )
    else:
        parts = split_blocks(encoding.lengths, text.holdout.valid, text.holdout.test)
        held_out = _describe(encoding.lengths, parts)
    if int((encoding.lengths[parts == 0] - 1).sum()) < 2:  # ends are no words
        raise TextError("the training part has fewer than 2 words; bring more text")
    words = encoding.tokenizer.words
    vocabulary = Vocabulary.from_counts(
        words, _counts(encoding, parts), settings.max_size, settings.min_count
    )
    if len(vocabulary) == len(SPECIAL_WORDS):
        raise TextError(
            f"no word stands {settings.min_count} times in the training part; bring more text, or "
            "set vocabulary.min_count to 1"
        )
    described = _write_parts(folder, encoding, parts, vocabulary)
    if set(described) > {"train"}:
        _write_spellings(folder, _paragraphs(text, sources), encoding, parts, vocabulary)
    tokenizer = encoding.tokenizer.with_words(vocabulary.words)
    store.save(folder, tokenizer, vocabulary, described, sha256, held_out)
    del encoding  # lets go of the mapped file before it is removed
    scratch.unlink()


def _read(text: TextConfig, files: list[Path]) -> Iterator[str]:
    return read_units(text.tokenizer, files, text.encoding)


def _paragraphs(text: TextConfig, sources: Mapping[str, list[Path]]) -> Iterator[str]:
    return chain.from_iterable(_read(text, files) for files in sources.values())


def _encode(text: TextConfig, sources: Mapping[str, list[Path]], scratch: Path) -> _Encoding:
    """Reads the text twice: for its words, then for their ids."""
    tokenizer = Tokenizer.learn(_paragraphs(text, sources), text.tokenizer, text.lowercase)
    lengths: list[int] = []
    characters: list[int] = []
    part_sizes: list[int] = []

    def measured(files: list[Path]) -> Iterator[str]:
        for paragraph in _read(text, files):
            characters.append(len(paragraph) + 1)
            yield paragraph

    with scratch.open("wb") as stream:
        for part, files in sources.items():
            before, size = len(lengths), stream.tell()
            for ids in tokenizer.encode_stream(measured(files)):
                stream.write(ids.tobytes())
                lengths.append(len(ids))
            part_sizes.append(len(lengths) - before)
            if stream.tell() == size or sum(lengths[before:]) == part_sizes[-1]:
                name = ", ".join(display_name(file) for file in files[:3])
                raise TextError(f"{name}: no words in the text ({part}); give one with words")
    return _Encoding(
        tokenizer,
        np.memmap(scratch, dtype=np.uint32, mode="r"),
        np.array(lengths, dtype=np.int64),
        np.array(characters, dtype=np.int64),
        np.repeat(np.arange(len(part_sizes), dtype=np.uint8), part_sizes),
    )


def _counts(encoding: _Encoding, parts: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Occurrences of every word of the intermediate vocabulary in the training part."""
    counts = np.zeros(len(encoding.tokenizer), dtype=np.int64)
    for run, ids in encoding.groups():
        kept = ids[np.repeat(parts[run] == 0, encoding.lengths[run])]
        counts += np.bincount(kept, minlength=len(counts))
    return counts


def _write_parts(
    folder: Path, encoding: _Encoding, parts: NDArray[np.uint8], vocabulary: Vocabulary
) -> dict[str, store.PartRecord]:
    """Writes each part's ids in the final vocabulary; gives what the cache notes of it."""
    dtype = np.uint16 if len(vocabulary) <= 1 << 16 else np.uint32
    index = vocabulary.index
    final = np.array([index.get(word, 0) for word in encoding.tokenizer.words], dtype=dtype)
    records: dict[str, store.PartRecord] = {}
    for number, name in enumerate(_PARTS):
        mine = parts == number
        size = int(encoding.lengths[mine].sum())
        if size == 0:
            continue
        writer = store.PartWriter(folder / f"{name}.npy", dtype, size)
        for run, ids in encoding.groups():
            writer.write(final[ids[np.repeat(mine[run], encoding.lengths[run])]])
        records[name] = writer.finish(int(encoding.characters[mine].sum()))
    return records


def _write_spellings(
    folder: Path,
    paragraphs: Iterable[str],
    encoding: _Encoding,
    parts: NDArray[np.uint8],
    vocabulary: Vocabulary,
) -> None:
    """Writes the unknown words of the held-out parts, and where spaces stand in them."""
    words, known = encoding.tokenizer.words, vocabulary.index
    unknown = np.array([known.get(word, UNKNOWN_ID) == UNKNOWN_ID for word in words])
    letters = np.array([len(word) for word in words])
    ends = np.cumsum(encoding.lengths)
    spellings = {number: (list[str](), list[NDArray[np.bool_]]()) for number in np.unique(parts)}
    for number, end, length, paragraph in zip(
        parts.tolist(), ends.tolist(), encoding.lengths.tolist(), paragraphs, strict=True
    ):
        if number == 0:
            continue
        ids = encoding.ids[end - length : end - 1]
        unknown_words, spaced = spellings[number]
        unknown_words += [words[i] for i in ids[unknown[ids]]]
        spaced += [spaces_after(paragraph, letters[ids], encoding.tokenizer.lowercase), _NO_SPACE]
    for number, (unknown_words, spaced) in spellings.items():
        if number != 0:
            store.write_spelling(folder, _PARTS[number], unknown_words, np.concatenate(spaced))


def _describe(lengths: NDArray[np.int64], parts: NDArray[np.uint8]) -> str:
    """One sentence: what is held out."""
    total = int(lengths.sum())
    phrases = []
    for number, name in ((1, "validation"), (2, "test")):
        mine = parts == number
        if not mine.any():
            continue
        share = 100 * int(lengths[mine].sum()) / total
        blocks = int((np.diff(mine.astype(np.int8), prepend=0) == 1).sum())
        words = int(lengths[mine].sum()) / blocks
        about = f"{round(words, -2 if words >= 1000 else 0):,.0f}"
        phrases.append(
            f"{share:.1f} % for {name} ({blocks} block{'s' * (blocks != 1)} of about {about} words)"
        )
    if not phrases:
        return "held out: nothing"
    return f"held out: {', '.join(phrases)}, spread over the text"
