"""Small networks and n-grams, untrained but opinionated, and a text of ids for them to read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from nextword.config.schema import ModelConfig
from nextword.models.base import LanguageModel
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

SIZE = 12
"""Words of the vocabulary."""


@pytest.fixture
def size() -> int:
    return SIZE


@pytest.fixture
def make_network() -> Callable[..., LanguageModel]:
    """A network by its settings; its word vectors are large, so that it is far from uniform."""

    def make(**settings: object) -> LanguageModel:
        torch.manual_seed(3)
        sizes = {"embedding_size": 6, "hidden_size": 8, "context": 4}
        network = build_network(ModelConfig.model_validate({**sizes, **settings}), SIZE)
        with torch.no_grad():
            network.output.weight.mul_(10)
        return network.eval()

    return make


@pytest.fixture
def ids() -> torch.Tensor:
    """Words of lines, ``(70,)``; some of them come again and again."""
    draw = np.random.default_rng(4)
    words = draw.choice(SIZE, p=np.arange(SIZE, 0, -1) / 78, size=70)
    words[9::10] = END_ID
    return torch.from_numpy(words)


@pytest.fixture
def ngram() -> NgramModel:
    draw = np.random.default_rng(5)
    return NgramModel.fit(draw.integers(0, SIZE, 300), SIZE, order=3)
