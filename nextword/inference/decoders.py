"""The decoders of a network and of an n-gram model."""

from __future__ import annotations

import torch
from torch import Tensor

from nextword.inference.decoder import Decoder, Distributions
from nextword.models.base import LanguageModel
from nextword.ngram.model import NgramModel


class NetworkDecoder(Decoder):
    """A network: its state runs on from token to token, its weights stay as they are.

    Args:
        model: the network, on any device; put into evaluation mode.
    """

    num_features = 2
    """Gate features: the entropy of the distribution in nats, and its greatest log-probability."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model.eval()
        self._state = model.initial_state(1)
        self.features = torch.empty(0)
        """The network's features at the tokens of the last call, ``(tokens, size)``."""

    def read(self, ids: Tensor) -> Distributions:
        return with_network_features(self._read_on(ids.to(self.model.output.weight.device)))

    @torch.no_grad()
    def _read_on(self, ids: Tensor) -> Tensor:
        """Log-probabilities after each token, ``(tokens, vocabulary)``."""
        features, self._state = self.model.features(ids[None], self._state)
        self.features = features[0]
        scores: Tensor = self.model.output(self.features)
        return scores.float().log_softmax(1)


def with_network_features(log_probabilities: Tensor) -> Distributions:
    """A network's distributions with their gate features.

    Args:
        log_probabilities: ``(positions, vocabulary)``.
    """
    entropy = -(log_probabilities.exp() * log_probabilities).sum(1)
    return Distributions(log_probabilities, torch.stack([entropy, log_probabilities.amax(1)], 1))


class NgramDecoder(Decoder):
    """An n-gram model: it remembers the last few tokens and nothing else.

    Args:
        model: the counted n-grams, on the CPU.
        device: where the distributions are wanted.
    """

    def __init__(self, model: NgramModel, device: torch.device) -> None:
        self.model = model
        self.device = device
        self._before = model.initial_context()

    @torch.no_grad()
    def read(self, ids: Tensor) -> Distributions:
        contexts = self.model.contexts(ids.cpu(), self._before)
        self._before = contexts[-1]
        return Distributions(
            self.model.log_probabilities(contexts).to(self.device),
            self.model.gate_features(contexts).to(self.device),
        )
