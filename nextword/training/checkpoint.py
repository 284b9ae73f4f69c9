"""What an exact resume needs, in one file that is replaced whole.

Tensors: the weights as they are now, the optimizer's averages, the carried state and the random
generators'. Beside them, as JSON, where the training stands and what the run knows besides.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from nextword.config import Config
from nextword.device import from_numpy, to_numpy
from nextword.errors import ModelError
from nextword.models.base import LanguageModel
from nextword.models.layers import WordVectors
from nextword.storage.integrity import check_format
from nextword.storage.tensors import read_tensors, write_tensors
from nextword.training.trainer import Progress, Trainer

FORMAT = "nextword-state"
FORMAT_VERSION = 2
_CPU_RANDOM, _DEVICE_RANDOM = "random.cpu", "random.{}"
_FROZEN = "vectors.frozen"


@dataclass(frozen=True)
class Notes:
    """What a run knows besides its trainer."""

    config: Config
    """What it began with, resolved."""
    threads: int
    """Processor threads that it computes with; other numbers round otherwise."""
    logged: int
    """Bytes of ``metrics.jsonl`` that were written by then."""


@dataclass(frozen=True)
class SavedState:
    """A state file, read and found whole."""

    path: Path
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any]

    @property
    def notes(self) -> Notes:
        """What the run knew.

        Raises:
            ModelError: the file says nothing of it, or not in words that this version knows.
        """
        try:
            known = json.loads(self.metadata["notes"])
            config = Config.model_validate(known["config"])
            return Notes(config, int(known["threads"]), int(known["logged"]))
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise ModelError(
                f"{self.path}: was written by another version of nextword; resume it with that one"
            ) from error

    def freeze(self, model: LanguageModel) -> None:
        """Keep those word vectors of a fresh network as they are that were kept before."""
        ids = self.tensors.get(_FROZEN)
        for layer in model.modules():
            if ids is not None and isinstance(layer, WordVectors):
                layer.freeze(ids)

    def restore(self, trainer: Trainer) -> None:
        """Put a trainer where :func:`save_state` found it.

        Raises:
            ModelError: the state is of a training with other settings.
        """
        tensors = self.tensors
        try:
            progress: dict[str, Any] = json.loads(self.metadata["progress"])
            progress |= {key: math.inf for key, value in progress.items() if value is None}
            trainer.progress = Progress(**progress)
            trainer.schedule.reduction = float(self.metadata["reduction"])
            _restore_weights(trainer, tensors)
            trainer.carried = tuple(
                tensors[f"carried.{index}"].to(
                    trainer.device, torch.bfloat16 if index in self.metadata["bfloat16"] else None
                )
                for index in range(len(trainer.carried))
            )
            torch.set_rng_state(tensors[_CPU_RANDOM])
            _restore_device_random(trainer.device, tensors)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise ModelError(
                f"{self.path}: does not fit this run's model ({error}); resume with the "
                "configuration that it began with, or train anew under another --run"
            ) from error


def save_state(path: Path, trainer: Trainer, notes: Notes | None = None) -> None:
    """Write the trainer's state; the file before it stays until the new one is whole."""
    tensors: dict[str, Tensor] = {_CPU_RANDOM: torch.get_rng_state()}
    kind = trainer.device.type
    if kind == "cuda":
        tensors[_DEVICE_RANDOM.format(kind)] = torch.cuda.get_rng_state(trainer.device)
    elif kind == "mps":
        tensors[_DEVICE_RANDOM.format(kind)] = torch.mps.get_rng_state()
    for layer in trainer.model.modules():
        if isinstance(layer, WordVectors) and len(layer.frozen):
            tensors[_FROZEN] = layer.frozen
    for name, parameter in trainer.model.named_parameters():
        tensors[f"model.{name}"] = parameter
        for key, value in trainer.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{name}.{key}"] = value
    for index, carried in enumerate(trainer.carried):
        tensors[f"carried.{index}"] = carried
    progress = {
        key: None if value == math.inf else value for key, value in asdict(trainer.progress).items()
    }
    metadata: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "progress": json.dumps(progress),
        "reduction": repr(trainer.schedule.reduction),
        # a carried state is in bfloat16 with autocast; NumPy lacks that type
        "bfloat16": [
            index
            for index, carried in enumerate(trainer.carried)
            if carried.dtype == torch.bfloat16
        ],
    }
    if notes is not None:
        known = {"threads": notes.threads, "logged": notes.logged}
        metadata["notes"] = json.dumps({**known, "config": notes.config.model_dump(mode="json")})
    write_tensors(path, to_numpy(tensors), metadata)


def read_state(path: Path) -> SavedState:
    """Read what :func:`save_state` wrote.

    Raises:
        ModelError: the file is missing, damaged or no state.
    """
    tensors, metadata = read_tensors(path, ModelError)
    check_format(path, metadata, FORMAT, FORMAT_VERSION)
    return SavedState(path, from_numpy(tensors), metadata)


def _restore_device_random(device: torch.device, tensors: Mapping[str, Tensor]) -> None:
    # on another kind of device than before, its own generator goes on as the seed left it
    drawn = tensors.get(_DEVICE_RANDOM.format(device.type))
    if device.type == "cuda" and drawn is not None:
        torch.cuda.set_rng_state(drawn, device)
    elif device.type == "mps" and drawn is not None:
        torch.mps.set_rng_state(drawn)


@torch.no_grad()
def _restore_weights(trainer: Trainer, tensors: Mapping[str, Tensor]) -> None:
    for name, parameter in trainer.model.named_parameters():
        parameter.copy_(_like(parameter, tensors[f"model.{name}"]))
        start = f"optimizer.{name}."
        kept = {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}
        if kept:
            # averages have the weights' shape, the count of steps has none
            trainer.optimizer.state[parameter] = {
                key: _like(parameter, value) if value.dim() else value.to(parameter.device)
                for key, value in kept.items()
            }


def _like(there: Tensor, saved: Tensor) -> Tensor:
    """The saved tensor where the one there is; never one that is merely spread out to its shape."""
    if saved.shape != there.shape:
        raise ValueError(f"{tuple(saved.shape)} where {tuple(there.shape)} is wanted")
    return saved.to(there.device)
