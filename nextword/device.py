"""Where to compute, and in which precision."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable

import torch

from nextword.errors import ConfigError

BUSY_MARGIN = 0.5
"""Less load than this, of one core, is ordinary."""


def choose_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` is CUDA where there is one, else the CPU.

    Raises:
        ConfigError: the name means nothing, or this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise ConfigError(f"device: {name!r} is unknown; use auto, cpu, cuda, cuda:N or mps")
    present = device.type == "cpu"
    if device.type == "cuda":
        present = (device.index or 0) < torch.cuda.device_count()
    elif device.type == "mps":
        present = torch.backends.mps.is_available()
    if not present:
        raise ConfigError(f"device: this machine has no {name}; use auto or cpu")
    return device


def choose_threads(wanted: int, before: int | None, say: Callable[[str], None]) -> None:
    """Compute with the wanted number of processor threads.

    Args:
        wanted: 0 leaves the choice to PyTorch or, in a resume, to what the run had before.
        before: what the run had before.
        say: is told where that cannot be had, since other numbers of threads round otherwise.
    """
    if wanted:
        torch.set_num_threads(wanted)
    elif before is not None and before != torch.get_num_threads():
        if before <= (os.cpu_count() or 1):
            torch.set_num_threads(before)
        else:
            say(
                f"the run had {before} processor threads, this machine has {os.cpu_count()}: "
                "from here on its figures may differ in their last digits"
            )


def advice_when_busy(threads: int) -> str | None:
    """What to try where other programs keep the processor busy; ``None`` where they do not.

    PyTorch's threads wait for each other in a busy loop. When another program takes one of their
    cores, all of them wait, and training can be ten times slower than with a thread less.

    Args:
        threads: threads that the training will use.
    """
    if not hasattr(os, "getloadavg") or threads < 2:
        return None
    load = os.getloadavg()[0]
    spare = int((os.cpu_count() or 1) - load + BUSY_MARGIN)
    if spare >= threads:
        return None
    return (
        f"other programs keep this machine busy (load {load:.1f}); should training be slow, "
        f"stop it and try --set training.threads={max(spare, 1)}"
    )


def choose_precision(precision: str, device: torch.device) -> torch.dtype:
    """float32 or bfloat16; ``auto`` takes bfloat16 where the hardware computes it natively."""
    if precision == "auto":
        return torch.bfloat16 if _has_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # processors without these instructions would emulate them, which is slower than float32
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and bool(capabilities.get("avx512_bf16"))


def computing_in(
    precision: torch.dtype, device: torch.device
) -> contextlib.AbstractContextManager[None]:
    """A context in which the network computes in the given precision."""
    if precision == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=precision)


_TRIED = re.compile(r"[Tt]ried to allocate ([\d.]+ ?[A-Za-z]+)")
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory|ALLOC_FAILED")
_FAILED = re.compile(r"\b(CUDA|cuDNN|CUBLAS|cuBLAS|MPS|HIP)")


def hardware_trouble(error: BaseException) -> str | None:
    """In a few words, what an error says of memory or of the device; ``None`` if it is a bug."""
    told = " ".join(str(error).split())
    tried = _TRIED.search(told)
    if isinstance(error, MemoryError) or _NO_MEMORY.search(told):
        return "out of memory" + (f" ({tried[1]} more were wanted)" if tried else "")
    if isinstance(error, RuntimeError) and _FAILED.search(told):
        return f"the device failed ({told.partition('. ')[0][:200]})"
    return None
