"""Where and how finely is computed."""

import os

import numpy as np
import pytest
import torch

from nextword import device
from nextword.device import (
    choose_device,
    choose_precision,
    choose_threads,
    computing_in,
    from_numpy,
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


def test_tensors_never_share_memory_that_may_not_be_written() -> None:
    own, mapped = np.zeros(2), np.zeros(2)
    mapped.flags.writeable = False
    tensors = from_numpy({"own": own, "mapped": mapped})
    for tensor in tensors.values():
        tensor += 1
    assert own.tolist() == [1, 1] and mapped.tolist() == [0, 0]
