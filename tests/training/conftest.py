"""A trainer over a text of a few ids, without files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from nextword.config.schema import ModelConfig, TrainingConfig
from nextword.losses.softmax import ExactLoss
from nextword.models.registry import build_network
from nextword.training.callbacks import Callback, StepReport, ValidationReport
from nextword.training.trainer import Trainer
from nextword.windows import StreamBatches

CYCLE = [2, 3, 2, 4, 5, 2, 6, 7]
"""Each word follows from the two before it, but word 2 alone does not say what comes."""


class Recorder(Callback):
    """Keeps the reports of a training."""

    def __init__(self) -> None:
        self.reports: list[StepReport] = []
        self.losses: list[float] = []
        self.validations: list[tuple[int, float, bool]] = []
        self.weights: list[torch.Tensor] = []
        self.trainer: Trainer | None = None

    def on_step(self, report: StepReport) -> None:
        self.reports.append(report)
        self.losses.append(report.loss)
        if self.trainer is not None:
            parameters = self.trainer.model.parameters()
            self.weights.append(torch.cat([p.detach().flatten().clone() for p in parameters]))

    def on_validation(self, report: ValidationReport) -> None:
        self.validations.append((report.progress.step, report.loss, report.improved))


class Messages(Callback):
    """Keeps the lines for the screen."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_message(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def screen() -> Messages:
    """A callback that keeps the lines for the screen."""
    return Messages()


class RecordedTrainer(Trainer):
    """A trainer and the reports of its training."""

    recorder: Recorder


MakeTrainer = Callable[..., RecordedTrainer]


@pytest.fixture
def make_trainer() -> MakeTrainer:
    """Builds a trainer with a recorder as its callback; dotted keys set anything else."""

    def make(settings: dict[str, Any] | None = None, **parts: Any) -> RecordedTrainer:
        settings = settings or {}
        sections: dict[str, dict[str, Any]] = {
            "model": {"embedding_size": 12, "hidden_size": 24, "dropout": 0.0, "context": 3},
            "training": {"epochs": 1, "precision": "float32", "warmup_steps": 0},
        }
        for key, value in settings.items():
            section, name = key.split(".")
            sections[section][name] = value
        config = TrainingConfig.model_validate(sections["training"])
        torch.manual_seed(config.seed)
        recorder = Recorder()
        trainer = RecordedTrainer(
            parts.get("model") or build_network(ModelConfig.model_validate(sections["model"]), 8),
            parts.get("loss") or ExactLoss(),
            parts.get("batches") or StreamBatches(np.array(CYCLE * 50), 4, 10),
            config,
            torch.device("cpu"),
            parts.get("validate") or (lambda: 1.0),
            recorder,
            parts.get("should_stop") or (lambda: False),
        )
        trainer.recorder = recorder
        recorder.trainer = trainer
        return trainer

    return make
