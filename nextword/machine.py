"""The machine, without PyTorch: idle cores, signs of a GPU, failures of the hardware."""

from __future__ import annotations

import os
import platform
import re
import sys
import time

BUSY_MARGIN = 0.4
"""Share of a core that other programs may use without costing a thread."""
LOAD_SECONDS = 0.25
"""How long the load of other programs is measured."""
_GPU_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""Devices of NVIDIA's driver, of a GPU that Windows lends to Linux, and of AMD's driver."""


def usable_cores() -> int:
    """Logical processors that this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def running_threads() -> int | None:
    """Threads of all programs that run on a core or wait for one at this moment, this one included.

    ``None`` if unknown. Takes a hundredth of a millisecond.
    """
    try:
        with open("/proc/loadavg", "rb", buffering=0) as file:
            return int(file.read(64).split()[3].split(b"/")[0])
    except (OSError, ValueError, IndexError):
        return None


def idle_cores() -> float | None:
    """Cores that no program used during the next :data:`LOAD_SECONDS`; ``None`` if unknown."""
    before = _core_ticks()
    time.sleep(LOAD_SECONDS)
    after = _core_ticks()
    if before is None or after is None or after[1] <= before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1]) * (os.cpu_count() or 1)


def spare_threads(threads: int) -> int:
    """Threads for which there is an idle core at the moment; at least one.

    Threads of one computation wait for each other in a busy loop. When another program takes one of
    their cores, all of them wait, and training can be ten times slower than with one thread less.

    Args:
        threads: the number that would be used on an idle machine.
    """
    if threads < 2:
        return threads
    idle = idle_cores()
    return threads if idle is None else max(1, min(threads, int(idle + BUSY_MARGIN)))


def _core_ticks() -> tuple[int, int] | None:
    """Idle and total time of all cores since boot; ``None`` except on Linux."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(number) for number in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    return ticks[3] + ticks[4], sum(ticks)  # idle, and waiting for a disk


def may_have_gpu() -> bool:
    """Whether PyTorch might find a GPU, so that asking is worth its import."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return any(map(os.path.exists, _GPU_FILES)) or _has_nvidia_driver()


def _has_nvidia_driver() -> bool:
    """Whether NVIDIA's driver library is there. A Jetson has it, but other device files."""
    import ctypes

    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


_ALLOCATION = re.compile(r"[Tt]ried to allocate ([\d.]+ ?[A-Za-z]+)")
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory|ALLOC_FAILED")
_DEVICE_FAILURE = re.compile(r"\b(CUDA|cuDNN|CUBLAS|cuBLAS|MPS|HIP)")


def hardware_trouble(error: BaseException) -> str | None:
    """A short description of a memory or device error; ``None`` for any other error."""
    message = " ".join(str(error).split())
    allocation = _ALLOCATION.search(message)
    if isinstance(error, MemoryError) or _NO_MEMORY.search(message):
        return "out of memory" + (f" ({allocation[1]} more were wanted)" if allocation else "")
    if isinstance(error, RuntimeError) and _DEVICE_FAILURE.search(message):
        return f"the device failed ({message.partition('. ')[0][:200]})"
    return None
