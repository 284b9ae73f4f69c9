"""Files that a reader finds old or new, never half of either, and that show when they are damaged.

Tensors are kept as safetensors. That format has no checksum, so one is kept in its metadata.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from nextword.errors import NextwordError

if TYPE_CHECKING:
    from torch import Tensor

ASIDE = ".tmp"
"""How the name of a file ends that is not whole yet; it begins with a dot."""
CHECKSUM = "crc32"
"""The metadata's key for the checksum of everything else in a file of tensors."""
_DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
"""PyTorch's names of numbers, and those of safetensors."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file written aside that takes the place of ``path`` once it is whole and on the disk.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    aside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(ASIDE, f".{path.name}.", path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o666 & ~_umask())
        os.replace(aside, path)
        aside = None
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if aside is not None:  # also after a Ctrl-C
            with suppress(OSError):
                os.unlink(aside)
    # without this, a lost power supply may take the new name away again
    sync_folder(path.parent)


def unwritable(path: Path, error: OSError) -> NextwordError:
    """What to say when ``path`` cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    mend = "free some space or choose another folder" if full else "choose another folder"
    return NextwordError(f"{path}: cannot be written ({error.strerror or error}); {mend}")


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process was writing; nobody else may be writing there."""
    for path in folder.glob(f".*{ASIDE}"):
        with suppress(OSError):
            path.unlink()


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write aside, flush to the disk, then rename over ``path``.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def write_output(path: Path, content: bytes | str) -> None:
    """Write where a user said: behind a link, and into what is no ordinary file, such as a pipe.

    Raises:
        NextwordError: it cannot be written; an ordinary file that was there is unchanged.
    """
    target = path.resolve()
    if not target.exists() or target.is_file():
        write_atomically(target, content)
        return
    try:
        with target.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise unwritable(path, error) from error


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


def check_own_files(folder: Path, names: tuple[str, ...], error: type[NextwordError]) -> None:
    """Refuse names in a folder that lead out of it, or that are no ordinary files.

    Raises:
        error: one is a link to somewhere else, or a device or a pipe, which may never end.
    """
    home = folder.resolve()
    for name in names:
        path = folder / name
        if path.is_symlink() and home not in path.resolve().parents:
            raise error(f"{path}: leads out of its folder; put the file itself in its place")
        with suppress(OSError):
            if not stat.S_ISREG(path.stat().st_mode):
                raise error(f"{path}: is no ordinary file; put one in its place")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors with text beside them as safetensors, atomically.

    The same content always gives the same bytes, which the library's own writer does not promise.

    Raises:
        NextwordError: the folder cannot be written or the disk is full; ``path`` is unchanged.
    """
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header: dict[str, Any] = {"__metadata__": {**metadata, CHECKSUM: _checksum(ready, metadata)}}
    # the wide numbers first, so that each lies at a multiple of its own width
    order = sorted(ready, key=lambda name: (-ready[name].element_size(), name))
    end = 0
    for name in order:
        begin, end = end, end + ready[name].numel() * ready[name].element_size()
        header[name] = {
            "dtype": _DTYPES[str(ready[name].dtype).removeprefix("torch.")],
            "shape": list(ready[name].shape),
            "data_offsets": [begin, end],
        }
    described = json.dumps(header, separators=(",", ":")).encode()
    described += b" " * (-len(described) % 8)
    with replacing(path) as file:
        file.write(len(described).to_bytes(8, "little") + described)
        for name in order:
            file.write(_bytes(ready[name]))


def read_tensors(
    path: Path, error: type[NextwordError] = NextwordError
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors that :func:`write_tensors` wrote and the text beside them; runs no code.

    Raises:
        error: the file cannot be read, is damaged, or has no checksum; the message names it.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            # copied, so that what was checked cannot change under our hands afterwards
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    except (SafetensorError, ValueError, RuntimeError, KeyError, AttributeError) as problem:
        reason = " ".join(str(problem).split())
        raise error(f"{path}: is damaged or no safetensors file ({reason})") from problem
    checksum = metadata.pop(CHECKSUM, None)
    if checksum is None:
        raise error(
            f"{path}: has no checksum; another program or an older version wrote it, train again"
        )
    if checksum != _checksum(tensors, metadata):
        raise error(
            f"{path}: is damaged, its content is not what was written (checksum); "
            "put a sound copy in its place or train again"
        )
    return tensors, metadata


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """CRC-32 of the text, and of every tensor's name, form and bytes."""
    checksum = zlib.crc32(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        form = f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}"
        checksum = zlib.crc32(form.encode(), checksum)
        checksum = zlib.crc32(_bytes(tensors[name]), checksum)
    return f"{checksum:08x}"


def _bytes(tensor: Tensor) -> memoryview:
    """The bytes of a tensor on the CPU, without a copy."""
    import torch

    flat = tensor.reshape(-1)
    if flat.stride() != (1,):  # of no number, or of one, the stride may be anything
        flat = flat.clone(memory_format=torch.contiguous_format)
    return flat.view(torch.uint8).numpy().data
