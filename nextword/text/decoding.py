"""Bytes to characters and lines, chunk by chunk; errors name the byte and the setting to change."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from nextword.config.types import text_codec
from nextword.errors import TextError
from nextword.text.encodings import find_misreading, guess_encoding, marked_encoding, mostly_utf8
from nextword.text.sources import display_name, failure

_CHUNK = 1 << 20
_PIECE = 1 << 16
"""Characters after which a line is handed on in pieces."""
_SAMPLE = 1 << 15
"""Bytes on each side of a misfit from which another encoding is proposed."""
_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PAGE_BREAKS = re.compile(r"(?<=\n)\x0c+")
_FORMATTING = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # a terminal's colours
    r"|\x03\d{1,2}(?:,\d{1,2})?"  # those of chat logs
    r"|[^\n]\x08"  # a letter struck over by the next one, which was bold or underlined
)
_OTHER_SETS = re.compile(rb"\x1b\$[@B]")
"""Switches to Japanese characters of two bytes."""
_DROPPED = re.compile("[\u200b\ufeff]")
"""The zero-width space, and byte order marks inside concatenated files."""
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_BREAKS = re.compile("[\x0b\x0c]")
"""A break of a line inside a paragraph, and a page's end."""
_C1_CONTROLS = re.compile(r"[\x80-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_STRAY = 1 / 1000
"""Share of C1 controls in Unicode text up to which they are mended instead of refused."""


class TextDecoder:
    """An incremental decoder for one file.

    All line ends, also those of pages, become LF; colours and overstriking are dropped, other
    control characters become spaces.

    Args:
        name: of the file, for messages.
        encoding: its character encoding.

    Raises:
        ConfigError: Python does not know the encoding.
    """

    def __init__(self, name: str, encoding: str) -> None:
        self._name = name
        self._encoding = encoding
        codec = text_codec(encoding)
        self._canonical = codec.name
        self._wide = codec.name.startswith(("utf-16", "utf-32"))
        if codec.name == "utf-8":
            codec = codecs.lookup("utf-8-sig")
        assert codec.incrementaldecoder is not None
        self._decoder = io.IncrementalNewlineDecoder(codec.incrementaldecoder(), translate=True)
        self._unicode = codec.name.startswith(("utf", "gb18030"))
        # in the ISO encodings 0x85 is no letter, so it shows that they are the wrong ones
        self._line_end = not codec.name.startswith("iso8859")
        self._read = 0
        self._lines = 0
        self.mended = 0
        """Stray C1 controls that were read as the characters that Windows-1252 has there."""

    def decode(self, chunk: bytes, final: bool = False) -> str:
        """The characters that ``chunk`` completes.

        Raises:
            TextError: a byte is invalid, or the characters show that the encoding is another.
        """
        if self._read == 0:
            self._refuse_other_marks(chunk)
        if not self._wide and (offset := chunk.find(b"\0")) >= 0:
            raise self._binary(self._read + offset, chunk)
        if self._canonical == "utf-8" and (escape := _OTHER_SETS.search(chunk)):
            raise TextError(
                f"{self._name}: byte {self._read + escape.start()} switches to another set of "
                f"characters; {_advice('iso2022_jp')}"
            )
        start, self._read = self._read, self._read + len(chunk)
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            # error.object starts with the bytes kept back from the previous chunk
            offset = self._read - len(error.object)
            raise self._misfit(offset + error.start, error.object, error.start) from None
        except UnicodeError as error:
            raise TextError(
                f"{self._name}: not {self._encoding} near byte {start} ({error}); set text.encoding"
            ) from None
        if "\0" in text:
            raise self._binary(start, b"")
        if _SURROGATES.search(text):
            raise self._misfit(start, chunk, 0)
        if start == 0 and not text.isascii():
            self._refuse_misread(text)
        return self._clean(text, chunk)

    def _clean(self, text: str, chunk: bytes) -> str:
        if not text.isascii():
            if self._line_end:
                text = _LINE_ENDS.sub("\n", text)
            if control := _C1_CONTROLS.search(text):
                count = len(_C1_CONTROLS.findall(text))
                if not self._unicode or count > _STRAY * len(text):
                    raise self._c1_control(text, control.start(), chunk)
                self.mended += count
                text = _C1_CONTROLS.sub(_windows_character, text)
            text = _DROPPED.sub("", text)
        if _CONTROLS.search(text):
            text = _BREAKS.sub("\n", _PAGE_BREAKS.sub("", _FORMATTING.sub("", text)))
            text = _CONTROLS.sub(" ", text)
        self._lines += text.count("\n")
        return text

    def _refuse_misread(self, text: str) -> None:
        """Refuse a text whose characters are pieces of UTF-8."""
        misread = find_misreading(text)
        if misread is None:
            return
        line = text.count("\n", 0, misread.place) + 1
        seen = f"{self._name}: line {line} has {misread.seen} for {misread.meant}"
        if not self._unicode:
            raise TextError(f"{seen}, so it is not {self._encoding}; {_advice('utf-8')}")
        raise TextError(
            f"{seen}: UTF-8 was read as {misread.encoding} and saved again; use the original "
            "file, or mend this one: pip install ftfy, then ftfy FILE -o NEW"
        )

    def _misfit(self, byte: int, chunk: bytes, offset: int) -> TextError:
        sample = _sample(chunk, offset)
        if self._canonical == "utf-8" and mostly_utf8(sample):
            return TextError(
                f"{self._name}: byte {byte} is not utf-8, though the text around it is; mend or "
                "remove it, or set text.encoding"
            )
        return TextError(
            f"{self._name}: byte {byte} is not {self._encoding}; {_advice(guess_encoding(sample))}"
        )

    def _c1_control(self, text: str, place: int, chunk: bytes) -> TextError:
        line = self._lines + text.count("\n", 0, place) + 1
        found = f"{self._name}: line {line} has the control character U+{ord(text[place]):04X}"
        if not self._unicode:
            guess = guess_encoding(_sample(chunk, _first_high_byte(chunk)))
            return TextError(f"{found}, so it is not {self._encoding}; {_advice(guess)}")
        around = text[max(0, place - _SAMPLE) : place + _SAMPLE].encode("latin-1", "ignore")
        guess = guess_encoding(around) or "cp1252"
        return TextError(
            f"{found}: it seems to have been converted from {guess} as if that were latin-1; "
            f"convert the original file again, from {guess}"
        )

    def _binary(self, byte: int, chunk: bytes) -> TextError:
        guess = guess_encoding(chunk[:_SAMPLE])
        if guess is not None and guess.startswith("utf"):
            return TextError(
                f"{self._name}: has a zero byte at byte {byte}, so it is not {self._encoding}; "
                f"{_advice(guess)}"
            )
        return TextError(
            f"{self._name}: looks like a binary file (a zero byte at byte {byte}); give plain "
            "text, or set text.encoding if it is UTF-16 or UTF-32"
        )

    def _refuse_other_marks(self, chunk: bytes) -> None:
        marked = marked_encoding(chunk)
        if marked is not None and not self._canonical.startswith(marked):
            raise TextError(
                f"{self._name}: starts with a {marked.upper()} byte order mark, so it is not "
                f"{self._encoding}; set text.encoding: {marked} (--set text.encoding={marked})"
            )


def _windows_character(control: re.Match[str]) -> str:
    """What Windows-1252 has in place of a C1 control; nothing for the five that it lacks."""
    return control[0].encode("latin-1").decode("cp1252", "ignore")


def _advice(guess: str | None) -> str:
    """What to do about a wrong encoding."""
    if guess is None:
        return (
            "set text.encoding to the file's encoding (for example --set text.encoding=cp1252), or "
            "--encoding where a command has it"
        )
    return (
        f"it looks like {guess}: set text.encoding (for example --set text.encoding={guess}), or "
        f"--encoding {guess} where a command has it"
    )


def _sample(chunk: bytes, offset: int) -> bytes:
    """Whole words around a byte."""
    start, end = max(0, offset - _SAMPLE), offset + _SAMPLE
    before = max(chunk.rfind(b" ", 0, start), chunk.rfind(b"\n", 0, start)) + 1
    after = chunk.find(b" ", end)
    return chunk[before : after if after >= 0 else len(chunk)][: 4 * _SAMPLE]


def _first_high_byte(chunk: bytes) -> int:
    return next((place for place, byte in enumerate(chunk) if byte > 0x7F), 0)


def decoded_lines(
    file: Path,
    encoding: str,
    on_bytes: Callable[[int], object] = lambda number: None,
    on_mended: Callable[[int], object] = lambda number: None,
) -> Iterator[str]:
    """A file's lines with their ends, LF; of a long line's pieces only the last has the end.

    Args:
        file: plain text, or such text compressed by gzip.
        encoding: its character encoding.
        on_bytes: called with the number of bytes read, again and again.
        on_mended: called at the end with :attr:`TextDecoder.mended`.

    Raises:
        TextError: the file cannot be read or decoded.
        ConfigError: Python does not know the encoding.
    """
    decoder = TextDecoder(display_name(file), encoding)
    pieces: list[str] = []
    size = 0
    for text in _decoded(file, decoder, on_bytes):
        for line in text.splitlines(keepends=True):  # no other line ends are left
            if not pieces and line[-1] == "\n":
                yield line
                continue
            pieces.append(line)
            size += len(line)
            if line[-1] == "\n" or size >= _PIECE:
                yield "".join(pieces)
                pieces, size = [], 0
    if pieces:
        yield "".join(pieces)
    on_mended(decoder.mended)


def plain_lines(file: Path, encoding: str) -> Iterator[str]:
    """A file's lines, each whole and without its end; raises as :func:`decoded_lines`."""
    return whole_lines(decoded_lines(file, encoding))


def whole_lines(lines: Iterator[str]) -> Iterator[str]:
    """The lines without their ends; pieces of a long line are joined once, in linear time."""
    pieces: list[str] = []
    for line in lines:
        if not line.endswith("\n"):
            pieces.append(line)
        elif pieces:
            yield "".join((*pieces, line[:-1]))
            pieces = []
        else:
            yield line[:-1]
    if pieces:
        yield "".join(pieces)


def _decoded(file: Path, decoder: TextDecoder, on_bytes: Callable[[int], object]) -> Iterator[str]:
    """The file's decompressed text in chunks, all line ends LF."""
    try:
        with file.open("rb") as stream:
            compressed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if compressed else stream
            place = 0
            while chunk := source.read(_CHUNK):
                yield decoder.decode(chunk)
                before, place = place, stream.tell()
                on_bytes(place - before)
            yield decoder.decode(b"", final=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TextError(
            f"{display_name(file)}: the gzip file is damaged or cut short ({error}); fetch it again"
        ) from error
    except OSError as error:
        raise TextError(f"{display_name(file)}: cannot be read ({failure(error)})") from error
