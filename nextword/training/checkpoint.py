"""Checkpoints: the state that an exact resume needs, and the best model.

The state is one file, replaced atomically. Tensors: the current weights, the optimizer's averages,
the carried recurrent state and the states of the random generators. Metadata, as JSON: the
trainer's progress and what the run knows besides.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from nextword.config.schema import Config
from nextword.device import from_numpy, to_numpy
from nextword.errors import ConfigError, ModelError
from nextword.inference.gradient_sizes import compact
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.model_folder import WEIGHTS, save_model, save_weights
from nextword.models.base import LanguageModel
from nextword.storage.integrity import check_format
from nextword.storage.run_folder import RunFolder
from nextword.storage.tensors import read_tensors, write_tensors
from nextword.training.callbacks import Callback, Progress, StepReport, ValidationReport
from nextword.training.optimizer import mean_square_gradients
from nextword.training.trainer import Trainer

FORMAT = "nextword-state"
FORMAT_VERSION = 2
MAX_SAVING_SHARE = 0.02
"""Periodic saves take this share of a training at most."""
_CPU_RANDOM, _DEVICE_RANDOM = "random.cpu", "random.{}"
_FROZEN = "vectors.frozen"


CHANGEABLE_KEYS = frozenset(
    {
        "text.path",
        "text.train",
        "text.valid",
        "text.test",
        *(
            f"training.{name}"
            for name in (
                "epochs",
                "minutes",
                "learning_rate",
                "clip_norm",
                "validations",
                "patience",
                "save_every",
                "device",
                "precision",
                "threads",
                "prompts",
                "tensorboard",
            )
        ),
        *(f"mixture.{name}" for name in ("ngram", "cache", "cache_size")),
    }
)
"""Keys that affect only the steps to come; of a text, its path but not its content."""


@dataclass(frozen=True)
class RunNotes:
    """What a resume needs besides the trainer's state."""

    config: Config
    """The resolved configuration."""
    threads: int
    """Processor threads; another number rounds differently."""
    log_size: int
    """Size of ``metrics.jsonl`` in bytes."""


@dataclass(frozen=True)
class SavedState:
    """A state file that was read and whose checksum is right."""

    path: Path
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any]

    @property
    def notes(self) -> RunNotes:
        """What was saved besides the trainer's state.

        Raises:
            ModelError: the file holds none, or none that this version understands.
        """
        try:
            notes = json.loads(self.metadata["notes"])
            config = Config.model_validate(notes["config"])
            return RunNotes(config, int(notes["threads"]), int(notes["logged"]))
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise ModelError(
                f"{self.path}: was written by another version of nextword; resume it with that one"
            ) from error

    def freeze(self, model: LanguageModel) -> None:
        """Freeze the word vectors of a new network that were frozen in the saved one."""
        ids = self.tensors.get(_FROZEN)
        if ids is not None:
            model.vectors.freeze(ids)

    def restore(self, trainer: Trainer) -> None:
        """Put a trainer into the state that :func:`save_state` saved.

        Raises:
            ModelError: the state belongs to a training with other settings.
        """
        tensors = self.tensors
        try:
            progress: dict[str, Any] = json.loads(self.metadata["progress"])
            progress |= {key: math.inf for key, value in progress.items() if value is None}
            trainer.progress = Progress(**progress)
            trainer.clock.before = trainer.progress.seconds
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
                "configuration that it began with, or retrain under another --run"
            ) from error


def save_state(path: Path, trainer: Trainer, notes: RunNotes | None = None) -> None:
    """Write the trainer's state; the previous file stays until the new one is complete."""
    tensors: dict[str, Tensor] = {_CPU_RANDOM: torch.get_rng_state()}
    device = trainer.device.type
    if device == "cuda":
        tensors[_DEVICE_RANDOM.format(device)] = torch.cuda.get_rng_state(trainer.device)
    elif device == "mps":
        tensors[_DEVICE_RANDOM.format(device)] = torch.mps.get_rng_state()
    if len(frozen := trainer.model.vectors.frozen):
        tensors[_FROZEN] = frozen
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
        # with autocast a carried state is in bfloat16, a type that NumPy lacks
        "bfloat16": [
            index
            for index, carried in enumerate(trainer.carried)
            if carried.dtype == torch.bfloat16
        ],
    }
    if notes is not None:
        numbers = {"threads": notes.threads, "logged": notes.log_size}
        metadata["notes"] = json.dumps({**numbers, "config": notes.config.model_dump(mode="json")})
    write_tensors(path, to_numpy(tensors), metadata)


def read_state(path: Path) -> SavedState:
    """Read what :func:`save_state` wrote.

    Raises:
        ModelError: the file is missing, damaged or not a training state.
    """
    tensors, metadata = read_tensors(path, ModelError)
    check_format(path, metadata, FORMAT, FORMAT_VERSION)
    return SavedState(path, from_numpy(tensors), metadata)


