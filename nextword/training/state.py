"""What an exact resume needs, in one file that is replaced whole.

Tensors: the weights as they are now, the optimizer's averages, the carried state and the random
generators'. Beside them, as JSON, where the training stands.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nextword.errors import ModelError
from nextword.files import read_tensors, write_tensors
from nextword.training.trainer import Progress, Trainer

FORMAT = "nextword-state"
FORMAT_VERSION = 1
_CPU_RANDOM, _CUDA_RANDOM = "random.cpu", "random.cuda"


def save_state(path: Path, trainer: Trainer) -> None:
    """Write the trainer's state; the file before it stays until the new one is whole."""
    tensors: dict[str, Tensor] = {_CPU_RANDOM: torch.get_rng_state()}
    if trainer.device.type == "cuda":
        tensors[_CUDA_RANDOM] = torch.cuda.get_rng_state(trainer.device)
    for name, parameter in trainer.model.named_parameters():
        tensors[f"model.{name}"] = parameter
        for key, value in trainer.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{name}.{key}"] = value
    for index, carried in enumerate(trainer.carried):
        tensors[f"carried.{index}"] = carried
    progress = {
        key: None if value == math.inf else value for key, value in asdict(trainer.progress).items()
    }
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "progress": json.dumps(progress),
        "reduction": repr(trainer.schedule.reduction),
    }
    write_tensors(path, tensors, metadata)


def restore_state(path: Path, trainer: Trainer) -> None:
    """Put a trainer where :func:`save_state` found it.

    Raises:
        ModelError: the file is missing, damaged, or of a training with other settings.
    """
    tensors, metadata = read_tensors(path, ModelError)
    if metadata.get("format") != FORMAT or metadata.get("format_version") != str(FORMAT_VERSION):
        raise ModelError(f"{path}: is no training state that this version reads; train again")
    try:
        progress: dict[str, Any] = json.loads(metadata["progress"])
        progress |= {key: math.inf for key, value in progress.items() if value is None}
        trainer.progress = Progress(**progress)
        trainer.schedule.reduction = float(metadata["reduction"])
        _restore_weights(trainer, tensors)
        trainer.carried = tuple(
            tensors[f"carried.{index}"].to(trainer.device) for index in range(len(trainer.carried))
        )
        torch.set_rng_state(tensors[_CPU_RANDOM])
        if trainer.device.type == "cuda" and _CUDA_RANDOM in tensors:
            torch.cuda.set_rng_state(tensors[_CUDA_RANDOM], trainer.device)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"{path}: does not fit this run's model ({error}); resume with the configuration "
            "that it began with, or train anew under another --run"
        ) from error


@torch.no_grad()
def _restore_weights(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    for name, parameter in trainer.model.named_parameters():
        parameter.copy_(tensors[f"model.{name}"])
        start = f"optimizer.{name}."
        kept = {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}
        if kept:
            # the step count stays where the optimizer made it, the averages beside the weights
            trainer.optimizer.state[parameter] = {
                key: value.to(parameter.device) for key, value in kept.items()
            }
