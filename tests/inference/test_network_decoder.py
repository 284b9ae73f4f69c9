"""A network that reads says what the network says, whether NumPy or PyTorch computes it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nextword.inference.decoder import NETWORK_FEATURES, Distributions, NetworkDecoder, NumpyDecoder
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.torch_decoder import TorchDecoder

MakeNetwork = Callable[..., TorchNetwork]
Ids = NDArray[np.int64]

READERS: dict[str, Callable[[TorchNetwork], NetworkDecoder]] = {
    "numpy": lambda loaded: loaded.network_decoder(),
    "torch": lambda loaded: TorchDecoder(loaded.model),
}


@pytest.fixture(params=READERS)
def read_by(request: pytest.FixtureRequest) -> Callable[[TorchNetwork], NetworkDecoder]:
    """Opens a network for reading."""
    return READERS[request.param]


def test_on_the_cpu_numpy_reads(make_network: MakeNetwork) -> None:
    assert type(make_network().network_decoder()) is NumpyDecoder


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "feedforward"])
def test_forecasts_are_the_networks_softmax(
    make_network: MakeNetwork,
    read_by: Callable[[TorchNetwork], NetworkDecoder],
    ids: Ids,
    kind: str,
) -> None:
    loaded = make_network(kind=kind)
    with torch.no_grad():
        wanted = loaded.model(torch.from_numpy(ids)[None])[0][0].log_softmax(1)
    result = read_by(loaded).read(ids).distributions()
    np.testing.assert_allclose(result.log_probabilities, wanted, atol=1e-5, rtol=1.3e-6)
    np.testing.assert_allclose(result.probabilities, wanted.exp(), atol=1e-6, rtol=1e-5)


def test_features_are_those_of_the_words_read(
    make_network: MakeNetwork, read_by: Callable[[TorchNetwork], NetworkDecoder], ids: Ids
) -> None:
    loaded = make_network()
    decoder = read_by(loaded)
    decoder.read(ids[:50])
    readout = decoder.read(ids[50:])
    assert readout.features.shape == (20, 6)
    scores = loaded.model.output(torch.from_numpy(readout.features)).detach()
    result = readout.distributions().log_probabilities
    np.testing.assert_allclose(scores.log_softmax(1), result, atol=1e-5, rtol=1.3e-6)


def test_evidence_is_the_entropy_and_the_greatest_log_probability(
    make_network: MakeNetwork, read_by: Callable[[TorchNetwork], NetworkDecoder], ids: Ids
) -> None:
    result = read_by(make_network()).read(ids).distributions()
    entropy = -(result.probabilities * result.log_probabilities).sum(1)
    greatest = result.log_probabilities.max(1)
    np.testing.assert_allclose(
        result.gate_features, np.stack([entropy, greatest], 1), atol=1e-5, rtol=1.3e-6
    )
    assert result.gate_features.shape[1] == NETWORK_FEATURES


def test_nothing_is_dropped_while_reading(
    make_network: MakeNetwork, read_by: Callable[[TorchNetwork], NetworkDecoder], ids: Ids
) -> None:
    loaded = make_network(dropout=0.5, word_dropout=0.5, weight_dropout=0.5)
    wanted = read_by(loaded).read(ids).distributions().log_probabilities
    loaded.model.train()
    result = read_by(loaded).read(ids).distributions().log_probabilities
    np.testing.assert_array_equal(result, wanted)


def test_weights_that_change_are_seen_by_the_next_reading(
    make_network: MakeNetwork, ids: Ids
) -> None:
    loaded = make_network()
    before = loaded.network_decoder().read(ids).distributions().probabilities
    with torch.no_grad():
        loaded.model.output.weight.mul_(0.5)
    after = loaded.network_decoder().read(ids).distributions()
    assert not np.allclose(before, after.probabilities, atol=1e-2)
    torched = TorchDecoder(loaded.model).read(ids).distributions()
    np.testing.assert_allclose(
        after.log_probabilities, torched.log_probabilities, atol=1e-5, rtol=1.3e-6
    )


def test_a_probability_too_small_for_a_float_keeps_its_logarithm(
    make_network: MakeNetwork, ids: Ids
) -> None:
    loaded = make_network()
    assert loaded.model.output.bias is not None
    with torch.no_grad():
        loaded.model.output.bias[5] = 400.0
    result: Distributions = loaded.network_decoder().read(ids).distributions()
    words = np.full(len(ids), 4)
    assert (result.probabilities[:, 4] == 0).all()
    assert (result.log_probabilities_of(words) < -300).all()
    np.testing.assert_array_equal(
        result.log_probabilities_of(words), result.log_probabilities[:, 4]
    )
