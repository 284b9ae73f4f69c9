"""Streams text files as paragraphs or lines, never holding a whole text in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from nextword.config.schema import TextConfig
from nextword.errors import TextError
from nextword.formatting import counted
from nextword.text.decoding import decoded_lines, whole_lines
from nextword.text.detokenizer import Kind
from nextword.text.division import (
    HEAD,
    MODE_NAMES,
    Division,
    Mode,
    Setting,
    find_division,
    is_double_spaced,
    set_division,
    single_spaced,
)
from nextword.text.formats import format_of
from nextword.text.gutenberg import without_licence
from nextword.text.normalize import clean
from nextword.text.paragraphs import (
    BLOCK_WORDS,
    SHORTEST_UNDIVIDED,
    Cutter,
    cutter_of,
    line_pieces,
    paragraph_pieces,
)
from nextword.text.sources import Source, display_name, text_files
from nextword.text.vocabulary import END
from nextword.text.written_ends import split_at_ends, written_end

_FEW_FILES = 20
"""Files; in fewer than these, a text without any division is cut into blocks."""

_BY_FORMAT = Division("lines", "as the file's format marks them", by_format=True)


class TextReader:
    """Reads text files as paragraphs of prose, or as lines of text that is tokenized already.

    Args:
        settings: how the files are read: their format, encoding, paragraphs and tokenizer.
        on_bytes: called with the number of bytes read, again and again.
    """

    def __init__(
        self, settings: TextConfig, on_bytes: Callable[[int], object] | None = None
    ) -> None:
        self._settings = settings
        self._kind: Kind = settings.tokenizer
        self._on_bytes = on_bytes or (lambda number: None)
        self._taken: dict[Path, str] = {}
        self._divisions: dict[Path, Division] = {}
        self._cut: dict[Path, int] = {}
        self._ends: dict[Path, int] = {}
        self._mended: dict[Path, int] = {}
        self._written = END

    def read(self, files: Sequence[Path]) -> Iterator[str]:
        """The paragraphs or lines of the files, in NFC; a file's end ends one.

        Raises:
            TextError: a file cannot be read or decoded, or its format is not read.
            ConfigError: Python does not know the encoding.
        """
        few = len(files) < _FEW_FILES
        for file in files:
            lines, division = self._open(file)
            lines = without_licence(lines)
            if self._kind == "whitespace":
                yield from map(clean, self._lines(file, lines, few))
            else:
                yield from map(clean, self._paragraphs(file, lines, division, few))

    def _open(self, file: Path) -> tuple[Iterator[str], Division | None]:
        """A file's lines, and how they are divided where its format says so."""
        settings = self._settings
        found = format_of(file, settings.encoding, settings.format)
        if settings.column is not None and not found.columns:
            raise TextError(
                f"{display_name(file)}: is {found.name} and has no columns; leave out text.column"
            )
        if found.open is None:
            on_mended = partial(self._mended.__setitem__, file)
            return decoded_lines(file, settings.encoding, self._on_bytes, on_mended), None
        extract = found.open(file, settings.encoding, settings.column)
        change = "" if found.binary else " (change: --set text.format=plain)"
        self._taken[file] = f"{extract.taken}{change}"
        lines: Iterator[str] = (f"{paragraph}\n" for paragraph in extract.paragraphs)
        lines = _then(lines, lambda: self._on_bytes(file.stat().st_size))
        return lines, None if extract.as_lines else _BY_FORMAT

    @property
    def modes(self) -> set[Mode]:
        """How the files read so far mark their paragraphs; empty for tokenized text."""
        return {division.mode for division in self._divisions.values() if division.divided}

    @property
    def notes(self) -> list[str]:
        """Lines for the user about how the files read so far were divided."""
        # without file names: the same content may be read again from the cache under another one
        found = Counter(self._taken.values())
        several = len(self._taken) > 1
        notes = [
            f"found {what}" + f" ({counted(n, 'file')})" * several for what, n in found.items()
        ]
        if self._kind == "words":
            notes.append(f"paragraphs: {self._summary}")
        if self._kind == "whitespace" and any(self._cut.values()):
            notes.append(f"the text is one line: it is cut into lines of about {BLOCK_WORDS} words")
        if mended := sum(self._mended.values()):
            these = counted(mended, "control character")
            notes.append(f"{these} (U+0080 to U+009F): read as what Windows-1252 has there")
        if ends := sum(self._ends.values()):
            times = "once" if ends == 1 else f"{ends:,} times"
            if self._kind == "whitespace":
                effect = "it ends a line, and counts once"
            else:
                effect = "read as letters; --set text.tokenizer=whitespace reads it as an end"
            notes.append(f"the text has a literal {self._written} ({times}): {effect}")
        return notes

    @property
    def _summary(self) -> str:
        """How the files read so far mark their paragraphs, and what was cut, in words."""
        divisions = list(self._divisions.values())
        reasons = Counter(division.reason for division in divisions)
        if len(divisions) > 1:
            modes = Counter(
                d.reason if d.by_format or not d.divided else MODE_NAMES[d.mode] for d in divisions
            )
            summary = ", ".join(f"{mode} ({counted(n, 'file')})" for mode, n in modes.most_common())
        else:
            summary = "".join(reasons)
        cut = sum(self._cut.values())
        if cut and all(not division.divided for division in divisions):
            summary += f", so the text is cut after sentences, every {BLOCK_WORDS} words or so"
        elif cut:
            which = "a very long one is" if cut == 1 else f"{cut:,} very long ones are"
            summary += f"; {which} cut after sentences"
        by_format = all(division.by_format for division in divisions)
        if by_format or self._settings.paragraphs != "auto" or self.modes == {"blank_lines"}:
            return summary
        other = "blank_lines" if self.modes else "lines"
        return f"{summary} (change: --set text.paragraphs={other})"

    def _paragraphs(
        self, file: Path, lines: Iterator[str], division: Division | None, few_files: bool
    ) -> Iterator[str]:
        head = _take(lines, HEAD)
        lines = chain(head, lines)
        if division is None:
            setting = self._settings.paragraphs
            if setting != "auto":
                division = set_division(setting, head)
            elif is_double_spaced(head):
                lines = single_spaced(lines)
                division = find_division(list(single_spaced(head)))
                division = replace(division, reason=f"{division.reason}, in double spacing")
            else:
                division = find_division(head)
        self._divisions[file] = division
        cutter = cutter_of(division, self._kind, few_files)
        self._ends[file] = 0
        for block in cutter.blocks(paragraph_pieces(lines, division)):
            self._note_end(file, block)
            yield block
        self._cut[file] = cutter.cut

    def _lines(self, file: Path, lines: Iterator[str], few_files: bool) -> Iterator[str]:
        head = _take(lines, HEAD)
        lines = chain(head, lines)
        self._ends[file] = 0
        if few_files and _is_one_line(head):
            cutter = Cutter(self._kind, 0)
            yield from cutter.blocks(line_pieces(lines))
            self._cut[file] = cutter.cut
            return
        for line in whole_lines(lines):
            parts = split_at_ends(line)
            if parts != [line]:
                self._ends[file] += 1
                self._written = written_end(line) or self._written
            yield from parts

    def _note_end(self, file: Path, paragraph: str) -> None:
        if paragraph.endswith(">") and (mark := written_end(paragraph)):
            self._written = mark
            self._ends[file] += 1


