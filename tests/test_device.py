"""Where and how finely is computed."""

import os

import pytest
import torch

from nextword import device
from nextword.device import (
    choose_device,
    choose_precision,
    choose_threads,
    computing_in,
    hardware_trouble,
    spare_threads,
)
from nextword.errors import ConfigError

CPU = torch.device("cpu")


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == CPU


def test_auto_takes_cuda_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"


def test_a_device_that_this_machine_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("cuda") == torch.device("cuda")
    assert choose_device("cuda:0") == torch.device("cuda:0")
    for name in ("cuda:1", "mps"):
        with pytest.raises(ConfigError, match=f"no {name} device found"):
            choose_device(name)


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "CPU", "xpu"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is unknown; use auto, cpu, cuda"):
        choose_device(name)


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [({"avx512_bf16": True}, torch.bfloat16), ({"avx512_bf16": False}, torch.float32), ({}, None)],
)
def test_automatic_precision_is_what_the_processor_computes_fastest(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], wanted: torch.dtype | None
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_precision("auto", CPU) == (wanted or torch.float32)
    assert choose_precision("float32", CPU) == torch.float32


def test_bfloat16_is_refused_where_the_processor_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextword.device.computes_bfloat16", lambda: True)
    assert choose_precision("bfloat16", CPU) == torch.bfloat16
    monkeypatch.setattr("nextword.device.computes_bfloat16", lambda: False)
    with pytest.raises(ConfigError, match="cannot compute in bfloat16; use auto or float32"):
        choose_precision("bfloat16", CPU)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_matrices_are_multiplied_in_the_precision_asked_for(precision: torch.dtype) -> None:
    with computing_in(precision, CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == precision
    assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize(
    ("idle", "threads", "spare"),
    [(400, 4, 4), (370, 4, 4), (290, 4, 3), (120, 4, 1), (0, 4, 1), (290, 2, 2), (0, 1, 1)],
)
def test_threads_are_as_many_as_there_are_idle_cores(
    monkeypatch: pytest.MonkeyPatch, idle: int, threads: int, spare: int
) -> None:
    ticks = iter([(1000, 5000), (1000 + idle, 5400)])
    monkeypatch.setattr(device, "_core_ticks", lambda: next(ticks))
    monkeypatch.setattr(device, "LOAD_SECONDS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert spare_threads(threads) == spare


def test_all_threads_are_used_where_the_load_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "_core_ticks", lambda: None)
    monkeypatch.setattr(device, "LOAD_SECONDS", 0)
    assert spare_threads(8) == 8


def test_a_busy_machine_gets_fewer_threads_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, said = [2], list[str]()
    monkeypatch.setattr(torch, "get_num_threads", lambda: chosen[-1])
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.setattr(device, "spare_threads", lambda threads: 1)
    choose_threads(0, None, said.append)
    assert chosen[-1] == 1 and len(said) == 1 and "1 of 2 threads" in said[0]


@pytest.mark.parametrize(
    ("wanted", "before", "now"), [(0, None, 2), (3, None, 3), (3, 4, 3), (0, 4, 4), (0, 2, 2)]
)
def test_a_resume_has_the_threads_that_its_run_had(
    monkeypatch: pytest.MonkeyPatch, wanted: int, before: int | None, now: int
) -> None:
    chosen, said = [2], list[str]()
    monkeypatch.setattr(torch, "get_num_threads", lambda: chosen[-1])
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(device, "spare_threads", lambda threads: threads)
    choose_threads(wanted, before, said.append)
    assert (chosen[-1], said) == (now, [])


def test_fewer_threads_than_a_run_had_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    before = torch.get_num_threads()
    choose_threads(0, 16, said.append)
    assert torch.get_num_threads() == before
    assert len(said) == 1 and "16 processor threads, this machine has 4" in said[0]


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
