"""What a prediction rests on, against the network asked directly."""

from collections.abc import Callable

import pytest
import torch

from nextword.inference.loaded_model import LoadedModel
from nextword.interpret.explanation import attributions, gradient_times_input, left_out
from nextword.models.base import LanguageModel

NETWORKS = [
    {"kind": "lstm"},
    {"kind": "rnn", "activation": "sigmoid", "input": "one_hot", "tie_weights": False},
    {"kind": "feedforward"},
    {"kind": "feedforward", "input": "one_hot", "tie_weights": False},
]
TARGET = 4


def result(model: LanguageModel, words: torch.Tensor) -> float:
    with torch.no_grad():
        return float(model(words[None])[0][0, -1].log_softmax(0)[TARGET])


@pytest.mark.parametrize("settings", NETWORKS)
def test_gradient_times_input_is_the_change_as_a_words_vector_grows(
    untrained: Callable[..., LoadedModel], settings: dict[str, object]
) -> None:
    model = untrained(**settings).network.double()
    # no word twice, so that a row of the embedding is one word's place in the text
    words = torch.tensor([5, 9, 2, 12, 7])
    found = gradient_times_input(model, words, model.initial_state(1), TARGET)
    rows = model.vectors.weight
    tied = model.output.weight is rows
    if tied:  # only the words that are read are to grow
        model.output.weight = torch.nn.Parameter(rows.detach().clone())
    for place, word in enumerate(words.tolist()):
        # the feed-forward network has a matrix for each of its three places
        offset = 14 * max(place - 2, 0) if len(rows) > 14 else 0
        ends = []
        for factor in (1 + 1e-6, 1 - 1e-6):
            kept = rows[word + offset].detach().clone()
            with torch.no_grad():
                rows[word + offset] *= factor
                ends.append(result(model, words))
                rows[word + offset] = kept
        slope = (ends[0] - ends[1]) / 2e-6
        if len(rows) > 14 and place < 2:
            slope = 0.0
        assert float(found[place]) == pytest.approx(slope, abs=1e-6)
    assert found.abs().max() > 0.01
    if settings["kind"] == "feedforward":
        assert found[:2].tolist() == [0, 0] and (found[2:] != 0).all()


@pytest.mark.parametrize("settings", NETWORKS)
def test_a_word_left_out_is_read_as_unknown(
    untrained: Callable[..., LoadedModel], settings: dict[str, object]
) -> None:
    model = untrained(**settings).network
    words = torch.tensor([5, 9, 2, 12, 0, 7, 7])
    found = left_out(model, words, model.initial_state(1), TARGET)
    for place in range(len(words)):
        without = words.clone()
        without[place] = 0
        wanted = result(model, words) - result(model, without)
        assert float(found[place]) == pytest.approx(wanted, abs=1e-5)
    assert float(found[4]) == pytest.approx(0, abs=1e-6)


def test_of_a_long_text_the_last_hundred_words_are_asked(
    untrained: Callable[..., LoadedModel],
) -> None:
    model = untrained(kind="gru").network
    words = torch.randint(2, 14, (130,), generator=torch.Generator().manual_seed(2))
    names = [str(i) for i in range(130)]
    found = attributions(model, words, names, TARGET)
    assert [each.word for each in found] == names[30:]
    without = words.clone()
    without[128] = 0
    change = (result(model, words) - result(model, without)) / 0.6931472
    assert found[98].left_out_bits == pytest.approx(change, abs=1e-4)
