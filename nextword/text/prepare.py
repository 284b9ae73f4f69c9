"""From text files to an encoded text: split into words, parts and ids, kept in a cache."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextword.config.schema import TextConfig, VocabularyConfig
from nextword.errors import ConfigError, TextError
from nextword.storage.cache_folder import default_cache
from nextword.text.dataset import (
    DamagedDataset,
    EncodedText,
    PartRecord,
    dataset_key,
    finish_dataset,
    make_work_folder,
    publish,
    read_dataset,
    write_part,
    write_spelling,
)
from nextword.text.notes import (
    FIRST_WORDS,
    beginning,
    describe_parts,
    finer_division,
    warn_of_large_parts,
)
from nextword.text.readers import TextReader
from nextword.text.sources import Source, display_name, text_files
from nextword.text.spacing import LEARNED_WORDS, Spacing, SpacingCounter
from nextword.text.split import split_blocks
from nextword.text.token_pattern import PATTERNS
from nextword.text.tokenized import spaces_after, visible_lengths
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import SPECIAL_WORDS, UNKNOWN_ID, Vocabulary

Ids = NDArray[np.uint32]
_PARTS = ("train", "valid", "test")
_READ_BY = {"format", "column", "encoding", "paragraphs", "lowercase", "holdout"}
"""Keys of the ``text`` section that decide what is read, besides the files and the tokenizer."""
_CHUNK = 1 << 22
"""Words processed at once."""
_Progress = Callable[[str, int, int], object]
"""Receives what is being done, how much is done, and of how much."""


def prepare_text(
    text: TextConfig,
    vocabulary: VocabularyConfig,
    cache: Path | None = None,
    report: Callable[[str], None] | None = None,
    progress: _Progress | None = None,
) -> EncodedText:
    """Encode a text, or read it from the cache if it was encoded with these settings before.

    Args:
        text: the files and how to split them into words and parts.
        vocabulary: which words get an id.
        cache: the cache folder; :func:`~nextword.storage.cache_folder.default_cache` if not given.
            If it cannot be written, a temporary folder is used for as long as the result lives.
        report: called with lines for the user.
        progress: called with a label, the bytes read so far and all bytes to read, each file once
            for every time that it is read.

    Raises:
        TextError: the text cannot be read or is too short, or the result cannot be written.
        ConfigError: no text is named.
    """
    report = report or (lambda line: None)
    cache = cache or default_cache()
    progress = progress or (lambda label, done, total: None)
    sources = _sources(text, report)
    source = ", ".join(display_name(file) for files in sources.values() for file in files[:3])
    source += ", ..." if any(len(files) > 3 for files in sources.values()) else ""
    sha256, digests = _digests(sources, _counter("checking the text", sources, 1, progress))
    key = dataset_key(
        {
            "files": digests,
            "pattern": PATTERNS[text.tokenizer],
            "text": text.model_dump(mode="json", include=_READ_BY),
            "vocabulary": vocabulary.model_dump(mode="json"),
        }
    )
    stored = cache / key
    if stored.exists():
        try:
            return _reported(read_dataset(stored, source), report)
        except DamagedDataset as error:
            report(f"the cached text in {stored} is damaged ({error}): preparing it again")
    work, target, temporary_folder = make_work_folder(cache, key, report)
    report(f"preparing {source}")
    try:
        on_bytes = _counter("preparing the text", sources, 3, progress)
        _build(work, text, vocabulary, sources, sha256, TextReader(text, on_bytes))
        publish(work, target)
    except OSError as error:
        raise TextError(
            f"{work.parent}: cannot write the prepared text ({error.strerror or error}); free some "
            "space or set NEXTWORD_CACHE_DIR to another folder"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    try:
        return _reported(read_dataset(target, source, temporary_folder), report)
    except DamagedDataset as error:
        raise TextError(f"{target}: the text just written cannot be read back ({error})") from error


def _reported(text: EncodedText, report: Callable[[str], None]) -> EncodedText:
    """The text, after its notes were reported."""
    for note in text.notes:
        report(note)
    return text


def _counter(
    label: str, sources: Mapping[str, list[Path]], passes: int, progress: _Progress
) -> Callable[[int], None]:
    """A function that takes numbers of bytes read, and reports their sum.

    Args:
        label: what is being done.
        sources: the files of each part.
        passes: how many times each file is read.
        progress: receives the sum.
    """
    try:
        total = passes * sum(file.stat().st_size for files in sources.values() for file in files)
    except OSError:
        total = 0
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        progress(label, done, total)

    count(0)
    return count


def _sources(text: TextConfig, report: Callable[[str], None]) -> dict[str, list[Path]]:
    """The files of each part; only ``train`` if the text is not split into parts yet."""
    if text.path is not None:
        return {"train": text_files(text.path, report)}
    if text.train is None:
        raise ConfigError("text.path: no text is named; give a file, a folder, or - for a pipe")
    named = {"train": text.train, "valid": text.valid, "test": text.test}
    return {part: text_files(path, report) for part, path in named.items() if path is not None}


def text_sha256(path: Source) -> str:
    """SHA-256 of the concatenated files of a text, as in :attr:`EncodedText.sha256`."""
    return _digests({"train": text_files(path)}, lambda number: None)[0]


def _digests(
    sources: Mapping[str, list[Path]], on_bytes: Callable[[int], None]
) -> tuple[str, dict[str, list[str]]]:
    """SHA-256 of the concatenated files, and of each file by part."""
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
                        on_bytes(len(chunk))
            except OSError as error:
                raise TextError(f"{display_name(file)}: cannot be read ({error})") from error
            digests.setdefault(part, []).append(single.hexdigest())
    return whole.hexdigest(), digests


@dataclass(frozen=True)
class _Encoding:
    """The whole text in the ids of an intermediate vocabulary of all its words."""

    tokenizer: Tokenizer
    ids: Ids
    """``(words + ends,)``, memory-mapped."""
    lengths: NDArray[np.int64]
    """``(paragraphs,)``: words of each paragraph, its end included."""
    characters: NDArray[np.int64]
    """``(paragraphs,)``: characters of each paragraph, one for its end included."""
    source_part: NDArray[np.uint8]
    """``(paragraphs,)``: the part whose files hold the paragraph."""
    beginning: list[str]
    """The text's first words."""

    def select(self, chosen: NDArray[np.bool_]) -> Iterator[Ids]:
        """The ids of chosen paragraphs in chunks of bounded size; ``chosen`` is (paragraphs,)."""
        ends = np.cumsum(self.lengths)
        first, start = 0, 0
        while first < len(ends):
            last = max(first + 1, int(np.searchsorted(ends, start + _CHUNK, side="right")))
            end = int(ends[last - 1])
            yield self.ids[start:end][np.repeat(chosen[first:last], self.lengths[first:last])]
            first, start = last, end


