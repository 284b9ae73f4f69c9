"""Dynamic evaluation (Krause and others, 2018): the weights learn from the text as it is read.

After every few words a copy of the network takes a gradient step on their loss; the model itself is
unchanged. A pull back to the trained weights keeps the copy from drifting away.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nextword.inference.decoder import (
    Distributions,
    Ids,
    NetworkDecoder,
    NetworkReadout,
    softmax_distributions,
)
from nextword.inference.networks import Array
from nextword.models.base import LanguageModel

SEGMENT = 16
"""Words per gradient step."""
RATE = 0.3
"""Learning rate."""
PULL = 0.002
"""Fraction of the way back to the trained weights at each step."""
CLIP = 1.0
"""Maximum norm of the gradient, in nats per word."""


class DynamicReadout(NetworkReadout):
    """A learning network after each token, with the weights that it had there.

    Args:
        features: of the next word, ``(tokens, size)``.
        scores: of all words, ``(tokens, vocabulary)``.
    """

    def __init__(self, features: Array, scores: Array) -> None:
        self._features = features
        self.scores = scores

    @property
    def features(self) -> Array:
        return self._features

    def distributions(self, rows: slice = slice(None)) -> Distributions:
        return softmax_distributions(self.scores[rows].copy())


class DynamicDecoder(NetworkDecoder):
    """A network that keeps learning as it reads.

    Args:
        model: the trained network; a copy of it learns.
        rate: learning rate.
        pull: fraction of the way back to the trained weights at each step.
        segment: words per step; no prediction depends on later words.
    """

    def __init__(
        self,
        model: LanguageModel,
        rate: float = RATE,
        pull: float = PULL,
        segment: int = SEGMENT,
    ) -> None:
        self.model = copy.deepcopy(model).eval()
        self.rate, self.pull, self.segment = rate, pull, segment
        self._own: list[Tensor] = [part for part in self.model.parameters() if part.requires_grad]
        self._trained = [part.detach().clone() for part in self._own]
        self._state = self._start = model.initial_state(1)
        self._pending = torch.empty(0, dtype=torch.int64)
        """Words read since the last step, from :attr:`_start` on."""

    def read(self, ids: Ids) -> DynamicReadout:
        words = torch.from_numpy(ids).to(self.model.output.weight.device)
        features, scores, start = [], [], 0
        while start < len(words):
            if len(self._pending) == self.segment:
                self._learn(words[start : start + 1])
            end = start + self.segment - len(self._pending)
            piece = words[start:end]
            with torch.no_grad():
                found, self._state = self.model.features(piece[None], self._state)
                scores.append(self.model.output(found[0]).float().numpy(force=True))
            features.append(found[0].float().numpy(force=True))
            self._pending = torch.cat([self._pending.to(piece), piece])
            start = end
        return DynamicReadout(np.concatenate(features), np.concatenate(scores))

    def fork(self) -> DynamicDecoder:
        return copy.deepcopy(self)

    def _learn(self, following: Tensor) -> None:
        """Take a step on the pending words; ``following``, ``(1,)``, is the word after them."""
        inputs, targets = self._pending, torch.cat([self._pending[1:], following])
        # cuDNN has no backward pass for a network in evaluation mode
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            features, _ = self.model.features(inputs[None], self._start)
            loss = functional.cross_entropy(self.model.output(features[0]).float(), targets)
            gradients = torch.autograd.grad(loss, self._own)
        with torch.no_grad():
            norm = float(torch.stack([gradient.norm() for gradient in gradients]).norm())
            torch._foreach_lerp_(self._own, self._trained, self.pull)
            if math.isfinite(norm):
                step = self.rate * min(1.0, CLIP / max(norm, 1e-12))
                torch._foreach_add_(self._own, list(gradients), alpha=-step)
            # recompute the state with the new weights
            _, self._start = self.model.features(inputs[None], self._start)
        self._state = self._start
        self._pending = self._pending[:0]
