"""A model of random weights to measure, and a typist who is slow but plainly right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from nextword.config.schema import ModelConfig
from nextword.models.build import build_model
from nextword.models.folder import LoadedModel
from nextword.text.tokenizer import Tokenizer

WORDS = "a an and ant tea ten the then they war was we".split()


@pytest.fixture(scope="session")
def untrained() -> Callable[..., LoadedModel]:
    """Builds a network of a kind over a dozen words, its scores far from equal."""

    def build(**settings: object) -> LoadedModel:
        torch.manual_seed(4)
        defaults = {"embedding_size": 6, "hidden_size": 10, "context": 3, "layers": 2}
        config = ModelConfig.model_validate({**defaults, **settings})
        tokenizer = Tokenizer(["<unk>", "<eos>", *WORDS], "words", lowercase=False)
        model = build_model(config, len(tokenizer))
        with torch.no_grad():
            model.output.weight.mul_(20)
        return LoadedModel(model, tokenizer, config, torch.ones(len(tokenizer), dtype=torch.int64))

    return build


@pytest.fixture(scope="session")
def saved_slowly() -> Callable[..., int]:
    """Types one word key by key, takes it from the suggestions when it can, counts the rest."""

    def saved(words: Sequence[str], scores: Sequence[float], target: int, shown: int = 3) -> int:
        word = words[target]
        if word in ("<unk>", "<eos>"):
            return 0
        for typed in range(len(word)):
            fitting = [i for i in range(2, len(words)) if words[i].startswith(word[:typed])]
            fitting.sort(key=lambda i: -scores[i])
            if target in fitting[:shown]:
                keys = typed + 1  # the letters and the choice, which types the space as well
                return len(word) + 1 - keys
        return 0

    return saved
