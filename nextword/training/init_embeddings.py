"""What the word vectors start from: those of others, or what stands near what in the text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError
from nextword.models.base import LanguageModel
from nextword.models.layers import WordVectors
from nextword.models.vectors import read_vectors
from nextword.text.vocabulary import SPECIAL_WORDS
from nextword.training.cooccurrence import cooccurrence_vectors


def start_from_vectors(model: LanguageModel, config: ModelConfig, words: list[str]) -> str:
    """Start the embedding from ``config.vectors``; says what was found, for the screen.

    Args:
        model: a network whose word vectors are replaced where the file has them.
        config: the ``model`` section.
        words: the vocabulary in id order.

    Raises:
        ConfigError: the file's vectors are of another size than the embedding, or none is ours.
    """
    assert config.vectors is not None
    path = Path(config.vectors)
    found = read_vectors(path, words[len(SPECIAL_WORDS) :])
    if found.size != config.embedding_size:
        raise ConfigError(
            f"model.embedding_size: is {config.embedding_size}, the vectors in {path} have "
            f"{found.size} numbers; set model.embedding_size={found.size}"
        )
    if len(found.ids) == 0:
        raise ConfigError(f"model.vectors: {path} has none of the text's words")
    matrix = torch.from_numpy(found.matrix)
    # published vectors are of any length; ours start short, and tied scores need them so
    vectors, length = _word_vectors(model), float(matrix.norm(dim=1).mean())
    if length > 0:
        matrix = matrix * (_typical_length(vectors) / length)
    ids = torch.from_numpy(found.ids) + len(SPECIAL_WORDS)
    vectors.start_from(ids, matrix, config.freeze_vectors)
    known = len(words) - len(SPECIAL_WORDS)
    share = 100 * len(found.ids) / known
    kept = ", kept as they are" if config.freeze_vectors else ""
    return f"{path.name}: vectors for {len(found.ids):,} of {known:,} words ({share:.1f} %){kept}"


def start_from_text(
    model: LanguageModel, config: ModelConfig, ids: NDArray[np.integer], seed: int
) -> None:
    """Start the embedding from what stands near what in the training text.

    Args:
        model: a network whose word vectors are replaced, but for those of words never seen.
        config: the ``model`` section.
        ids: the training text ``(words,)``.
        seed: of the search for the vectors.
    """
    ours = _word_vectors(model)
    vectors = cooccurrence_vectors(ids, len(ours.weight), config.embedding_size, seed)
    found = vectors.any(1).nonzero().squeeze(1)
    ours.start_from(found, _typical_length(ours) * vectors[found], freeze=False)


def _word_vectors(model: LanguageModel) -> WordVectors:
    for module in model.modules():
        if isinstance(module, WordVectors):
            return module
    raise TypeError("the model has no word vectors")


def _typical_length(vectors: WordVectors) -> float:
    return float(vectors.weight.detach().norm(dim=1).mean())
