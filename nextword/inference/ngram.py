"""An n-gram model that reads: it remembers the last few words and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from nextword.inference.decoder import Decoder, Distributions
from nextword.ngram.model import NgramModel


class NgramDecoder(Decoder):
    """What an n-gram model foresees.

    Args:
        model: the counted n-grams.
        device: where the forecasts are wanted.
    """

    def __init__(self, model: NgramModel, device: torch.device) -> None:
        self.model = model
        self.device = device
        self._before = model.initial_context()

    @torch.no_grad()
    def read(self, ids: Tensor) -> Distributions:
        contexts = self.model.contexts(ids.cpu(), self._before)
        self._before = contexts[-1]
        forecast = self.model.log_probabilities(contexts)
        return Distributions(
            forecast.to(self.device), self.model.gate_features(contexts).to(self.device)
        )