def _build(
    folder: Path,
    text: TextConfig,
    settings: VocabularyConfig,
    sources: Mapping[str, list[Path]],
    sha256: str,
    reader: TextReader,
) -> None:
    """Write the encoded text into ``folder``."""
    scratch = folder / "intermediate.bin"
    encoding = _encode(text, sources, scratch, reader)
    parts, held_out, warnings = _split(text, sources, encoding, reader)
    notes = [*reader.notes, beginning(encoding.beginning), *warnings]
    if int((encoding.lengths[parts == 0] - 1).sum()) < 2:  # without ends
        raise TextError("the training part has fewer than 2 words; provide more text")
    words = encoding.tokenizer.words
    counts = np.zeros(len(words), dtype=np.int64)
    for ids in encoding.select(parts == 0):
        counts += np.bincount(ids, minlength=len(counts))
    vocabulary = Vocabulary.from_counts(words, counts, settings.max_size, settings.min_count)
    if len(vocabulary) == len(SPECIAL_WORDS):
        raise TextError(
            f"no word occurs {settings.min_count} times in the training part; provide more text, "
            "or set vocabulary.min_count to 1"
        )
    records = _write_parts(folder, encoding, parts, vocabulary)
    paragraphs = _read_all(reader, sources)
    spacing = _write_spellings(folder, paragraphs, encoding, parts, vocabulary)
    tokenizer = encoding.tokenizer.with_words(vocabulary.words, spacing)
    finish_dataset(folder, tokenizer, vocabulary, records, sha256, held_out, notes)
    del encoding  # unmaps the file before it is removed
    scratch.unlink()


