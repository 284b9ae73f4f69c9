"""How the files of a model folder show that they are whole, ours, and of one model."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from nextword.errors import ModelError
from nextword.storage.files import CHECKSUM, read_tensors
from nextword.text.tokenizer import Tokenizer

FORMAT = "nextword-model"
FORMAT_VERSION = 1
FINGERPRINT = "belongs_to"
"""The key for what :func:`model_fingerprint` gives."""
_HISTORY = ("vectors", "freeze_vectors", "start")
"""Keys of a model's section that say where it came from and not what it is."""


def model_fingerprint(tokenizer: Tokenizer, model: Mapping[str, Any]) -> str:
    """What all files of a model have in common: SHA-256 of its words and its description.

    Args:
        tokenizer: its words, and how text is split into them.
        model: the ``model`` section, as in ``config.json``.
    """
    lasting = {key: value for key, value in model.items() if key not in _HISTORY}
    told = [tokenizer.words, tokenizer.kind, tokenizer.lowercase, lasting]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def metadata(fingerprint: str) -> dict[str, str]:
    """What stands beside the tensors of a model folder."""
    return {"format": FORMAT, "format_version": str(FORMAT_VERSION), FINGERPRINT: fingerprint}


def check_format(path: Path, described: Mapping[str, object]) -> None:
    """Refuse what another program or a later version wrote.

    Raises:
        ModelError: it is not ours to read.
    """
    version = described.get("format_version")
    if described.get("format") != FORMAT:
        raise ModelError(f"{path}: is not a nextword model")
    if str(version) != str(FORMAT_VERSION):
        raise ModelError(
            f"{path}: has format version {version}, this program reads "
            f"{FORMAT_VERSION}; use the nextword version that wrote it or train again"
        )


def read_model_tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file in a model folder, and what it belongs to.

    Raises:
        ModelError: it is missing, damaged or not ours.
    """
    tensors, beside = read_tensors(path, ModelError)
    check_format(path, beside)
    return tensors, beside.get(FINGERPRINT, "")


def verify_fingerprint(path: Path, told: object, wanted: str) -> None:
    """Refuse a file that was written for another model.

    Args:
        path: the file.
        told: what it says it belongs to.
        wanted: what :func:`model_fingerprint` gave for ``config.json`` and ``tokenizer.json``.

    Raises:
        ModelError: they differ.
    """
    if told != wanted:
        raise ModelError(
            f"{path}: does not belong to the config.json and tokenizer.json beside it, or one of "
            "these was changed; copy the whole folder again, or train again"
        )


def with_checksum(content: Mapping[str, Any]) -> dict[str, Any]:
    """JSON with its own checksum in it."""
    return {**content, CHECKSUM: _checksum(content)}


def verify_checksum(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse JSON that is not what :func:`with_checksum` gave.

    Raises:
        ModelError: it was changed.
    """
    rest = {key: value for key, value in content.items() if key != CHECKSUM}
    if content.get(CHECKSUM) != _checksum(rest):
        raise ModelError(
            f"{path}: is damaged, its content is not what was written (checksum); "
            "copy the whole folder again, or train again"
        )


def _checksum(content: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(dict(content), sort_keys=True).encode()):08x}"
