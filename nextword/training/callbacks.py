"""Who watches a run: the terminal, a notebook, a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nextword.inference.session import Prediction
    from nextword.training.trainer import Progress, StepReport, Trainer


class Callback:
    """Who watches a run; the methods do nothing until a surface overrides them."""

    def say(self, line: str) -> None:
        """Something worth a line on the screen."""

    def began(self, trainer: Trainer) -> None:
        """The training begins, or goes on where it stopped."""

    def stepped(self, report: StepReport) -> None:
        """An optimizer step was taken or left out."""

    def validated(
        self, progress: Progress, perplexity: float, samples: Mapping[str, Sequence[Prediction]]
    ) -> None:
        """The validation part was measured; ``samples`` has what now follows each prompt."""

    def ended(self) -> None:
        """No more steps; the final figures are being taken."""


class CallbackList(Callback):
    """Several who watch the same run.

    Args:
        watchers: are told in this order.
    """

    def __init__(self, *callbacks: Callback) -> None:
        self.callbacks = callbacks

    def say(self, line: str) -> None:
        for callback in self.callbacks:
            callback.say(line)

    def began(self, trainer: Trainer) -> None:
        for callback in self.callbacks:
            callback.began(trainer)

    def stepped(self, report: StepReport) -> None:
        for callback in self.callbacks:
            callback.stepped(report)

    def validated(
        self, progress: Progress, perplexity: float, samples: Mapping[str, Sequence[Prediction]]
    ) -> None:
        for callback in self.callbacks:
            callback.validated(progress, perplexity, samples)

    def ended(self) -> None:
        for callback in self.callbacks:
            callback.ended()
