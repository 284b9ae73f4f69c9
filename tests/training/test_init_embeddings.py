"""Vectors of others become rows of ours, of the length that ours have."""

from pathlib import Path

import pytest
import torch

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError, TextError
from nextword.models.base import LanguageModel
from nextword.models.layers import WordVectors
from nextword.models.registry import build_network
from nextword.training.init_embeddings import start_from_vectors

WORDS = ["<unk>", "<eos>", "the", "war", "peace", "Tsar"]
GLOVE = "war 3 0 0 4\ntsar 0 6 8 0\nelsewhere 1 1 1 1\nthe 0 0 0 5\n"


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "glove.txt"
    path.write_text(GLOVE)
    return path


def started(path: Path, **settings: object) -> tuple[LanguageModel, torch.Tensor, str]:
    """The network, its vectors before, and what is said."""
    given = {"vectors": str(path), "embedding_size": 4, "hidden_size": 5, **settings}
    config = ModelConfig.model_validate(given)
    torch.manual_seed(1)
    model = build_network(config, len(WORDS))
    before = rows(model).clone()
    return model, before, start_from_vectors(model, config, WORDS)


def rows(model: LanguageModel) -> torch.Tensor:
    (vectors,) = (module for module in model.modules() if isinstance(module, WordVectors))
    return vectors.weight.detach()


@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_found_words_point_where_the_file_says_and_the_others_stay(
    vectors: Path, kind: str
) -> None:
    model, before, said = started(vectors, kind=kind)
    after = rows(model)
    given = torch.tensor([[0.0, 0, 0, 5], [3, 0, 0, 4], [0, 6, 8, 0]])  # the, war, Tsar
    ids = [2, 3, 5]
    factor = after[2, 3] / 5
    torch.testing.assert_close(after[ids], given * factor)
    # as long on average as the vectors that the network would have started with
    assert after[ids].norm(dim=1).mean() == pytest.approx(before.norm(dim=1).mean().item())
    assert torch.equal(after[[0, 1, 4]], before[[0, 1, 4]])
    assert said == "glove.txt: vectors for 3 of 4 words (75.0 %)"


def test_frozen_words_get_no_gradient(vectors: Path) -> None:
    model, _, said = started(vectors, freeze_vectors=True)
    words = torch.tensor([[2, 3, 4, 5]])
    model(words)[0].square().sum().backward()
    (layer,) = (module for module in model.modules() if isinstance(module, WordVectors))
    assert layer.weight.grad is not None
    moved = layer.weight.grad.abs().sum(1) > 0
    assert moved.tolist() == [True, True, False, False, True, False]
    assert said.endswith(", kept as they are")


def test_vectors_of_another_size_say_which_size_to_set(vectors: Path) -> None:
    with pytest.raises(ConfigError, match=r"have 4 numbers; set model\.embedding_size=4"):
        started(vectors, embedding_size=8)


def test_vectors_of_other_words_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("guerre 1 2 3 4\npaix 1 2 3 4\n")
    with pytest.raises(ConfigError, match="has none of the text's words"):
        started(tmp_path / "other.txt")
    with pytest.raises(TextError, match="cannot be read"):
        started(tmp_path / "none.txt")


def test_vectors_of_length_zero_do_not_ruin_the_network(tmp_path: Path) -> None:
    (tmp_path / "zeros.txt").write_text("war 0 0 0 0\nthe 0 0 0 0\n")
    model, _, _ = started(tmp_path / "zeros.txt")
    assert torch.isfinite(rows(model)).all()
