"""Checksums and fingerprints: whether a file is whole, ours, and of the model beside it.

One scheme for every file. A CRC-32 finds damage by accident; nothing here protects against someone
who changes a file and its checksum together.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextword.errors import ModelError, NextwordError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHECKSUM = "crc32"
"""The key under which JSON and the metadata of a tensor file keep their checksum."""
FORMAT = "nextword-model"
FORMAT_VERSION = 2
"""Version of the files in a model folder."""
FINGERPRINT = "belongs_to"
"""The key for the :func:`model_fingerprint` of the model that a file was written for."""
_PROVENANCE = ("vectors", "freeze_vectors", "start")
"""Keys of the ``model`` section that affect only how the embedding is initialised."""


def canonical_json(content: object) -> str:
    """JSON that is the same text for the same content: keys sorted, no white space."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def checksum(
    content: Mapping[str, Any] | None = None, arrays: Mapping[str, NDArray[Any]] | None = None
) -> str:
    """CRC-32 of JSON content and of every array's name, dtype, shape and bytes, as 8 hex digits."""
    crc = zlib.crc32(canonical_json(content or {}).encode())
    for name, array in sorted((arrays or {}).items()):
        crc = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), crc)
        crc = zlib.crc32(array.reshape(-1).view("u1").data, crc)
    return f"{crc:08x}"


def file_checksum(path: Path) -> str:
    """The checksum of a file's name and bytes; the file is mapped, not read into memory.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is empty.
    """
    import numpy as np

    return checksum(arrays={path.name: np.memmap(path, np.uint8, "r")})


def with_checksum(content: Mapping[str, Any]) -> dict[str, Any]:
    """JSON content with its checksum added."""
    return {**content, CHECKSUM: checksum(content)}


def verify_checksum(
    path: Path,
    content: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]] | None = None,
    error: type[NextwordError] = ModelError,
) -> None:
    """Refuse content that differs from what was written with a checksum.

    Args:
        path: the file, for the message.
        content: its JSON, the checksum included.
        arrays: its arrays, if it has any.

    Raises:
        error: the checksum is missing or wrong.
    """
    rest = {key: value for key, value in content.items() if key != CHECKSUM}
    if CHECKSUM not in content:
        raise error(
            f"{path}: has no checksum; another program or an older nextword wrote it, "
            "train again with this version"
        )
    if content[CHECKSUM] != checksum(rest, arrays):
        raise error(
            f"{path}: is damaged: its content does not match its checksum; "
            "restore an intact copy of the whole folder, or train again"
        )


def check_format(
    path: Path,
    described: Mapping[str, Any],
    name: str = FORMAT,
    version: int = FORMAT_VERSION,
) -> None:
    """Refuse a file of another kind, or of another version of its format.

    Args:
        path: the file, for the message.
        described: its JSON or its metadata, with ``format`` and ``format_version``.
        name: the format that is wanted.
        version: the only version that is read.

    Raises:
        ModelError: the file says something else.
    """
    if described.get("format") != name:
        raise ModelError(f"{path}: is not a {name.replace('-', ' ')}")
    found = described.get("format_version")
    if str(found) == str(version):
        return
    older = str(found).isdecimal() and int(str(found)) < version
    remedy = "train again with this version" if older else "use the nextword version that wrote it"
    raise ModelError(f"{path}: has format version {found}, this program reads {version}; {remedy}")


def model_fingerprint(
    words: list[str], kind: str, lowercase: bool, model: Mapping[str, Any]
) -> str:
    """SHA-256 that all files of one model share: of its vocabulary and its description.

    Args:
        words: the vocabulary in id order.
        kind: how text is split into words, a tokenizer's kind.
        lowercase: whether capitals are folded.
        model: the ``model`` section, as in ``config.json``.
    """
    described = {key: value for key, value in model.items() if key not in _PROVENANCE}
    content = canonical_json([words, kind, lowercase, described])
    return hashlib.sha256(content.encode()).hexdigest()


def verify_fingerprint(path: Path, found: object, expected: str) -> None:
    """Refuse a file that was written for another model.

    Args:
        path: the file.
        found: the fingerprint in the file.
        expected: the :func:`model_fingerprint` of ``config.json`` and ``tokenizer.json``.

    Raises:
        ModelError: they differ.
    """
    if found != expected:
        raise ModelError(
            f"{path}: does not belong to the config.json and tokenizer.json beside it, or one of "
            "these was changed; copy the whole folder again, or train again"
        )
