"""Loss of a network on held-out text, over all words, with the state carried along."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextword.models.base import LanguageModel
from nextword.text.vocabulary import END_ID
from nextword.windows import IGNORED, StreamBatches

WINDOW = 256
"""Words read per forward pass; no result depends on it."""
ROWS = 256
"""Positions scored over the whole vocabulary at once."""


class Scored(NamedTuple):
    """The scores of every word at some positions of a text, and the target words."""

    scores: Tensor  # (positions, vocabulary)
    targets: Tensor  # (positions,)


@torch.inference_mode()
def read_stream(
    model: LanguageModel,
    ids: NDArray[np.integer],
    window: int = WINDOW,
    rows: int = ROWS,
    streams: int = 1,
) -> Iterator[Scored]:
    """Scores at every position of a text; each of its words is a target exactly once.

    The first word is predicted from the end of a paragraph. More streams are faster:
    the text is cut into as many pieces, read in parallel. Each piece starts without its context,
    so the loss comes out slightly too high.

    Args:
        model: the network, on any device; put into evaluation mode.
        ids: word ids ``(words,)``.
        window: words read per forward pass.
        rows: positions whose scores are computed at a time.
        streams: pieces read in parallel.
    """
    model.eval()
    device = model.output.weight.device
    framed = np.concatenate([np.array([END_ID], dtype=np.int64), ids])
    batches = StreamBatches(framed, streams, window)
    state = model.initial_state(batches.batch_size)
    for inputs, targets in batches:
        features, state = model.features(inputs.to(device), state)
        flat, wanted = features.flatten(0, 1), targets.to(device).flatten()
        counted = wanted != IGNORED
        flat, wanted = flat[counted], wanted[counted]
        for start in range(0, len(wanted), rows):
            here = slice(start, start + rows)
            yield Scored(model.output(flat[here]), wanted[here])


def surprisals(scored: Scored) -> Tensor:
    """Minus the log-probability of each target word in nats, ``(positions,)``."""
    # bfloat16 has too few digits for sums over a vocabulary
    scores = scored.scores.to(torch.promote_types(scored.scores.dtype, torch.float32))
    own = scores.gather(1, scored.targets.unsqueeze(1)).squeeze(1)
    return scores.logsumexp(1) - own


def mean_loss(
    model: LanguageModel,
    ids: NDArray[np.integer],
    streams: int = 1,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> float:
    """Cross-entropy of a text in nats per word; its exponential is the perplexity.

    Args:
        model: the network.
        ids: word ids ``(words,)``.
        streams: see :func:`read_stream`.
        progress: receives the number of words predicted, and of all.
    """
    total, done = 0.0, 0
    for scored in read_stream(model, ids, streams=streams):
        total += surprisals(scored).sum(dtype=torch.float64).item()
        done += len(scored.targets)
        progress(done, len(ids))
    return total / len(ids) if len(ids) else math.nan
