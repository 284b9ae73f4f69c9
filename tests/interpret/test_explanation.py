"""What is told of each word, against the same network asked in other ways."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nextword.errors import ModelError
from nextword.evaluation.score import score
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.interpret.explanation import explain
from nextword.model import Model
from nextword.models.recurrent import GruCell, RecurrentModel
from nextword.ngram.model import NgramModel
from nextword.text.tokenized import tokenize_string

TEXT = "the war zebra and ten"
Build = Callable[..., LoadedModel]


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "feedforward"])
def test_words_are_as_probable_as_when_they_are_scored(untrained: Build, kind: str) -> None:
    loaded = untrained(kind=kind)
    passage = tokenize_string(loaded.tokenizer, TEXT)
    result = explain(loaded, passage, k=4)
    scored = score(loaded.decoder(), passage, loaded.tokenizer.words).words
    assert result.words[0].word == "<eos>" and result.words[0].probability is None
    for word, wanted in zip(result.words[1:], scored, strict=True):
        assert (word.word, word.known, word.rank) == (wanted.word, wanted.known, wanted.rank)
        assert word.probability == pytest.approx(wanted.probability, rel=1e-4)
    predicted = Model(loaded).predict(TEXT, k=4)
    assert [p.word for p in result.words[-1].predictions] == [p.word for p in predicted]
    assert result.prediction.probability == pytest.approx(predicted[0].probability, rel=1e-4)
    assert [part.word for part in result.attributions] == [word.word for word in result.words]
    reader = Model(loaded).session()
    reader.read(TEXT)
    forecast = reader.probabilities()
    entropy = -float((forecast * np.log2(forecast)).sum())
    assert result.words[-1].entropy_bits == pytest.approx(entropy, rel=1e-4)


def test_movement_is_that_of_h_over_its_length(untrained: Build) -> None:
    loaded = untrained(kind="lstm", layers=1)
    result = explain(loaded, tokenize_string(loaded.tokenizer, "the war"))
    model = loaded.network
    before = model.initial_state(1)
    for word, read in zip([1, *loaded.tokenizer.encode("the war")], result.words, strict=True):
        with torch.no_grad():
            _, after = model.features(torch.tensor([[word]]), before)
        wanted = (after[0] - before[0]).norm() / after[0].norm()
        assert read.moved == pytest.approx(float(wanted), rel=1e-4)
        before = after
    assert result.words[0].moved == pytest.approx(1)  # from h_0 = 0


def test_gates_are_averaged_over_units_and_layers_are_kept_apart(untrained: Build) -> None:
    loaded = untrained(kind="gru", hidden_size=4)
    assert isinstance(loaded.network, RecurrentModel)
    with torch.no_grad():
        for cell, bias in zip(loaded.network.cells, (50.0, -50.0), strict=True):
            assert isinstance(cell, GruCell)
            for parameter in cell.parameters():
                parameter.zero_()
            assert cell.input_bias is not None
            cell.input_bias[:2] = bias  # the reset gate of two of four units
    word = explain(loaded, tokenize_string(loaded.tokenizer, "the")).words[1]
    assert [layer["reset"] for layer in word.gates] == pytest.approx([0.75, 0.25])
    assert word.gate("reset") == pytest.approx(0.5) and word.gate("update") == pytest.approx(0.5)


def test_without_a_hidden_state_there_is_none_to_tell_of(untrained: Build) -> None:
    loaded = untrained(kind="feedforward")
    result = explain(loaded, tokenize_string(loaded.tokenizer, TEXT))
    assert result.gate_names == [] and all(word.moved is None for word in result.words)


def test_what_cannot_be_explained_is_said(untrained: Build) -> None:
    loaded = untrained(kind="rnn")
    passage = tokenize_string(loaded.tokenizer, TEXT)
    with torch.no_grad():
        loaded.network.output.weight[3] = math.nan
    with pytest.raises(ModelError, match="not numbers"):
        explain(loaded, passage)
    counted = NgramModel.fit(np.arange(14), 14, 2)
    settings = {**loaded.settings, "kind": "ngram"}
    with pytest.raises(ModelError, match="no network"):
        explain(LoadedNgrams(counted, loaded.tokenizer, settings, loaded.counts), passage)
