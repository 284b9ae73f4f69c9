"""Networks with random weights, large enough for their states to move."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from nextword.config.schema import ModelConfig
from nextword.evaluation.held_out import HeldOut
from nextword.model_folder import LoadedModel
from nextword.models.build import build_model
from nextword.text.tokenizer import Tokenizer

WORDS = "a an and ant tea ten the then they war was we".split()


@pytest.fixture(scope="session")
def untrained() -> Callable[..., LoadedModel]:
    """Builds a network of a kind over a dozen words."""

    def build(**settings: object) -> LoadedModel:
        torch.manual_seed(4)
        defaults = {"embedding_size": 6, "hidden_size": 10, "context": 3, "layers": 2}
        config = ModelConfig.model_validate({**defaults, **settings})
        tokenizer = Tokenizer(["<unk>", "<eos>", *WORDS], "words", lowercase=False)
        model = build_model(config, len(tokenizer)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) / 2)
        return LoadedModel(model, tokenizer, config, torch.ones(len(tokenizer), dtype=torch.int64))

    return build


@pytest.fixture(scope="session")
def held_out() -> Callable[..., HeldOut]:
    """A text of random known words."""

    def make(words: int, seed: int = 3) -> HeldOut:
        ids = np.random.default_rng(seed).integers(1, len(WORDS) + 2, words)
        return HeldOut("a text", ids, 5 * words, [], np.ones(words, dtype=np.bool_))

    return make
