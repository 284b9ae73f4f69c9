"""Reads members of ZIP archives and XML without trusting them: sizes and entities are limited."""

from __future__ import annotations

import contextlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat

from nextword.errors import TextError
from nextword.text.sources import display_name, failure

_CHUNK = 1 << 16
_MOST_BYTES = 1 << 28
"""Of one unpacked member; the largest books have some megabytes."""
_HARMLESS_BYTES = 1 << 23
_HIGHEST_RATIO = 500
"""Of unpacked to packed size, above ``_HARMLESS_BYTES``; prose reaches 5, repeated lines 300."""

XML_ERRORS = (expat.ExpatError, ValueError, LookupError)
"""Errors of malformed XML, also of an encoding that Python lacks or that does not encode text."""


class Archive:
    """An open ZIP archive; its TextErrors follow the words "the EPUB file"."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self.names = file.namelist()

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's content, piece by piece."""
        if name not in self.names:
            raise TextError(f"lacks its part {name!r}; fetch it again")
        info = self._file.getinfo(name)
        if info.flag_bits & 1:
            raise TextError("is encrypted; save it without a password")
        with self._file.open(info) as stream:
            yield from self._limited(stream, info.compress_size)

    def read(self, name: str) -> bytes:
        """A member's content."""
        return b"".join(self.chunks(name))

    def _limited(self, stream: IO[bytes], packed: int) -> Iterator[bytes]:
        size = 0
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > _MOST_BYTES or size > max(_HARMLESS_BYTES, _HIGHEST_RATIO * packed):
                raise TextError(
                    f"unpacks to far more than a text would ({size >> 20} MB and more), so it was "
                    "not read; unpack it yourself and give its text"
                )
            yield chunk


@contextlib.contextmanager
def opened_archive(file: Path, format_name: str) -> Iterator[Archive]:
    """Opens a ZIP archive; whatever goes wrong inside becomes a TextError that names the file."""
    name = display_name(file)
    try:
        with zipfile.ZipFile(file) as archive:
            yield Archive(archive)
    except TextError as error:
        raise TextError(f"{name}: the {format_name} file {error}") from None
    except OSError as error:
        raise TextError(f"{name}: cannot be read ({failure(error)})") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        EOFError,
        RuntimeError,  # NotImplementedError too: a way of packing that zipfile lacks
        *XML_ERRORS,
    ) as error:
        raise TextError(
            f"{name}: the {format_name} file is damaged or cut short ({error}); fetch it again"
        ) from error


def xml_parser() -> expat.XMLParserType:
    """A parser that gives names as ``namespace name`` and refuses entities of the document's own.

    Such entities can expand to gigabytes; neither EPUB nor DOCX needs them.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse_entity
    return parser


def _refuse_entity(name: str, *_: object) -> None:
    raise TextError(f"declares an XML entity of its own ({name!r}), which is not read")


def local_name(name: str) -> str:
    """An element's name without its namespace."""
    return name.rpartition(" ")[2]
