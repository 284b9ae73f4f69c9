"""Writing files so that a reader finds the old content or the new, never half of either."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextword.errors import NextwordError

if TYPE_CHECKING:
    from torch import Tensor


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write aside, flush to the disk, then rename over ``path``.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    data = content.encode() if isinstance(content, str) else content
    aside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o666 & ~_umask())
        os.replace(aside, path)
    except OSError as error:
        if aside is not None and os.path.exists(aside):
            os.unlink(aside)
        raise NextwordError(
            f"{path}: cannot be written ({error.strerror or error}); "
            "free some space or choose another folder"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, indented, atomically."""
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path, error: type[NextwordError] = NextwordError) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises:
        error: the file cannot be read or does not hold an object; the message names it.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    except (ValueError, RecursionError):
        raise error(f"{path}: is not valid JSON; the file is damaged or foreign") from None
    if not isinstance(content, dict):
        raise error(f"{path}: does not hold a JSON object; the file is damaged or foreign")
    return content


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors with text beside them as safetensors, atomically."""
    from safetensors.torch import save

    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, save(ready, metadata=dict(metadata)))


def read_tensors(
    path: Path, error: type[NextwordError] = NextwordError
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file and the text beside them; runs no code.

    Raises:
        error: the file cannot be read or is damaged; the message names it.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    except (SafetensorError, ValueError, RuntimeError) as problem:
        raise error(f"{path}: is damaged or no safetensors file ({problem})") from problem
