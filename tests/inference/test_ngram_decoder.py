"""An n-gram model that reads looks at the last few words, ends of lines before the first."""

import numpy as np
import pytest
import torch

from nextword.inference.decoder import NgramDecoder
from nextword.inference.mixture import num_gate_features
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

CPU = torch.device("cpu")


@pytest.mark.parametrize("order", [1, 2, 4])
def test_each_forecast_is_that_of_the_words_before(
    order: int, ids: torch.Tensor, size: int
) -> None:
    model = NgramModel.fit(np.random.default_rng(5).integers(0, size, 300), size, order)
    before = [END_ID] * (order - 1) + ids.tolist()
    contexts = torch.tensor([before[i : i + order - 1] for i in range(1, len(ids) + 1)])
    contexts = contexts.reshape(len(ids), order - 1).long()
    result = NgramDecoder(model, CPU).read(ids)
    torch.testing.assert_close(result.log_probabilities, model.log_probabilities(contexts))
    torch.testing.assert_close(result.gate_features, model.gate_features(contexts))
    assert result.gate_features.shape[1] == num_gate_features("ngram", order)


def test_the_text_it_was_counted_in_is_foreseen_best(size: int) -> None:
    text = torch.tensor([2, 3, 4, 5, 6, 7, 8, END_ID] * 20)
    decoder = NgramDecoder(NgramModel.fit(text.numpy(), size, 3), CPU)
    result = decoder.read(text[:-1]).log_probabilities
    assert torch.equal(result.argmax(1), text[1:])


def test_two_places_in_one_model_are_apart(ngram: NgramModel, ids: torch.Tensor) -> None:
    whole = NgramDecoder(ngram, CPU).read(ids).log_probabilities
    one, other = NgramDecoder(ngram, CPU), NgramDecoder(ngram, CPU)
    first = one.read(ids[:30]).log_probabilities
    other.read(ids[11:])
    torch.testing.assert_close(torch.cat([first, one.read(ids[30:]).log_probabilities]), whole)