def _split(
    text: TextConfig, sources: Mapping[str, list[Path]], encoding: _Encoding, reader: TextReader
) -> tuple[NDArray[np.uint8], str, list[str]]:
    """The part of each paragraph ``(paragraphs,)``, a sentence about the parts, and warnings."""
    if text.train is not None:
        held_out = "held out: the files given for " + " and ".join(
            {"valid": "validation", "test": "test"}[part] for part in sources if part != "train"
        )
        return encoding.source_part, held_out, []
    unit = "line" if text.tokenizer == "whitespace" else "paragraph"
    advice = finer_division(text, reader)
    lengths, shares = encoding.lengths, text.holdout
    parts = split_blocks(lengths, shares.valid, shares.test, unit, advice)
    warnings = warn_of_large_parts(lengths, parts, shares, unit, advice)
    return parts, describe_parts(lengths, parts), warnings


def _read_all(reader: TextReader, sources: Mapping[str, list[Path]]) -> Iterator[str]:
    return chain.from_iterable(reader.read(files) for files in sources.values())


def _encode(
    text: TextConfig, sources: Mapping[str, list[Path]], scratch: Path, reader: TextReader
) -> _Encoding:
    """Read the text twice: to learn its words, and to write their ids to ``scratch``."""
    tokenizer = Tokenizer.learn(_read_all(reader, sources), text.tokenizer, text.lowercase)
    first_words: list[str] = []
    lengths: list[int] = []
    characters: list[int] = []
    part_sizes: list[int] = []

    def measured(files: list[Path]) -> Iterator[str]:
        for paragraph in reader.read(files):
            normal = tokenizer.normalize(paragraph)
            characters.append(len(normal) + 1)
            if len(first_words) < FIRST_WORDS:
                first_words.extend(paragraph[:1000].split()[:FIRST_WORDS])
            yield normal

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
        first_words,
    )


def _write_parts(
    folder: Path, encoding: _Encoding, parts: NDArray[np.uint8], vocabulary: Vocabulary
) -> dict[str, PartRecord]:
    """Write the ids of each part in the final vocabulary."""
    dtype = np.uint16 if len(vocabulary) <= 1 << 16 else np.uint32
    index = vocabulary.index
    new_ids = np.array([index.get(w, UNKNOWN_ID) for w in encoding.tokenizer.words], dtype=dtype)
    records: dict[str, PartRecord] = {}
    for number, name in enumerate(_PARTS):
        chosen = parts == number
        if size := int(encoding.lengths[chosen].sum()):
            chunks = (new_ids[ids] for ids in encoding.select(chosen))
            characters = int(encoding.characters[chosen].sum())
            records[name] = write_part(folder, name, chunks, dtype, size, characters)
    return records


def _write_spellings(
    folder: Path,
    paragraphs: Iterator[str],
    encoding: _Encoding,
    parts: NDArray[np.uint8],
    vocabulary: Vocabulary,
) -> Spacing | None:
    """Write the unknown words and the spaces of the held-out parts.

    Returns:
        The spaces of the training part; None for text that is tokenized already.
    """
    words, known = encoding.tokenizer.words, vocabulary.index
    new_ids = np.array([known.get(word, UNKNOWN_ID) for word in words])
    letters = visible_lengths(words)
    ends = np.cumsum(encoding.lengths)
    no_space = np.zeros(1, dtype=np.bool_)  # after a paragraph's end
    spellings = {
        number: (list[str](), list[NDArray[np.bool_]]()) for number in np.unique(parts[parts > 0])
    }
    counter = SpacingCounter(vocabulary.words)
    prose = encoding.tokenizer.kind == "words"
    # of a long text every n-th paragraph is enough to learn spaces from
    every = 1 + int(encoding.lengths.sum()) // LEARNED_WORDS
    for position, (number, end, length, paragraph) in enumerate(
        zip(parts.tolist(), ends.tolist(), encoding.lengths.tolist(), paragraphs, strict=True)
    ):
        if number == 0 and not (prose and position % every == 0):
            continue
        ids = encoding.ids[end - length : end - 1]
        spaced = spaces_after(encoding.tokenizer.normalize(paragraph), letters[ids])
        if number == 0:
            counter.add(new_ids[ids], spaced)
            continue
        spellings[number][0].extend(words[i] for i in ids[new_ids[ids] == UNKNOWN_ID])
        spellings[number][1].extend((spaced, no_space))
    for number, (unknown_words, spaces) in spellings.items():
        write_spelling(folder, _PARTS[number], unknown_words, np.concatenate(spaces))
    return counter.spacing() if prose else None
