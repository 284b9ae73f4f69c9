"""Nearest words, on vectors made by hand."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nextword.config.schema import ModelConfig
from nextword.errors import ModelError, NextwordError
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.inference.neighbours import principal_plane
from nextword.inference.pytorch import TorchNetwork
from nextword.model import Model
from nextword.models.layers import WordVectors
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.tokenizer import Tokenizer

VECTORS = {
    "<unk>": (1.0, 0.0, 0.0),
    "<eos>": (1.0, 0.0, 0.0),
    "man": (1.0, 0.0, 0.0),
    "woman": (1.0, 1.4, 0.0),
    "king": (2.0, 0.0, 2.0),
    "queen": (1.0, 1.0, 1.0),
    "boy": (8.0, -1.0, 0.0),
    "nothing": (0.0, 0.0, 0.0),
    "été": (-1.0, 0.0, 0.0),
}


def network(lowercase: bool = False, **settings: object) -> LoadedModel:
    config = ModelConfig.model_validate({"embedding_size": 3, "hidden_size": 4, **settings})
    tokenizer = Tokenizer(list(VECTORS), "words", lowercase)
    model = build_network(config, len(tokenizer)).eval()
    counts = np.ones(len(tokenizer), dtype=np.int64)
    if config.input == "embedding":
        with torch.no_grad():
            for part in model.modules():
                if isinstance(part, WordVectors):
                    part.weight.copy_(torch.tensor(list(VECTORS.values())))
    return TorchNetwork(model, tokenizer, config.model_dump(mode="json"), counts)


@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_near_is_what_points_the_same_way_whatever_its_length(kind: str) -> None:
    found = Model(network(kind=kind)).similar("man", k=3)
    assert [near.word for near in found] == ["boy", "king", "woman"]
    wanted = [8 / 65**0.5, 0.5**0.5, 1 / 2.96**0.5]
    assert [near.similarity for near in found] == pytest.approx(wanted)


def test_the_word_itself_and_special_words_are_not_named() -> None:
    found = Model(network()).similar("man", k=100)
    assert {near.word for near in found} == set(VECTORS) - {"<unk>", "<eos>", "man"}
    assert (found[-1].word, found[-1].similarity) == ("été", -1)
    zero = next(near for near in found if near.word == "nothing")
    assert zero.similarity == 0


def test_an_analogy_is_a_sum_of_directions_without_the_three_words() -> None:
    found = Model(network()).analogy("man", "king", "woman", k=1)
    assert [near.word for near in found] == ["queen"]
    # king / |king| - man + woman / |woman|, at an angle to queen
    half = 0.5**0.5
    wanted = np.array([half - 1 + 1 / 2.96**0.5, 1.4 / 2.96**0.5, half])
    cosine = float(wanted.sum() / np.linalg.norm(wanted) / 3**0.5)
    assert found[0].similarity == pytest.approx(cosine)
    left = {near.word for near in Model(network()).analogy("man", "king", "woman", 100)}
    assert not left & {"man", "king", "woman"}


def test_an_unknown_word_names_the_nearest_spellings() -> None:
    predictor = Model(network())
    for word, close in [("kinge", "king"), ("womann", "woman"), ("quen", "queen")]:
        with pytest.raises(NextwordError, match=f"vocabulary: {word}; did you mean {close}"):
            predictor.similar(word)
    with pytest.raises(NextwordError, match="vocabulary: xylophone$"):
        predictor.analogy("man", "xylophone", "king")
    with pytest.raises(NextwordError, match="not in the vocabulary: <unk>"):
        predictor.similar("<unk>")


def test_words_are_spelled_as_the_tokenizer_spells_them() -> None:
    assert Model(network()).similar("e\u0301te\u0301")
    assert Model(network(lowercase=True)).similar("KING")
    assert Model(network()).similar("King") == Model(network()).similar("king")


def test_models_without_word_vectors_say_so() -> None:
    with pytest.raises(ModelError, match="one_hot"):
        network(input="one_hot").word_vectors()
    plain = network()
    counted = NgramModel.fit(np.arange(9), 9, order=2)
    settings = ModelConfig(kind="ngram", order=2).model_dump(mode="json")
    with pytest.raises(ModelError, match="kind ngram has no word vectors"):
        LoadedNgrams(counted, plain.tokenizer, settings, plain.counts).word_vectors()


def distances(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Between every two of some points."""
    found: NDArray[np.floating] = np.linalg.norm(points[:, None] - points[None], axis=2)
    return found


def test_the_plane_keeps_what_lies_in_a_plane() -> None:
    draw = np.random.default_rng(1)
    flat = draw.normal(size=(20, 2)) * [5.0, 1.0]
    turn, _ = np.linalg.qr(draw.normal(size=(6, 6)))
    points = np.concatenate([flat, np.zeros((20, 4))], 1) @ turn + 3
    plane = principal_plane(points.astype(np.float32))
    np.testing.assert_allclose(distances(plane), distances(flat), atol=1e-4)
    np.testing.assert_allclose(plane.mean(0), [0, 0], atol=1e-6)
    assert plane[:, 0].var() > plane[:, 1].var()
    farthest = np.abs(plane).argmax(0)
    assert plane[farthest[0], 0] > 0 and plane[farthest[1], 1] > 0


def test_a_plane_of_points_on_a_line_is_a_line() -> None:
    plane = principal_plane(np.array([[1.0], [2.0], [6.0]]))
    assert plane[:, 0].tolist() == pytest.approx([-2, -1, 3])
    assert plane[:, 1].tolist() == [0, 0, 0]
