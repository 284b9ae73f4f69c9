"""The likeliest words as a pure function of their probabilities."""

from __future__ import annotations

import torch
from torch import Tensor


def top_words(probabilities: Tensor, allowed: Tensor, k: int) -> list[tuple[int, float]]:
    """The ``k`` likeliest allowed words, the likeliest first; equal ones in order of their ids.

    Args:
        probabilities: ``(vocabulary,)``.
        allowed: bool ``(vocabulary,)``; words that may be named.
        k: how many; fewer are given where fewer are allowed.
    """
    ids = allowed.nonzero().squeeze(1)
    order = torch.sort(probabilities[ids], descending=True, stable=True)
    best = order.indices[: max(k, 0)]
    return [(int(ids[i]), float(probabilities[ids[i]])) for i in best]
