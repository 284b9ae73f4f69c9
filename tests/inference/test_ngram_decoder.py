"""An n-gram model that reads looks at the last few words, ends of lines before the first."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.inference.decoder import NgramDecoder
from nextword.inference.mixture import num_gate_features
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

Ids = NDArray[np.int64]


@pytest.mark.parametrize("order", [1, 2, 4])
def test_each_forecast_is_that_of_the_words_before(order: int, ids: Ids, size: int) -> None:
    model = NgramModel.fit(np.random.default_rng(5).integers(0, size, 300), size, order)
    before = [END_ID] * (order - 1) + ids.tolist()
    rows = [before[i : i + order - 1] for i in range(1, len(ids) + 1)]
    contexts = np.array(rows, dtype=np.int64).reshape(len(ids), order - 1)
    result = NgramDecoder(model).read(ids).distributions()
    np.testing.assert_allclose(result.probabilities, model.probabilities(contexts), rtol=1.3e-6)
    np.testing.assert_allclose(
        result.log_probabilities, np.log(result.probabilities), atol=1e-5, rtol=1.3e-6
    )
    np.testing.assert_allclose(result.gate_features, model.gate_features(contexts), rtol=1.3e-6)
    assert result.gate_features.shape[1] == num_gate_features("ngram", order)


def test_the_text_it_was_counted_in_is_foreseen_best(size: int) -> None:
    text = np.array([2, 3, 4, 5, 6, 7, 8, END_ID] * 20)
    decoder = NgramDecoder(NgramModel.fit(text, size, 3))
    result = decoder.read(text[:-1]).distributions().probabilities
    np.testing.assert_array_equal(result.argmax(1), text[1:])


def test_two_places_in_one_model_are_apart(ngram: NgramModel, ids: Ids) -> None:
    whole = NgramDecoder(ngram).read(ids).distributions().probabilities
    one, other = NgramDecoder(ngram), NgramDecoder(ngram)
    first = one.read(ids[:30]).distributions().probabilities
    other.read(ids[11:])
    second = one.read(ids[30:]).distributions().probabilities
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1.3e-6)
