"""Dynamic evaluation (Krause and others, 2018): the weights learn from the text as it is read.

After every few words a copy of the network takes a gradient step on their loss; the model itself is
unchanged. A pull back to the trained weights keeps the copy from drifting away. Weights whose
gradients were large in training take smaller steps and are pulled harder.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

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
from nextword.inference.gradient_sizes import relative_sizes
from nextword.inference.networks import Array
from nextword.models.base import LanguageModel

SEGMENT = 16
"""Words per gradient step."""
RATE = 3.0
"""Learning rate. A weight whose gradient has the relative size s takes the step rate / (s + FLOOR)
times its gradient."""
FLOOR = 2.0
"""Limits the steps of weights with small gradients."""
PULL = 0.002
"""Fraction s * PULL of the way back to the trained weights at each step, at most all of it."""
UNKNOWN_SIZE = 13.0
"""Stands for s in the steps where gradients are not known: all steps are small, as the weights with
the largest gradients need it."""
CLIP = 4.0
"""Maximum norm of the gradient, in nats per word; ordinary text stays below it."""


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
        gradients: how large its gradients were in training, as
            :func:`nextword.inference.gradient_sizes.compact` keeps it; may be empty.
        rate: learning rate; see :data:`RATE`.
        pull: back to the trained weights; see :data:`PULL`.
        segment: words per step; no prediction depends on later words.
    """

    def __init__(
        self,
        model: LanguageModel,
        gradients: Mapping[str, Array] | None = None,
        rate: float = RATE,
        pull: float = PULL,
        segment: int = SEGMENT,
    ) -> None:
        self.model = copy.deepcopy(model).eval()
        self.segment = segment
        self._own = _learned(self.model)
        self._trained = [part.detach().clone() for part in self._own]
        self._steps, self._pulls = _rates(self.model, gradients or {}, rate, pull)
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
        other = copy.copy(self)
        other.model = copy.deepcopy(self.model)
        other._own = _learned(other.model)
        return other

    def _learn(self, following: Tensor) -> None:
        """Take a step on the pending words; ``following``, ``(1,)``, is the word after them."""
        inputs, targets = self._pending, torch.cat([self._pending[1:], following])
        # cuDNN has no backward pass for a network in evaluation mode
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            features, _ = self.model.features(inputs[None], self._start)
            loss = functional.cross_entropy(self.model.output(features[0]).float(), targets)
            gradients = torch.autograd.grad(loss, self._own)
        with torch.no_grad():
            norm = float(torch.nn.utils.get_total_norm(gradients))
            clipped = min(1.0, CLIP / max(norm, 1e-12))
            for index, own in enumerate(self._own):
                own.lerp_(self._trained[index], self._pulls[index])
                if math.isfinite(norm):
                    own.addcmul_(self._steps[index], gradients[index], value=-clipped)
            # recompute the state with the new weights
            _, self._start = self.model.features(inputs[None], self._start)
        self._state = self._start
        self._pending = self._pending[:0]


def _learned(model: LanguageModel) -> list[Tensor]:
    """The weights that learn."""
    return [part for part in model.parameters() if part.requires_grad]


def _rates(
    model: LanguageModel, gradients: Mapping[str, Array], rate: float, pull: float
) -> tuple[list[Tensor], list[Tensor]]:
    """The step size and the pull of each weight that learns, as large as the weight or one for all.

    See :class:`DynamicDecoder` for the arguments.
    """
    named = [(name, part) for name, part in model.named_parameters() if part.requires_grad]
    if not gradients:
        same = (rate / (UNKNOWN_SIZE + FLOOR), pull)
        steps, pulls = ([part.new_tensor(number) for _, part in named] for number in same)
        return steps, pulls
    sizes = [
        torch.from_numpy(size).to(part)
        for size, (_, part) in zip(
            relative_sizes(gradients, [name for name, _ in named]), named, strict=True
        )
    ]
    return [rate / (size + FLOOR) for size in sizes], [
        (pull * size).clamp(max=1.0) for size in sizes
    ]
