"""A network that reads: its state runs on from word to word, its weights stay as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from nextword.inference.decoder import Decoder, Distributions
from nextword.models.base import LanguageModel


class NetworkDecoder(Decoder):
    """What a trained network foresees.

    Args:
        model: the network, on any device; put into evaluation mode.
    """

    num_features = 2
    """Evidence: the entropy of the forecast in nats, and its greatest log-probability."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model.eval()
        self._state = model.initial_state(1)
        self.features = torch.empty(0)
        """What the network made of the words of the last call, ``(words, size)``."""

    def read(self, ids: Tensor) -> Distributions:
        return forecast_of(self._read_on(ids.to(self.model.output.weight.device)))

    @torch.no_grad()
    def _read_on(self, words: Tensor) -> Tensor:
        """Log-probabilities after each of some words, ``(words, vocabulary)``."""
        features, self._state = self.model.features(words[None], self._state)
        self.features = features[0]
        scores: Tensor = self.model.output(self.features)
        return scores.float().log_softmax(1)


def forecast_of(log_probabilities: Tensor) -> Distributions:
    """A network's forecast with its evidence.

    Args:
        log_probabilities: ``(places, vocabulary)``.
    """
    entropy = -(log_probabilities.exp() * log_probabilities).sum(1)
    gate_features = torch.stack([entropy, log_probabilities.amax(1)], 1)
    return Distributions(log_probabilities, gate_features)
