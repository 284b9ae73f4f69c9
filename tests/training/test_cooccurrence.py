"""Start vectors: words in like company come to lie near each other."""

import numpy as np
import pytest
import torch

from nextword.training import init_embeddings
from nextword.training.init_embeddings import cooccurrence_vectors

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
