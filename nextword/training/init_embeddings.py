"""Start values for the word embedding: published vectors, or vectors from the training text.

The latter are the positive pointwise mutual information of words and their neighbours, reduced to
a few hundred dimensions by a truncated singular value decomposition (Levy and Goldberg, 2014;
Levy, Goldberg and Dagan, 2015). They take seconds and save a network its first minute.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError
from nextword.models.base import LanguageModel
from nextword.models.layers import WordVectors
from nextword.models.vectors import read_vectors
from nextword.text.vocabulary import SPECIAL_WORDS

REACH = 5
"""Neighbours on either side; one at distance d counts 1 / d."""
SMOOTHING = 0.75
"""Exponent of the neighbours' counts, which keeps rare ones from dominating."""
MAX_WORDS = 2_000_000
"""Words that are counted; of a longer text, evenly spread pieces."""
PIECES = 100
OVERSAMPLING = 32
"""Extra dimensions of the randomised SVD (Halko and others, 2011)."""
ITERATIONS = 3
"""Power iterations of the randomised SVD."""


def start_from_vectors(model: LanguageModel, config: ModelConfig, words: list[str]) -> str:
    """Start the embedding from the file ``config.vectors``; returns a line for the screen.

    Args:
        model: a network; the vectors of words that the file has are replaced.
        config: the ``model`` section.
        words: the vocabulary in id order.

    Raises:
        ConfigError: the file's vectors have another size than the embedding, or the file has
            none of the words.
    """
    assert config.vectors is not None
    path = Path(config.vectors)
    published = read_vectors(path, words[len(SPECIAL_WORDS) :])
    if published.size != config.embedding_size:
        raise ConfigError(
            f"model.embedding_size: is {config.embedding_size}, the vectors in {path} have "
            f"{published.size} numbers; set model.embedding_size={published.size}"
        )
    if len(published.ids) == 0:
        raise ConfigError(f"model.vectors: {path} has none of the text's words")
    matrix = torch.from_numpy(published.matrix)
    # published vectors have any length; tied output weights need short ones
    embedding, length = model.vectors, float(matrix.double().norm(dim=1).mean())
    if length > 0:
        matrix = matrix * (_mean_length(embedding) / length)
    ids = torch.from_numpy(published.ids) + len(SPECIAL_WORDS)
    embedding.start_from(ids, matrix, config.freeze_vectors)
    vocabulary_size = len(words) - len(SPECIAL_WORDS)
    share = 100 * len(published.ids) / vocabulary_size
    frozen = ", kept as they are" if config.freeze_vectors else ""
    return (
        f"{path.name}: vectors for {len(published.ids):,} of {vocabulary_size:,} words "
        f"({share:.1f} %){frozen}"
    )


