"""Tensor files: NumPy arrays with JSON metadata in the safetensors format; nothing is unpickled.

The library writes several metadata keys in random order. All metadata is therefore one JSON string
under one key, so that the same content always gives the same bytes.
"""

from __future__ import annotations

import json
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
    path: Path, error: type[NextwordError] = NextwordError
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and the metadata that :func:`write_tensors` wrote.

    Raises:
        error: the file cannot be read, is damaged, has no checksum, or holds a number that is not
            finite; the message names it.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            written = (file.metadata() or {}).get(_METADATA, "{}")
            # copied: content that was verified must not change with the file afterwards
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
        metadata = json.loads(written)
        if not isinstance(metadata, dict):
            raise ValueError("its metadata is not a JSON object")
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    except (
        SafetensorError,
        ValueError,
        TypeError,
        RuntimeError,
        LookupError,
        AttributeError,
    ) as problem:
        reason = " ".join(str(problem).split())
        raise error(f"{path}: is damaged or not a safetensors file ({reason})") from problem
    verify_checksum(path, metadata, arrays, error)
    _check_finite(path, arrays, error)
    del metadata[CHECKSUM]
    return arrays, metadata


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


def read_model_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], str]:
    """The arrays of a tensor file in a model folder, and the fingerprint of its model.

    Raises:
        ModelError: the file is missing, damaged, or not part of a model of this version.
    """
    tensors, metadata = read_tensors(path, ModelError)
    check_format(path, metadata)
    return tensors, str(metadata.get(FINGERPRINT, ""))
