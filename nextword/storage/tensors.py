"""Tensor files: NumPy arrays with JSON metadata in the safetensors format; nothing is unpickled.

The library writes several metadata keys in random order. All metadata is therefore one JSON string
under one key, so that the same content always gives the same bytes. Reading maps the file, which
the library's NumPy interface does not, and is as strict about the format as the library is.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError, NextwordError
from nextword.storage.files import write_atomically
from nextword.storage.integrity import (
    CHECKSUM,
    FINGERPRINT,
    FORMAT,
    FORMAT_VERSION,
    canonical_json,
    check_format,
    checksum,
    verify_checksum,
)

_METADATA = "nextword"
"""The only key of the file's own metadata."""
_DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IUF" for size in (2, 4, 8)},
}
"""NumPy's names of the number types that the format and NumPy share."""
_MAX_DIMENSIONS = 32
_MAX_HEADER = 1 << 24
"""Length in bytes up to which a header is parsed; those of this program are far shorter."""


def write_tensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]
) -> None:
    """Write arrays and metadata atomically.

    Args:
        path: the file; its folder is made if it is missing.
        tensors: arrays of any shape.
        metadata: values that JSON can hold.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    from safetensors.numpy import save

    arrays = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    described = canonical_json({**metadata, CHECKSUM: checksum(metadata, arrays)})
    write_atomically(path, save(arrays, metadata={_METADATA: described}))


def read_tensors(
    path: Path, error: type[NextwordError] = NextwordError, verify: bool = True
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and the metadata that :func:`write_tensors` wrote.

    The arrays are read-only views of the mapped file. Replacing the file, as every writer here
    does, leaves them as they are; overwriting it in place would change them.

    Args:
        path: the file.
        error: the type of the error.
        verify: also read every byte, to compare the checksum and to look for numbers that are not
            finite; without, only the structure of the file is checked.

    Raises:
        error: the file cannot be read, is damaged, or, if verified, has no checksum or holds a
            number that is not finite; the message names it.
    """
    try:
        content = _map_file(path)
        arrays, written = _parse(content)
        metadata = json.loads(written.get(_METADATA, "{}"))
        if not isinstance(metadata, dict):
            raise ValueError("its metadata is not a JSON object")
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    except (ValueError, TypeError, RecursionError) as problem:
        reason = " ".join(str(problem).split())
        raise error(f"{path}: is damaged or not a safetensors file ({reason})") from problem
    if verify:
        verify_checksum(path, metadata, arrays, error)
        _check_finite(path, arrays, error)
    metadata.pop(CHECKSUM, None)
    return arrays, metadata


def _map_file(path: Path) -> mmap.mmap | bytes:
    """A file's content, read-only.

    Raises:
        OSError: it cannot be read.
        ValueError: it is empty, or no regular file, whose opening might never end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("not a regular file")
    with path.open("rb") as file:
        if os.name == "nt":  # there, a mapped file cannot be replaced
            return file.read()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _parse(content: mmap.mmap | bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays, as views, and the metadata of a safetensors file.

    Raises:
        ValueError: it is not one, or is incomplete.
        RecursionError: its header is nested too deeply.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    if not 8 < start <= min(len(content), _MAX_HEADER):
        raise ValueError("its header has an impossible length")
    if content[8:9] != b"{":
        raise ValueError("its header is not a JSON object")
    header = json.loads(content[8:start].decode(), object_pairs_hook=_without_duplicates)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("its metadata is not text")
    layouts = {name: _layout(name, described) for name, described in header.items()}
    filled = 0
    # the tensors fill the file without gaps or overlaps
    for name, (_, _, begin, end) in sorted(layouts.items(), key=lambda item: item[1][2:]):
        if begin != filled:
            raise ValueError(f"tensor {name!r} does not begin where the one before it ends")
        filled = end
    if start + filled != len(content):
        raise ValueError(f"it has {len(content)} bytes where its header says {start + filled}")
    arrays: dict[str, NDArray[Any]] = {
        name: np.ndarray(shape, dtype, content, start + begin)
        for name, (dtype, shape, begin, _) in layouts.items()
    }
    return arrays, metadata


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(unique := dict(pairs)) < len(pairs):
        raise ValueError("a name is twice in its header")
    return unique


def _layout(name: str, described: object) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """A tensor's number type and shape, and where its bytes begin and end after the header.

    Raises:
        ValueError: its description makes no sense.
    """
    problem = ValueError(f"tensor {name!r} is not described as one that NumPy can hold")
    if not isinstance(described, dict) or {*described} != {"dtype", "shape", "data_offsets"}:
        raise problem
    kind, shape, offsets = described["dtype"], described["shape"], described["data_offsets"]
    if not (isinstance(kind, str) and kind in _DTYPES and _sizes(shape) and _sizes(offsets)):
        raise problem
    dtype = np.dtype(_DTYPES[kind])
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        raise problem
    return dtype, tuple(shape), offsets[0], offsets[1]


def _sizes(value: object) -> bool:
    """Whether a JSON value is a list of sizes, no longer than the shape of an array can be."""
    if not isinstance(value, list) or len(value) > _MAX_DIMENSIONS:
        return False
    return all(type(size) is int and 0 <= size <= sys.maxsize for size in value)


def _check_finite(
    path: Path, arrays: Mapping[str, NDArray[Any]], error: type[NextwordError]
) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise error(
                f"{path}: {name} has numbers that are not finite, as after a training that "
                "diverged; use another model, or retrain with a lower training.learning_rate"
            )


def write_model_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], fingerprint: str) -> None:
    """Write a tensor file of a model folder.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    described = {"format": FORMAT, "format_version": FORMAT_VERSION, FINGERPRINT: fingerprint}
    write_tensors(path, tensors, described)


def read_model_tensors(path: Path, verify: bool = True) -> tuple[dict[str, NDArray[Any]], str]:
    """The arrays of a tensor file in a model folder, and the fingerprint of its model.

    Args:
        path: the file.
        verify: as for :func:`read_tensors`.

    Raises:
        ModelError: the file is missing, damaged, or not part of a model of this version.
    """
    tensors, metadata = read_tensors(path, ModelError, verify)
    check_format(path, metadata)
    return tensors, str(metadata.get(FINGERPRINT, ""))
