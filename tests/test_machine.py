"""What is known of the machine without PyTorch."""

import ctypes
import os
import platform
import sys

import pytest

from nextword import machine
from nextword.machine import (
    hardware_trouble,
    idle_cores,
    may_have_gpu,
    spare_threads,
    usable_cores,
)


@pytest.mark.parametrize(
    ("idle", "threads", "spare"),
    [(400, 4, 4), (370, 4, 4), (290, 4, 3), (120, 4, 1), (0, 4, 1), (290, 2, 2), (0, 1, 1)],
)
def test_threads_are_as_many_as_there_are_idle_cores(
    monkeypatch: pytest.MonkeyPatch, idle: int, threads: int, spare: int
) -> None:
    ticks = iter([(1000, 5000), (1000 + idle, 5400)])
    monkeypatch.setattr(machine, "_core_ticks", lambda: next(ticks))
    monkeypatch.setattr(machine, "LOAD_SECONDS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert spare_threads(threads) == spare


def test_all_threads_are_used_where_the_load_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_core_ticks", lambda: None)
    monkeypatch.setattr(machine, "LOAD_SECONDS", 0)
    assert idle_cores() is None
    assert spare_threads(8) == 8


def test_usable_cores_are_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5}, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert usable_cores() == 2
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Linux machine without device files and libraries of a GPU."""

    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    monkeypatch.setattr(ctypes, "CDLL", missing)
    return monkeypatch


def test_a_machine_without_signs_of_a_gpu_has_none(no_gpu: pytest.MonkeyPatch) -> None:
    assert not may_have_gpu()
    no_gpu.setattr(sys, "platform", "win32")
    assert not may_have_gpu()


@pytest.mark.parametrize("file", ["/dev/nvidiactl", "/dev/dxg", "/dev/kfd"])
def test_a_device_file_is_a_sign_of_a_gpu(no_gpu: pytest.MonkeyPatch, file: str) -> None:
    no_gpu.setattr(os.path, "exists", lambda path: path == file)
    assert may_have_gpu()


@pytest.mark.parametrize(
    ("system", "library"), [("linux", "libcuda.so.1"), ("win32", "nvcuda.dll")]
)
def test_a_driver_library_is_a_sign_of_a_gpu(
    no_gpu: pytest.MonkeyPatch, system: str, library: str
) -> None:
    loaded: list[str] = []
    no_gpu.setattr(sys, "platform", system)
    no_gpu.setattr(ctypes, "CDLL", loaded.append)
    assert may_have_gpu()
    assert loaded == [library]


def test_only_macs_with_apples_processor_may_have_one(no_gpu: pytest.MonkeyPatch) -> None:
    no_gpu.setattr(sys, "platform", "darwin")
    for processor, expected in (("arm64", True), ("x86_64", False)):
        no_gpu.setattr(platform, "machine", lambda processor=processor: processor)
        assert may_have_gpu() == expected


@pytest.mark.parametrize(
    ("error", "description"),
    [
        (MemoryError("Unable to allocate 8.00 GiB"), "out of memory"),
        (
            RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has"),
            "out of memory (2.00 GiB more were wanted)",
        ),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
            "out of memory",
        ),
        (
            RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
            "the device failed (cuDNN error: CUDNN_STATUS_NOT_INITIALIZED)",
        ),
        (RuntimeError("tensors on two devices, cuda:0 and cpu!"), None),
        (ValueError("CUDA"), None),
    ],
)
def test_hardware_trouble_is_distinguished_from_a_bug(
    error: Exception, description: str | None
) -> None:
    assert hardware_trouble(error) == description
