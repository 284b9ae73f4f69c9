"""Dynamic evaluation against its loop written out, and what it leaves alone."""

import copy
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional

from nextword.inference.decoder import Decoder, NetworkDecoder, score_stream
from nextword.inference.dynamic import CLIP, DynamicDecoder
from nextword.models.base import LanguageModel

MakeNetwork = Callable[..., LanguageModel]


def slow_dynamic(
    network: LanguageModel, ids: torch.Tensor, rate: float, pull: float, segment: int
) -> tuple[torch.Tensor, list[float]]:
    """Segment by segment: foresee, one clipped step, a pull back; and the gradients' norms."""
    network = copy.deepcopy(network)
    trained = copy.deepcopy(network)
    state = network.initial_state(1)
    predicted, norms = [], []
    for start in range(0, len(ids), segment):
        words = ids[None, start : start + segment]
        scores = network(words, state)[0][0]
        predicted.append(scores.detach().log_softmax(1))
        targets = ids[start + 1 : start + segment + 1]
        if len(targets) < segment:
            break
        parameters = list(network.parameters())
        gradients = torch.autograd.grad(functional.cross_entropy(scores, targets), parameters)
        with torch.no_grad():
            norms.append(float(torch.cat([part.flatten() for part in gradients]).norm()))
            for own, first, gradient in zip(
                parameters, trained.parameters(), gradients, strict=True
            ):
                own.add_(pull * (first - own) - rate * gradient / max(1.0, norms[-1] / CLIP))
            state = network(words, state)[1]
    return torch.cat(predicted), norms


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "feedforward"])
@pytest.mark.parametrize("segment", [1, 5, 16])
@pytest.mark.parametrize("pull", [0.0, 0.3])
def test_forecasts_are_those_of_the_loop_written_out(
    make_network: MakeNetwork, ids: torch.Tensor, kind: str, segment: int, pull: float
) -> None:
    network = make_network(kind=kind, layers=2)
    wanted, _ = slow_dynamic(network, ids, 0.2, pull, segment)
    result = DynamicDecoder(network, 0.2, pull, segment).read(ids).log_probabilities
    torch.testing.assert_close(result, wanted, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(
        result[segment:], NetworkDecoder(network).read(ids).log_probabilities[segment:], atol=1e-2
    )


@pytest.mark.parametrize("factor", [0.05, 5.0])
def test_long_and_short_gradients_are_stepped_down_alike(
    make_network: MakeNetwork, ids: torch.Tensor, factor: float
) -> None:
    network = make_network()
    with torch.no_grad():
        network.output.weight.mul_(factor)
    wanted, norms = slow_dynamic(network, ids, 0.2, 0.002, 16)
    assert (max(norms) < CLIP) if factor < 1 else (min(norms) > CLIP)
    result = DynamicDecoder(network, 0.2, 0.002, 16).read(ids).log_probabilities
    torch.testing.assert_close(result, wanted, atol=1e-4, rtol=1e-4)


def test_features_are_those_the_forecasts_rest_on(
    make_network: MakeNetwork, ids: torch.Tensor
) -> None:
    decoder = DynamicDecoder(make_network(tie_weights=False), rate=0.0)
    result = decoder.read(ids).log_probabilities
    assert decoder.features.shape == (len(ids), 8)
    torch.testing.assert_close(
        decoder.model.output(decoder.features).log_softmax(1).detach(), result, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_the_models_own_weights_stay_as_they_are(
    make_network: MakeNetwork, ids: torch.Tensor, kind: str
) -> None:
    network = make_network(kind=kind)
    before = copy.deepcopy(network.state_dict())
    decoder = DynamicDecoder(network)
    decoder.read(ids)
    after = network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert all(part.grad is None and part.requires_grad for part in network.parameters())
    learned = decoder.model.state_dict()
    assert not any(torch.equal(learned[name], before[name]) for name in before)


def nats(decoder: Decoder, ids: torch.Tensor, size: int) -> list[float]:
    found: list[float] = []
    for seen in score_stream(decoder, ids.numpy(), size):
        found += (-seen.log_probabilities.gather(1, seen.targets[:, None])[:, 0]).tolist()
    return found


def test_a_text_that_repeats_itself_is_learned(make_network: MakeNetwork, size: int) -> None:
    network, text = make_network(kind="gru"), torch.tensor([2, 5, 3, 9, 4, 1] * 60)
    still = nats(NetworkDecoder(network), text, size)
    learning = nats(DynamicDecoder(network, rate=0.5), text, size)
    assert np.mean(learning) < 0.5 * np.mean(still)
    assert np.mean(learning[-60:]) < 0.1 * np.mean(still[-60:])
    assert np.mean(nats(DynamicDecoder(network), text, size)) < 0.95 * np.mean(still)


def test_a_strong_pull_keeps_it_near_the_trained_weights(
    make_network: MakeNetwork, ids: torch.Tensor
) -> None:
    network, text = make_network(), ids.repeat(5)
    still = NetworkDecoder(network).read(text).log_probabilities
    free, held = (
        (DynamicDecoder(network, pull=pull).read(text).log_probabilities - still).abs().mean()
        for pull in (0.0, 0.9)
    )
    assert held < 0.5 * free


def test_a_gradient_that_is_no_number_is_not_followed(
    make_network: MakeNetwork, ids: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, plain = make_network(), functional.cross_entropy
    monkeypatch.setattr(functional, "cross_entropy", lambda *given: math.inf * plain(*given))
    result = DynamicDecoder(network).read(ids).log_probabilities
    torch.testing.assert_close(result, NetworkDecoder(network).read(ids).log_probabilities)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_gpu_learns_what_the_processor_does(
    make_network: MakeNetwork, ids: torch.Tensor, kind: str
) -> None:
    network = make_network(kind=kind)
    wanted = DynamicDecoder(network).read(ids).log_probabilities
    result = DynamicDecoder(network.cuda()).read(ids).log_probabilities.cpu()
    torch.testing.assert_close(result, wanted, atol=1e-2, rtol=1e-2)
