"""What is saved is enough to go on exactly, and nothing else is taken for it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nextword.config.schema import Config
from nextword.device import to_numpy
from nextword.errors import ModelError
from nextword.losses.sampled import SampledLoss
from nextword.storage.tensors import write_tensors
from nextword.training.checkpoint import RunNotes, read_state, save_state
from nextword.training.trainer import Trainer

if TYPE_CHECKING:
    from tests.training.conftest import MakeTrainer

COUNTS = torch.arange(8, 0, -1)


@pytest.fixture(autouse=True)
def own_random_numbers() -> object:
    with torch.random.fork_rng():
        yield


def steps(trainer: Trainer, count: int) -> None:
    for _ in range(count):
        trainer.callback.on_step(trainer.step())


@pytest.mark.parametrize(
    "settings",
    [
        {"model.kind": "lstm", "model.dropout": 0.4, "model.layers": 2},
        {"model.kind": "gru", "training.optimizer": "sgd"},
        {"model.kind": "rnn", "model.activation": "sigmoid", "model.input": "one_hot"},
        {"model.kind": "feedforward", "model.dropout": 0.4},
        {"model.kind": "feedforward", "model.context": 1},
        {"training.schedule": "plateau"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_a_restored_training_goes_on_bit_for_bit(
    tmp_path: Path, make_trainer: MakeTrainer, settings: dict[str, object]
) -> None:
    settings = {**settings, "training.epochs": 3}
    whole = make_trainer(settings, loss=SampledLoss(3, 2, COUNTS))
    steps(whole, 7)
    whole.schedule.stalled()
    save_state(tmp_path / "state", whole)
    steps(whole, 8)

    again = make_trainer({**settings, "training.seed": 9}, loss=SampledLoss(3, 2, COUNTS))
    read_state(tmp_path / "state").restore(again)
    steps(again, 8)
    assert again.recorder.losses == whole.recorder.losses[7:]
    assert torch.equal(again.recorder.weights[-1], whole.recorder.weights[-1])
    assert not torch.equal(whole.recorder.weights[-1], whole.recorder.weights[6])
    assert again.progress.step == 15 and again.progress.words == whole.progress.words


def test_progress_comes_back_whole(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    save_state(tmp_path / "state", trainer)
    again = make_trainer()
    again.progress.best_loss = 1.0
    read_state(tmp_path / "state").restore(again)
    assert again.progress == trainer.progress
    assert again.progress.best_loss == math.inf
    trainer.run()
    trainer.progress.skipped, trainer.progress.stale = 3, 2
    save_state(tmp_path / "state", trainer)
    read_state(tmp_path / "state").restore(again)
    assert again.progress == trainer.progress


def test_a_state_of_another_network_is_refused(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    steps(trainer, 2)
    save_state(tmp_path / "state", trainer)
    for settings in ({"model.hidden_size": 17}, {"model.kind": "gru"}, {"model.layers": 2}):
        with pytest.raises(ModelError, match="state: does not fit this run's model"):
            read_state(tmp_path / "state").restore(make_trainer(settings))


def test_what_is_no_state_is_refused(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    trainer, path = make_trainer(), tmp_path / "state"
    with pytest.raises(ModelError, match="cannot be read"):
        read_state(path).restore(trainer)
    save_state(path, trainer)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    with pytest.raises(ModelError, match="damaged"):
        read_state(path).restore(trainer)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="has no checksum"):
        read_state(path).restore(trainer)
    own = {"format": "nextword-state", "format_version": 2}
    for beside, message in (
        ({}, "is not a nextword state"),
        ({**own, "format_version": 1}, "train again with this version"),
        ({**own, "format_version": 3}, "use the nextword version that wrote it"),
    ):
        write_tensors(path, {"a": np.zeros(1)}, beside)
        with pytest.raises(ModelError, match=message):
            read_state(path).restore(trainer)
    write_tensors(path, {"a": np.zeros(1)}, own)
    with pytest.raises(ModelError, match="does not fit"):
        read_state(path).restore(trainer)


def test_what_the_run_knows_comes_back(tmp_path: Path, make_trainer: MakeTrainer) -> None:
    trainer, path = make_trainer(), tmp_path / "state"
    notes = RunNotes(Config.model_validate({"model": {"input_dropout": 0.1 + 0.2}}), 3, 1234)
    save_state(path, trainer, notes)
    assert read_state(path).notes == notes
    save_state(path, trainer)
    with pytest.raises(ModelError, match="written by another version"):
        _ = read_state(path).notes


def test_a_tensor_of_another_shape_is_not_spread_out(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer, path = make_trainer(), tmp_path / "state"
    save_state(path, trainer)
    saved = read_state(path)
    name, weight = next((n, t) for n, t in saved.tensors.items() if n.startswith("model.output.b"))
    write_tensors(path, to_numpy({**saved.tensors, name: weight[:1]}), saved.metadata)
    with pytest.raises(ModelError, match="does not fit"):
        read_state(path).restore(trainer)


def test_a_carried_state_in_bfloat16_comes_back_bit_for_bit(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer, again = make_trainer({"model.kind": "lstm"}), make_trainer({"model.kind": "lstm"})
    first, *others = trainer.carried
    trainer.carried = (torch.randn_like(first).bfloat16(), *others)
    save_state(tmp_path / "state", trainer)
    read_state(tmp_path / "state").restore(again)
    assert [part.dtype for part in again.carried] == [part.dtype for part in trainer.carried]
    assert all(map(torch.equal, again.carried, trainer.carried))
