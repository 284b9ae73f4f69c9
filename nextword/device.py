"""Where to compute, and in which precision."""

from __future__ import annotations

import contextlib
import os

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
