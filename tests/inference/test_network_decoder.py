"""A network that reads says what the network says."""

from collections.abc import Callable

import pytest
import torch

from nextword.inference.decoder import NetworkDecoder
from nextword.models.base import LanguageModel


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "feedforward"])
def test_forecasts_are_the_networks_softmax(
    make_network: Callable[..., LanguageModel], ids: torch.Tensor, kind: str
) -> None:
    network = make_network(kind=kind)
    with torch.no_grad():
        wanted = network(ids[None])[0][0].log_softmax(1)
    result = NetworkDecoder(network).read(ids).log_probabilities
    torch.testing.assert_close(result, wanted)
    assert not result.requires_grad


def test_features_are_those_of_the_last_words_read(
    make_network: Callable[..., LanguageModel], ids: torch.Tensor
) -> None:
    network = make_network()
    decoder = NetworkDecoder(network)
    result = [decoder.read(ids[:50]), decoder.read(ids[50:])][1].log_probabilities
    assert decoder.features.shape == (20, 6)
    scores = network.output(decoder.features)
    torch.testing.assert_close(scores.log_softmax(1), result)


def test_evidence_is_the_entropy_and_the_greatest_log_probability(
    make_network: Callable[..., LanguageModel], ids: torch.Tensor
) -> None:
    result = NetworkDecoder(make_network()).read(ids)
    entropy = torch.special.entr(result.log_probabilities.exp()).sum(1)
    greatest = result.log_probabilities.max(1).values
    torch.testing.assert_close(result.gate_features, torch.stack([entropy, greatest], 1))
    assert result.gate_features.shape[1] == NetworkDecoder.num_features


def test_nothing_is_dropped_while_reading(
    make_network: Callable[..., LanguageModel], ids: torch.Tensor
) -> None:
    network = make_network(dropout=0.5, word_dropout=0.5, weight_dropout=0.5)
    wanted = NetworkDecoder(network).read(ids).log_probabilities
    assert torch.equal(NetworkDecoder(network.train()).read(ids).log_probabilities, wanted)
