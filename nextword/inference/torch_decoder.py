"""The decoder of a network in PyTorch."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from nextword.inference.decoder import (
    Distributions,
    Ids,
    NetworkDecoder,
    NetworkReadout,
    softmax_distributions,
)
from nextword.inference.networks import Array
from nextword.models.base import LanguageModel


class TorchReadout(NetworkReadout):
    """A network in PyTorch after each token.

    Args:
        model: the network, on any device.
        features: of the next word after each token, ``(tokens, size)``.
    """

    def __init__(self, model: LanguageModel, features: Tensor) -> None:
        self.model = model
        self._features = features

    @cached_property
    def features(self) -> Array:
        return self._features.float().numpy(force=True)

    def distributions(self, rows: slice = slice(None)) -> Distributions:
        with torch.no_grad():  # each thread has its own gradient mode
            scores = self.model.output(self._features[rows])
        return softmax_distributions(scores.float().numpy(force=True))


class TorchDecoder(NetworkDecoder):
    """A network in PyTorch: its state runs on from token to token, its weights stay as they are.

    Args:
        model: the network, on any device; put into evaluation mode.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model.eval()
        self._state = model.initial_state(1)

    @torch.no_grad()
    def read(self, ids: Ids) -> TorchReadout:
        words = torch.from_numpy(ids).to(self.model.output.weight.device)
        features, self._state = self.model.features(words[None], self._state)
        return TorchReadout(self.model, features[0])