def read_lines(path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """All lines, also empty ones, without line ends and without Project Gutenberg's licence.

    Raises:
        TextError: a file cannot be read or decoded.
        ConfigError: Python does not know the encoding.
    """
    for file in text_files(path):
        yield from whole_lines(without_licence(decoded_lines(file, encoding)))


def read_paragraphs(path: Source, encoding: str = "utf-8") -> Iterator[str]:
    """Paragraphs of prose with inner line ends replaced by spaces; errors as in read_lines."""
    return read_units("words", path, encoding)


def read_units(
    kind: Kind, path: Source, encoding: str = "utf-8", paragraphs: Setting = "auto"
) -> Iterator[str]:
    """Paragraphs of prose, or lines of text that is tokenized already.

    Errors as in :class:`TextReader`.
    """
    # the encoding is checked where it is used, with an error of this program's own
    settings = TextConfig.model_construct(tokenizer=kind, encoding=encoding, paragraphs=paragraphs)
    return TextReader(settings).read(text_files(path))


def _then(lines: Iterable[str], finish: Callable[[], object]) -> Iterator[str]:
    """The lines; ``finish`` is called after the last one."""
    yield from lines
    finish()


def _take(lines: Iterator[str], characters: int) -> list[str]:
    """The first lines, until they have so many characters together."""
    head = []
    for line in lines:
        head.append(line)
        characters -= len(line)
        if characters <= 0:
            break
    return head


def _is_one_line(head: Sequence[str]) -> bool:
    """Whether a text that begins with these lines is one long line without a literal end."""
    text = [line for line in head if line.strip()]
    if sum(map(len, text)) < SHORTEST_UNDIVIDED or any(line[-1] == "\n" for line in text[:-1]):
        return False
    return all(split_at_ends(line) == [line] for line in text)
