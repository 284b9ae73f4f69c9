"""Layers that networks share: word vectors, dropout, the output layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextword.config.schema import ModelConfig

UNIFORM_RANGE = 0.1
"""Word vectors start uniform in (-0.1, 0.1), as Zaremba and others (2014) start theirs."""


class WindowDropout(nn.Module):
    """Dropout with one mask for all the time steps of a window (Gal and Ghahramani, 2016).

    Args:
        rate: the share of features that is dropped; the others are scaled to keep the mean.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, features: Tensor) -> Tensor:
        """Drop features of ``(batch, time, size)``, the same ones at every time step."""
        if not self.training or self.rate == 0:
            return features
        keep = 1 - self.rate
        shape = (features.shape[0], 1, features.shape[2])
        mask = torch.empty(shape, dtype=features.dtype, device=features.device)
        return features * mask.bernoulli_(keep).div_(keep)


class WordVectors(nn.Module):
    """A vector for each word: an embedding, or the columns of W_hx for one-hot words.

    A matrix times a one-hot vector is one column of the matrix, so taking rows of its transpose
    computes the article's W_hx x_t without forming x_t.

    Args:
        vocabulary_size: rows.
        size: numbers in a vector.
        dropout: the share of rows that is zero for a whole window (Gal and Ghahramani, 2016).
    """

    def __init__(self, vocabulary_size: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.weight = nn.Parameter(torch.empty(vocabulary_size, size))
        nn.init.uniform_(self.weight, -UNIFORM_RANGE, UNIFORM_RANGE)
        self.register_buffer("frozen", torch.empty(0, dtype=torch.int64), persistent=False)

    def forward(self, words: Tensor) -> Tensor:
        """Rows of the words: ``(...)`` ids to ``(..., size)``."""
        vectors = functional.embedding(words, self.weight)
        if not self.training or self.dropout == 0:
            return vectors
        keep = 1 - self.dropout
        mask = torch.empty(len(self.weight), device=words.device).bernoulli_(keep).div_(keep)
        return vectors * mask[words].unsqueeze(-1)

    @torch.no_grad()
    def start_from(self, ids: Tensor, vectors: Tensor, freeze: bool) -> None:
        """Set the vectors of some words.

        Args:
            ids: the words ``(words,)``.
            vectors: ``(words, size)``.
            freeze: whether training leaves them as they are.
        """
        self.weight[ids] = vectors.to(self.weight)
        if freeze:
            self.freeze(ids)

    def freeze(self, ids: Tensor) -> None:
        """Exclude the vectors of some words from training: their gradient is zero."""
        self.frozen = ids
        self.weight.register_hook(self._without_frozen_rows)  # type: ignore[no-untyped-call]

    def _without_frozen_rows(self, gradient: Tensor) -> Tensor:
        return gradient.index_fill(0, self.frozen, 0.0)


def readout(
    config: ModelConfig, vocabulary_size: int, vectors: nn.Parameter
) -> tuple[nn.Module, OutputLayer]:
    """From the hidden state to scores: a projection, where sizes differ, and the output layer.

    Args:
        config: the ``model`` section.
        vocabulary_size: words to score.
        vectors: the words' vectors, which the output layer shares if the config says so.
    """
    if not config.architecture.ties:
        return nn.Identity(), OutputLayer(vocabulary_size, config.hidden_size, config.bias)
    output = OutputLayer(vocabulary_size, config.embedding_size, config.bias, vectors)
    if config.hidden_size == config.embedding_size:
        return nn.Identity(), output
    return nn.Linear(config.hidden_size, config.embedding_size, bias=False), output


class OutputLayer(nn.Module):
    """W_S h_t: a score for every word of the vocabulary.

    Args:
        vocabulary_size: words to score.
        size: numbers in the features.
        bias: add a learned number to each word's score.
        tied: a matrix ``(vocabulary_size, size)`` to share instead of learning one
            (Press and Wolf, 2017).
    """

    def __init__(
        self, vocabulary_size: int, size: int, bias: bool, tied: nn.Parameter | None = None
    ) -> None:
        super().__init__()
        if tied is None:
            tied = nn.Parameter(torch.empty(vocabulary_size, size))
            nn.init.uniform_(tied, -UNIFORM_RANGE, UNIFORM_RANGE)
        self.weight = tied
        self.bias = nn.Parameter(torch.zeros(vocabulary_size)) if bias else None

    def forward(self, features: Tensor) -> Tensor:
        """Scores ``(..., vocabulary)`` of features ``(..., size)``."""
        return functional.linear(features, self.weight, self.bias)

    @torch.no_grad()
    def start_from_counts(self, counts: Tensor) -> None:
        """Start the bias at the logarithm of each word's share of the training text.

        The network then begins as the unigram model and learns only what context adds.
        """
        if self.bias is not None:
            smoothed = counts.to(self.bias) + 0.5
            self.bias.copy_((smoothed / smoothed.sum()).log())
