"""Cross-entropy whose normaliser is estimated: frequent words exactly, a sample of the rest.

In ordinary text a few thousand words make up nine tenths of all that is read. They are scored at
every place; of the long tail a fresh sample is drawn at each step and weighted so that the
expected normaliser is the true one (importance sampling, Bengio and Senécal, 2003).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nextword.losses.softmax import Candidates, LossValue, candidate_loss
from nextword.models.layers import OutputLayer


class SampledLoss:
    """Softmax over the first ``head`` ids exactly and a uniform sample of the others.

    Each of the ``tail`` words drawn, with replacement, stands for (rest / tail) words, which makes
    the estimate of the normaliser unbiased; a target in the tail is scored by itself besides.
    Ids are in order of frequency, so the head is what the text mostly consists of. Where the
    sample would be as large as the rest, the rest is scored whole and the loss is exact.

    Args:
        head: how many of the most frequent words are always scored.
        tail: how many of the others are drawn at each call.
        generator: draws the sample; PyTorch's default one if not given.
    """

    def __init__(self, head: int, tail: int, generator: torch.Generator | None = None) -> None:
        self.head = head
        self.tail = tail
        self.generator = generator

    def __call__(self, features: Tensor, output: OutputLayer, targets: Tensor) -> LossValue:
        """See :class:`~nextword.losses.softmax.Loss`; the value is an estimate."""
        return candidate_loss(features, output, targets, self.draw(len(output.weight), features))

    def draw(self, vocabulary_size: int, like: Tensor) -> Candidates:
        """This step's candidates, on the device of ``like``."""
        rest = vocabulary_size - self.head
        if rest <= self.tail:
            return Candidates(vocabulary_size)
        sample = torch.randint(
            self.head, vocabulary_size, (self.tail,), generator=self.generator
        ).to(like.device)
        weight = math.log(rest / self.tail)
        return Candidates(self.head, sample, torch.full((self.tail,), weight, device=like.device))
