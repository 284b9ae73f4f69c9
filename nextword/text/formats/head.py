"""Reads the beginning of a file, by which its format is recognised."""

from __future__ import annotations

import zlib
from pathlib import Path

from nextword.errors import TextError
from nextword.text.encodings import marked_encoding
from nextword.text.sources import display_name, failure

HEAD = 1 << 16
"""Bytes that are looked at."""


def read_head(file: Path) -> tuple[bool, bytes]:
    """Whether gzip packed the file, and its first ``HEAD`` bytes, unpacked unless damaged.

    Raises:
        TextError: the file cannot be read.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(HEAD)
    except OSError as error:
        raise TextError(f"{display_name(file)}: cannot be read ({failure(error)})") from error
    if not content.startswith(b"\x1f\x8b"):
        return False, content
    try:
        return True, zlib.decompressobj(wbits=31).decompress(content, HEAD)
    except zlib.error:
        return True, content


def decoded_head(head: bytes, encoding: str) -> str:
    """The head's characters, those that do not fit the encoding replaced; LF ends lines.

    A byte order mark counts for more than ``encoding``; the last line may be cut.
    """
    try:
        text = head.decode(marked_encoding(head) or encoding, "replace")
    except (LookupError, ValueError):
        text = head.decode("latin-1")
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
