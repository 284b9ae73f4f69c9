"""Cross-entropy whose normaliser is estimated: frequent words exactly, a sample of the rest.

In ordinary text a few thousand words make up nine tenths of all that is read. They are scored at
every place; of the long tail a fresh sample is drawn at each step and weighted so that the
expected normaliser is the true one (importance sampling, Bengio and Senécal, 2003).
"""

from __future__ import annotations

import torch
from torch import Tensor

from nextword.losses.softmax import Candidates, LossValue, candidate_loss
from nextword.models.layers import OutputLayer

FLATTENING = 0.75
"""Tail words are drawn in proportion to this power of their counts (Mikolov and others, 2013)."""


class SampledLoss:
    """Softmax over the first ``head`` ids exactly and a sample of the others.

    A tail word drawn with probability q stands for 1 / (tail q) words, which makes the estimate of
    the normaliser unbiased whatever q is; a target in the tail is scored by itself besides. The
    draws are stratified: each takes its own share of the probability, so that a sample never
    misses a whole range of words. Ids are in order of frequency, so the head is what the text
    mostly consists of. Where the sample would be as large as the rest, the rest is scored whole
    and the loss is exact.

    Args:
        head: how many of the most frequent words are always scored.
        tail: how many of the others are drawn at each call.
        counts: how often each word stands in the training text, ``(vocabulary,)``.
        generator: draws the sample; PyTorch's default one if not given.
    """

    def __init__(
        self, head: int, tail: int, counts: Tensor, generator: torch.Generator | None = None
    ) -> None:
        self.head = head
        self.tail = tail
        self.generator = generator
        shares = (counts[head:].double() + 1) ** FLATTENING
        self.cumulated = shares.cumsum(0)
        self.log_weights = (shares.sum() / (tail * shares)).log().float()
        self.strata = torch.arange(tail, dtype=torch.float64)

    def __call__(self, features: Tensor, output: OutputLayer, targets: Tensor) -> LossValue:
        """See :class:`~nextword.losses.softmax.Loss`; the value is an estimate."""
        return candidate_loss(features, output, targets, self.draw(features.device))

    def draw(self, device: torch.device) -> Candidates:
        """This step's candidates."""
        rest = len(self.cumulated)
        if rest <= self.tail:
            return Candidates(self.head + rest)
        within = torch.rand(self.tail, generator=self.generator, dtype=torch.float64)
        places = (self.strata + within) * (self.cumulated[-1] / self.tail)
        drawn = torch.searchsorted(self.cumulated, places).clamp_max(rest - 1)
        return Candidates(
            self.head, (drawn + self.head).to(device), self.log_weights[drawn].to(device)
        )
