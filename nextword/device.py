"""Devices, processor threads and precision."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.errors import ConfigError
from nextword.machine import spare_threads


def to_numpy(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Tensors as arrays on the CPU, to be stored; bfloat16 becomes float32, which holds it."""
    return {
        name: (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy(force=True)
        for name, tensor in tensors.items()
    }


def from_numpy(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """Arrays as tensors on the CPU, which share their memory unless that is read-only."""
    return {
        name: torch.from_numpy(array if array.flags.writeable else array.copy())
        for name, array in arrays.items()
    }


def choose_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` is CUDA where there is one, else the CPU.

    Raises:
        ConfigError: the name is unknown, or this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise ConfigError(f"device: {name!r} is unknown; use auto, cpu, cuda, cuda:N or mps")
    available = device.type == "cpu"
    if device.type == "cuda":
        available = (device.index or 0) < torch.cuda.device_count()
    elif device.type == "mps":
        available = torch.backends.mps.is_available()
    if not available:
        raise ConfigError(f"device: no {name} device found; use auto or cpu")
    return device


def choose_threads(wanted: int, before: int | None, say: Callable[[str], None]) -> None:
    """Set the number of processor threads.

    Args:
        wanted: the number; 0 keeps that of a resumed run, and otherwise leaves busy cores out.
        before: the number that a resumed run had; ``None`` for a new run.
        say: receives a line where other programs leave fewer cores, and where a resumed run
            cannot have its number, since another one rounds differently.
    """
    usual = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(wanted)
    elif before is None:
        leave_busy_cores(lambda line: say(f"{line} (change: --set training.threads=N)"))
    elif before != usual:
        if before <= (os.cpu_count() or 1):
            torch.set_num_threads(before)
        else:
            say(
                f"the run had {before} processor threads, this machine has {os.cpu_count()}: "
                "from here on, figures may differ in their last digits"
            )


def leave_busy_cores(say: Callable[[str], None]) -> None:
    """Use only as many threads as there are idle cores, see :mod:`nextword.machine`.

    Args:
        say: receives a line where these are fewer than usual.
    """
    usual = torch.get_num_threads()
    spare = spare_threads(usual)
    if spare < usual:
        torch.set_num_threads(spare)
        say(f"other programs are busy: using {spare} of {usual} threads")


def choose_precision(precision: str, device: torch.device) -> torch.dtype:
    """float32 or bfloat16; ``auto`` takes bfloat16 where the hardware computes it natively.

    Raises:
        ConfigError: bfloat16 is configured and this processor cannot compute in it.
    """
    if precision == "auto":
        return torch.bfloat16 if _has_bfloat16(device) else torch.float32
    if precision == "float32":
        return torch.float32
    if device.type == "cpu" and not computes_bfloat16():
        raise ConfigError(
            "training.precision: this processor cannot compute in bfloat16; use auto or float32"
        )
    return torch.bfloat16


def computes_bfloat16() -> bool:
    """Whether there are bfloat16 kernels for this processor; oneDNN has none without AVX-512."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return True  # PyTorch's own, slow kernels
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # without these instructions bfloat16 is emulated, slower than float32
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and bool(capabilities.get("avx512_bf16"))


def computing_in(
    precision: torch.dtype, device: torch.device
) -> contextlib.AbstractContextManager[None]:
    """A context in which a network computes in the given precision."""
    if precision == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=precision)
