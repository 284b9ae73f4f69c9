"""Small networks and n-grams, untrained but opinionated, and a text of ids for them to read."""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nextword.config.schema import ModelConfig
from nextword.inference.pytorch import TorchNetwork
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END_ID

SIZE = 12
"""Words of the vocabulary."""


@pytest.fixture
def size() -> int:
    return SIZE


@pytest.fixture
def make_network() -> Callable[..., TorchNetwork]:
    """A network by its settings; its word vectors are large, so that it is far from uniform."""

    def make(**settings: object) -> TorchNetwork:
        torch.manual_seed(3)
        sizes = {"embedding_size": 6, "hidden_size": 8, "context": 4}
        config = ModelConfig.model_validate({**sizes, **settings})
        model = build_network(config, SIZE)
        with torch.no_grad():
            model.output.weight.mul_(10)
        words = ["<unk>", "<eos>", *string.ascii_lowercase[: SIZE - 2]]
        tokenizer = Tokenizer(words, "words", lowercase=False)
        counts = np.ones(SIZE, dtype=np.int64)
        return TorchNetwork(model.eval(), tokenizer, config.model_dump(mode="json"), counts)

    return make


@pytest.fixture
def ids() -> NDArray[np.int64]:
    """Words of lines, ``(70,)``; some of them come again and again."""
    draw = np.random.default_rng(4)
    words = draw.choice(SIZE, p=np.arange(SIZE, 0, -1) / 78, size=70)
    words[9::10] = END_ID
    return words.astype(np.int64)


@pytest.fixture
def ngram() -> NgramModel:
    draw = np.random.default_rng(5)
    return NgramModel.fit(draw.integers(0, SIZE, 300), SIZE, order=3)