def _restore_device_random(device: torch.device, tensors: Mapping[str, Tensor]) -> None:
    # on another kind of device than before, that device's generator stays as seeded
    state = tensors.get(_DEVICE_RANDOM.format(device.type))
    if device.type == "cuda" and state is not None:
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps" and state is not None:
        torch.mps.set_rng_state(state)


@torch.no_grad()
def _restore_weights(trainer: Trainer, tensors: Mapping[str, Tensor]) -> None:
    for name, parameter in trainer.model.named_parameters():
        parameter.copy_(_matching(parameter, tensors[f"model.{name}"]))
        prefix = f"optimizer.{name}."
        saved = {
            key.removeprefix(prefix): value
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
        if saved:
            # averages have the weights' shape, the step count has none
            trainer.optimizer.state[parameter] = {
                key: _matching(parameter, value) if value.dim() else value.to(parameter.device)
                for key, value in saved.items()
            }


def _matching(parameter: Tensor, saved: Tensor) -> Tensor:
    """The saved tensor on the parameter's device; its shape must be equal, not just broadcast."""
    if saved.shape != parameter.shape:
        raise ValueError(f"{tuple(saved.shape)} where {tuple(parameter.shape)} is wanted")
    return saved.to(parameter.device)


@contextmanager
def saving_time(trainer: Trainer) -> Iterator[None]:
    """Count the time inside as spent on saving."""
    started = time.perf_counter()
    yield
    trainer.progress.saving_seconds += time.perf_counter() - started
    trainer.progress.seconds = trainer.clock()


class Saver(Callback):
    """Saves the state periodically, less often where saving is slow.

    Args:
        folder: the run.
        trainer: the trainer to save.
        notes: what else to save, as of the moment of the call.
        every: seconds between two saves, at least.
    """

    def __init__(
        self, folder: RunFolder, trainer: Trainer, notes: Callable[[], RunNotes], every: float
    ) -> None:
        self.folder = folder
        self.trainer = trainer
        self.notes = notes
        self.every = every
        self.wait = every
        self.saved_at = time.monotonic()

    def save(self) -> None:
        """Save now.

        Raises:
            DivergedError: a weight is not finite; the last saved state stays.
        """
        self.trainer.check_finite()
        started = time.monotonic()
        with saving_time(self.trainer):
            save_state(self.folder.state, self.trainer, self.notes())
        self.saved_at = time.monotonic()
        self.wait = max(self.every, (self.saved_at - started) * (1 / MAX_SAVING_SHARE - 1))

    def on_step(self, report: StepReport) -> None:
        # a resume should not begin amid failing steps
        if time.monotonic() - self.saved_at >= self.wait and not report.progress.failures:
            self.save()


class BestModel(Callback):
    """Keeps the network with the lowest validation loss as the run's model folder.

    Args:
        folder: the model folder.
        trainer: trains the network.
        loaded: the network and its words.
        card: the text of the model folder's README.md.
    """

    def __init__(self, folder: Path, trainer: Trainer, loaded: LoadedModel, card: str) -> None:
        self.folder = folder
        self.trainer = trainer
        self.loaded = loaded
        self.card = card

    def on_validation(self, report: ValidationReport) -> None:
        if report.improved:
            squares = mean_square_gradients(self.trainer.model, self.trainer.optimizer)
            self.loaded.gradients = compact(to_numpy(squares))
            with saving_time(self.trainer):
                self._save()

    def _save(self) -> None:
        if (self.folder / WEIGHTS).exists():
            save_weights(self.folder, self.loaded)
        else:
            save_model(self.folder, self.loaded, self.card)


def refuse_changes(
    folder: RunFolder, start_seconds: Config, now: Config, text_changed: bool
) -> None:
    """Check that a resumed run keeps its network, its words and their order.

    Args:
        folder: the run.
        start_seconds: its configuration, resolved.
        now: that of the resume, resolved.
        text_changed: whether the text differs from that of the run's ``run.json``.

    Raises:
        ConfigError: another setting or the text changed; names every one.
    """
    before, after = dict(start_seconds.leaves()), dict(now.leaves())
    changed = [
        f"{key} (was {before[key]!r}, now {after[key]!r})"
        for key in before
        if key not in CHANGEABLE_KEYS and before[key] != after[key]
    ]
    if text_changed or _parts(start_seconds) != _parts(now):
        changed.insert(0, "the text")
    if changed:
        raise ConfigError(
            f"{folder.path}: {', '.join(changed)} cannot change in a resume; leave it as it was, "
            "or train a new run with another --run"
        )


def _parts(config: Config) -> list[bool]:
    """Which files a text has, wherever they are."""
    text = config.text
    return [name is None for name in (text.path, text.train, text.valid, text.test)]
