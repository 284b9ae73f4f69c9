"""Bytes to characters and lines, chunk by chunk; errors name the byte and the setting to change."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from nextword.config.types import text_codec
from nextword.errors import TextError
from nextword.text.sources import display_name, failure

_CHUNK = 1 << 20
_BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# C0 controls, the zero-width space, and byte order marks inside concatenated files
_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class TextDecoder:
    """An incremental decoder for one file; CR LF and CR become LF, control characters spaces."""

    def __init__(self, name: str, encoding: str) -> None:
        """``name`` is for messages. Raises ConfigError for an unknown ``encoding``."""
        self._name = name
        self._encoding = encoding
        codec = text_codec(encoding)
        self._canonical = codec.name
        self._wide = codec.name.startswith(("utf-16", "utf-32"))
        if codec.name == "utf-8":
            codec = codecs.lookup("utf-8-sig")
        assert codec.incrementaldecoder is not None
        self._decoder = io.IncrementalNewlineDecoder(codec.incrementaldecoder(), translate=True)
        self._read = 0

    def decode(self, chunk: bytes, final: bool = False) -> str:
        """The characters that ``chunk`` completes. Raises TextError for an invalid byte."""
        if self._read == 0:
            self._refuse_other_marks(chunk)
        if not self._wide and (offset := chunk.find(b"\0")) >= 0:
            raise self._binary(self._read + offset)
        start, self._read = self._read, self._read + len(chunk)
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            # error.object starts with the bytes kept back from the previous chunk
            raise self._misfit(self._read - len(error.object) + error.start) from None
        except UnicodeError as error:
            raise TextError(
                f"{self._name}: not {self._encoding} near byte {start} ({error}); set text.encoding"
            ) from None
        if "\0" in text:
            raise self._binary(start)
        if _SURROGATES.search(text):
            raise self._misfit(start)
        return _CONTROLS.sub(" ", text)

    def _misfit(self, byte: int) -> TextError:
        return TextError(
            f"{self._name}: byte {byte} is not {self._encoding}; set text.encoding to the file's "
            "encoding (for example --set text.encoding=latin-1)"
        )

    def _binary(self, byte: int) -> TextError:
        return TextError(
            f"{self._name}: looks like a binary file (a zero byte at byte {byte}); give plain "
            "text, or set text.encoding if it is UTF-16 or UTF-32"
        )

    def _refuse_other_marks(self, chunk: bytes) -> None:
        for mark, encoding in _BYTE_ORDER_MARKS:
            if chunk.startswith(mark) and not self._canonical.startswith(encoding):
                raise TextError(
                    f"{self._name}: starts with a {encoding.upper()} byte order mark, so it is not "
                    f"{self._encoding}; set text.encoding: {encoding} "
                    f"(--set text.encoding={encoding})"
                )
            if chunk.startswith(mark):
                return


def decoded_lines(file: Path, encoding: str) -> Iterator[str]:
    """Unfiltered lines; pieces of a long line are joined once, so that time stays linear."""
    pieces: list[str] = []
    for text in _decoded(file, encoding):
        first, *others = text.split("\n")
        pieces.append(first)
        if others:
            yield "".join(pieces)
            yield from others[:-1]
            pieces = [others[-1]]
    last = "".join(pieces)
    del pieces  # keeps one copy of a one-line text in memory, not two
    if last:
        yield last


def _decoded(file: Path, encoding: str) -> Iterator[str]:
    """The file's decompressed text in chunks, all line ends LF."""
    decoder = TextDecoder(display_name(file), encoding)
    try:
        with file.open("rb") as stream:
            compressed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if compressed else stream
            while chunk := source.read(_CHUNK):
                yield decoder.decode(chunk)
            yield decoder.decode(b"", final=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TextError(
            f"{display_name(file)}: the gzip file is damaged or cut short ({error}); fetch it again"
        ) from error
    except OSError as error:
        raise TextError(f"{display_name(file)}: cannot be read ({failure(error)})") from error
