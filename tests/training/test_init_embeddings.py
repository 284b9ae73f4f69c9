"""Vectors of others become rows of ours, of the length that ours have."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError, TextError
from nextword.models.base import LanguageModel
from nextword.models.layers import WordVectors
from nextword.models.registry import build_network
from nextword.training import init_embeddings
from nextword.training.init_embeddings import cooccurrence_vectors, start_from_vectors

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


RNG = np.random.default_rng(1)
TOPICS = np.concatenate([RNG.integers(2, 12, (200, 20)), RNG.integers(12, 22, (200, 20))])
IDS = RNG.permutation(TOPICS).ravel()
"""Passages of 20 words, each about one of two topics with ten words of its own; 0, 1 unseen."""


def test_words_of_one_topic_are_nearer_than_those_of_two() -> None:
    vectors = cooccurrence_vectors(IDS, 22, 8, seed=1)
    alike = vectors[2:] @ vectors[2:].t()
    same = alike[:10, :10].mean() + alike[10:, 10:].mean()
    assert same > 2 * alike[:10, 10:].mean() + 0.5


def test_lengths_are_one_and_zero_for_words_never_seen() -> None:
    lengths = cooccurrence_vectors(IDS, 22, 8, seed=1).norm(dim=1)
    assert lengths[:2].eq(0).all()
    assert lengths[2:].sub(1).abs().max() < 1e-5


def test_the_seed_alone_decides() -> None:
    first = cooccurrence_vectors(IDS, 22, 8, seed=1)
    torch.rand(5)
    assert torch.equal(first, cooccurrence_vectors(IDS, 22, 8, seed=1))
    assert not torch.equal(first, cooccurrence_vectors(IDS, 22, 8, seed=2))


@pytest.mark.parametrize("size", [1, 22, 60])
def test_any_size_is_filled(size: int) -> None:
    vectors = cooccurrence_vectors(IDS, 22, size, seed=1)
    assert vectors.shape == (22, size)
    assert vectors.isfinite().all()


@pytest.mark.parametrize("ids", [[], [2], [2, 2, 2], [2, 3]])
def test_next_to_no_text_gives_vectors_all_the_same(ids: list[int]) -> None:
    vectors = cooccurrence_vectors(np.array(ids, dtype=np.uint16), 4, 3, seed=1)
    assert vectors.isfinite().all()


def test_a_long_text_is_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_embeddings, "MAX_WORDS", 4000)
    monkeypatch.setattr(init_embeddings, "PIECES", 10)
    vectors = cooccurrence_vectors(IDS, 22, 8, seed=1)
    assert (vectors[2] @ vectors[3]) > (vectors[2] @ vectors[15])