def start_from_text(
    model: LanguageModel,
    config: ModelConfig,
    ids: NDArray[np.integer],
    seed: int,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> None:
    """Start the embedding from the co-occurrence of words in the training text.

    Args:
        model: a network; the vectors of words that the text has are replaced.
        config: the ``model`` section.
        ids: the training text ``(words,)``.
        seed: see :func:`cooccurrence_vectors`.
        progress: see :func:`cooccurrence_vectors`.
    """
    embedding = model.vectors
    vectors = cooccurrence_vectors(
        ids, len(embedding.weight), config.embedding_size, seed, progress
    )
    seen = vectors.any(1).nonzero().squeeze(1)
    embedding.start_from(seen, _mean_length(embedding) * vectors[seen], freeze=False)


def _mean_length(embedding: WordVectors) -> float:
    return float(embedding.weight.detach().norm(dim=1).mean())


def cooccurrence_vectors(
    ids: NDArray[np.integer],
    vocabulary_size: int,
    size: int,
    seed: int,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Tensor:
    """A unit vector for each word, ``(vocabulary_size, size)``; zeros for unseen words.

    The randomised SVD is written out rather than taken from ``torch.svd_lowrank``, which draws
    from the global generator: here the seed alone decides the vectors.

    Args:
        ids: the training text ``(words,)``.
        vocabulary_size: number of words.
        size: dimensions of a vector.
        seed: of the SVD's random projection and of the order of the dimensions.
        progress: called with the steps done and all steps.
    """
    steps = REACH + 1 + ITERATIONS + 1
    generator = torch.Generator().manual_seed(seed)
    ids = _sampled(ids)
    if len(ids) < 2:
        return torch.zeros(vocabulary_size, size)
    pairs, counts = _count_neighbours(ids, vocabulary_size, lambda done: progress(done, steps))
    information = _mutual_information(pairs, counts, vocabulary_size)
    progress(REACH + 1, steps)
    rank = min(size, vocabulary_size)
    width = min(size + OVERSAMPLING, vocabulary_size)
    basis = torch.randn(vocabulary_size, width, generator=generator)
    for iteration in range(ITERATIONS):
        basis, _ = torch.linalg.qr(information @ basis)
        progress(REACH + 2 + iteration, steps)
    rotation, values, _ = torch.linalg.svd(basis.t() @ (information @ basis))
    progress(steps, steps)
    directions = basis @ rotation
    # a word without neighbours has no direction, only rounding errors
    directions[information.crow_indices().diff() == 0] = 0
    vectors = torch.zeros(vocabulary_size, size)
    vectors[:, :rank] = directions[:, :rank] * values[:rank].sqrt()
    # sorted by importance, the dimensions would train worse than in random order
    vectors = vectors[:, torch.randperm(size, generator=generator)]
    return functional.normalize(vectors, dim=1)


def _sampled(ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """The text, or evenly spread pieces of a long one."""
    if len(ids) <= MAX_WORDS:
        return np.asarray(ids, dtype=np.int64)
    length = MAX_WORDS // PIECES
    starts = np.linspace(0, len(ids) - length, PIECES).astype(np.int64)
    return np.concatenate([ids[start : start + length] for start in starts]).astype(np.int64)


def _mutual_information(
    pairs: NDArray[np.int64], counts: NDArray[np.float64], vocabulary_size: int
) -> Tensor:
    """Positive pointwise mutual information, a symmetric sparse matrix over the vocabulary."""
    words, neighbours = np.divmod(pairs, vocabulary_size)
    totals = np.bincount(words, counts, vocabulary_size)
    shares = totals**SMOOTHING / (totals**SMOOTHING).sum()
    forward = np.log(counts / (totals[words] * shares[neighbours]))
    # smoothing breaks the symmetry; the mean of both directions restores it
    backward = np.log(counts / (totals[neighbours] * shares[words]))
    values = np.maximum(forward, 0) / 2 + np.maximum(backward, 0) / 2
    positive = values > 0
    matrix = torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([words[positive], neighbours[positive]])),
        torch.from_numpy(values[positive].astype(np.float32)),
        (vocabulary_size, vocabulary_size),
        is_coalesced=True,
        check_invariants=False,
    )
    with warnings.catch_warnings():
        # PyTorch warns that CSR is in beta; it multiplies twice as fast
        warnings.simplefilter("ignore")
        return matrix.to_sparse_csr()


def _count_neighbours(
    ids: NDArray[np.int64], vocabulary_size: int, progress: Callable[[int], object]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sorted pairs ``word * vocabulary_size + neighbour``, and their weighted counts."""
    # a pair with its distance is one number, so that a single sort brings equal ones together
    keys = []
    for distance in range(1, REACH + 1):
        progress(distance - 1)
        first, second = ids[:-distance], ids[distance:]
        for word, neighbour in ((first, second), (second, first)):
            keys.append((word * vocabulary_size + neighbour) * (REACH + 1) + distance)
    progress(REACH)
    pairs, distances = np.divmod(np.sort(np.concatenate(keys)), REACH + 1)
    begins = np.flatnonzero(np.diff(pairs, prepend=-1))
    return pairs[begins], np.add.reduceat(1 / distances, begins)
