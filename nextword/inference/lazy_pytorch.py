"""Imports PyTorch, which takes seconds, only when an answer cannot be computed without it."""

from __future__ import annotations

import importlib
from types import ModuleType

from nextword.errors import TORCH_MISSING, ModelError
from nextword.machine import may_have_gpu


def pytorch() -> ModuleType:
    """:mod:`nextword.inference.pytorch`.

    Raises:
        ModelError: PyTorch is not installed.
    """
    return _import_with_torch("nextword.inference.pytorch")


def resolve_device(name: str) -> str:
    """The device called ``name``; ``auto`` is CUDA where there is one, else the CPU.

    Raises:
        ConfigError: the name is unknown, or this machine has no such device.
        ModelError: the answer depends on PyTorch, which is not installed.
    """
    if name == "cpu" or (name == "auto" and not may_have_gpu()):
        return "cpu"
    return str(_import_with_torch("nextword.device").choose_device(name))


def _import_with_torch(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModelError(TORCH_MISSING) from None
