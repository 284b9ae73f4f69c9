"""Sampled softmax: frequent words are scored exactly, the others by a sample.

In ordinary text a few thousand words make up nine tenths of all occurrences. They are scored at
every position; the long tail is sampled at each step and weighted so that the expected normaliser
is the true one (importance sampling, Bengio and Senécal, 2003).
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

    A tail word drawn with probability q represents 1 / (tail q) words, which makes the estimate of
    the normaliser unbiased for any q; a target in the tail is always scored in addition. Sampling
    is stratified, one draw from each equal share of the probability, so that no range of words is
    missed. Ids are in order of frequency, so the head holds the most frequent words. Where the
    sample would be as large as the tail, all of it is scored and the loss is exact.

    Args:
        head: number of most frequent words, which are always scored.
        tail: number of other words drawn at each call.
        counts: occurrences of each word in the training text, ``(vocabulary,)``.
        generator: of the sample; PyTorch's default generator if not given.
    """

    def __init__(
        self, head: int, tail: int, counts: Tensor, generator: torch.Generator | None = None
    ) -> None:
        self.head = head
        self.tail = tail
        self.generator = generator
        shares = (counts[head:].double() + 1) ** FLATTENING
        self.cumulative = shares.cumsum(0)
        self.log_weights = (shares.sum() / (tail * shares)).log().float()
        self.strata = torch.arange(tail, dtype=torch.float64)

    def __call__(self, features: Tensor, output: OutputLayer, targets: Tensor) -> LossValue:
        """See :class:`~nextword.losses.softmax.Loss`; the value is an estimate."""
        return candidate_loss(features, output, targets, self.draw(features.device))

    def draw(self, device: torch.device) -> Candidates:
        """Draw the candidates of one step."""
        tail_size = len(self.cumulative)
        if tail_size <= self.tail:
            return Candidates(self.head + tail_size)
        offsets = torch.rand(self.tail, generator=self.generator, dtype=torch.float64)
        points = (self.strata + offsets) * (self.cumulative[-1] / self.tail)
        sample = torch.searchsorted(self.cumulative, points).clamp_max(tail_size - 1)
        return Candidates(
            self.head, (sample + self.head).to(device), self.log_weights[sample].to(device)
        )
