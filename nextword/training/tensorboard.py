"""A run for TensorBoard: event files beside ``metrics.jsonl``, where ``training.tensorboard`` asks
for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nextword.errors import NextwordError
from nextword.inference.session import Prediction
from nextword.training.callbacks import Callback
from nextword.training.trainer import Progress, StepReport, Trainer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
"""Of a run folder."""


def check_tensorboard() -> None:
    """Say at once, before long work, that TensorBoard's files cannot be written.

    Raises:
        NextwordError: it is not installed.
    """
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise NextwordError(
            "training.tensorboard needs TensorBoard: pip install 'nextword[tensorboard]', or set "
            "it to false"
        ) from error


class EventWriter(Callback):
    """Writes what a training sees as TensorBoard's events.

    Args:
        run: the run folder; the events go into a folder of their own in it.
    """

    def __init__(self, run: Path) -> None:
        self.folder = run / FOLDER
        self.writer: SummaryWriter | None = None

    def began(self, trainer: Trainer) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # what a stopped run had written of steps that are now taken again is not shown
        self.writer = SummaryWriter(
            str(self.folder), purge_step=trainer.progress.step + 1, max_queue=1000
        )

    def stepped(self, report: StepReport) -> None:
        progress = report.progress
        self._scalars(
            progress.step,
            {
                "training/loss": report.loss,
                "training/learning rate": report.learning_rate,
                "training/gradient norm": report.gradient_norm,
                "training/words per second": progress.words / max(progress.seconds, 1e-9),
            },
        )

    def validated(
        self, progress: Progress, perplexity: float, samples: Mapping[str, Sequence[Prediction]]
    ) -> None:
        scalars = {
            "validation/perplexity": perplexity,
            "validation/loss": math.log(max(perplexity, 1e-300)),
        }
        self._scalars(progress.step, scalars)
        if self.writer is not None:
            for prompt, found in samples.items():
                words = "\n".join(f"    {p.probability:7.2%}  {p.word}" for p in found)
                self.writer.add_text(f"predictions/{prompt}", words, progress.step)
            self.writer.flush()

    def ended(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, value, step)
