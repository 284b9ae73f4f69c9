"""Dynamic evaluation against its loop written out, and what it leaves alone."""

import copy
import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from nextword.inference.decoder import Decoder, Distributions
from nextword.inference.dynamic import CLIP, FLOOR, UNKNOWN_SIZE, DynamicDecoder
from nextword.inference.gradient_sizes import compact, relative_sizes
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.scoring import score_stream
from nextword.inference.torch_decoder import TorchDecoder
from nextword.models.base import LanguageModel

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
MakeNetwork = Callable[..., TorchNetwork]


def predicted(decoder: Decoder, ids: Ids) -> Array:
    """Logarithms of the probabilities of all words at each place."""
    return decoder.read(ids).distributions().log_probabilities


def slow_dynamic(
    network: LanguageModel,
    text: Ids,
    gradients: Mapping[str, Array],
    rate: float,
    pull: float,
    segment: int,
) -> tuple[Array, list[float]]:
    """Segment by segment: foresee, a pull back, one clipped step; and the gradients' norms."""
    ids = torch.from_numpy(text)
    network = copy.deepcopy(network)
    trained = copy.deepcopy(network)
    state = network.initial_state(1)
    rows, norms = [], []
    names = [name for name, _ in network.named_parameters()]
    sizes = relative_sizes(gradients, names) if gradients else [np.ones(1, np.float32)] * len(names)
    for start in range(0, len(ids), segment):
        words = ids[None, start : start + segment]
        scores = network(words, state)[0][0]
        rows.append(scores.detach().log_softmax(1))
        targets = ids[start + 1 : start + segment + 1]
        if len(targets) < segment:
            break
        parameters = list(network.parameters())
        slopes = torch.autograd.grad(functional.cross_entropy(scores, targets), parameters)
        with torch.no_grad():
            norms.append(float(torch.cat([part.flatten() for part in slopes]).norm()))
            for own, first, slope, size in zip(
                parameters, trained.parameters(), slopes, map(torch.from_numpy, sizes), strict=True
            ):
                step = rate / ((size if gradients else UNKNOWN_SIZE) + FLOOR)
                own.add_((pull * size).clamp(max=1.0) * (first - own))
                own.add_(-step * slope / max(1.0, norms[-1] / CLIP))
            state = network(words, state)[1]
    return torch.cat(rows).numpy(), norms


def made_up_gradients(network: LanguageModel) -> dict[str, Array]:
    """Mean square gradients between 0 and 1, as a model folder keeps them."""
    random = np.random.default_rng(5)
    shapes = {name: tuple(part.shape) for name, part in network.named_parameters()}
    return compact({name: random.random(shape, np.float32) for name, shape in shapes.items()})


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "feedforward"])
@pytest.mark.parametrize("segment", [5, 16])
@pytest.mark.parametrize("pull", [0.0, 0.3])
def test_forecasts_are_those_of_the_loop_written_out(
    make_network: MakeNetwork, ids: Ids, known: bool, kind: str, segment: int, pull: float
) -> None:
    loaded = make_network(kind=kind, layers=2)
    gradients = made_up_gradients(loaded.model) if known else {}
    rate = 0.6 if known else 3.0
    wanted, _ = slow_dynamic(loaded.model, ids, gradients, rate, pull, segment)
    result = predicted(DynamicDecoder(loaded.model, gradients, rate, pull, segment), ids)
    np.testing.assert_allclose(result, wanted, atol=1e-4, rtol=1e-4)
    still = predicted(loaded.decoder(), ids)
    assert not np.allclose(result[segment:], still[segment:], atol=1e-2)


def test_a_mean_square_is_kept_as_the_product_of_its_rows_and_columns() -> None:
    rows, columns = np.array([1, 4, 9], np.float32), np.array([1, 16], np.float32)
    kept = compact({"weight": np.outer(rows, columns), "bias": np.array([0, 25], np.float32)})
    assert {name: array.shape for name, array in kept.items()} == {
        "weight.rows": (3,),
        "weight.columns": (2,),
        "bias": (2,),
    }
    weight, bias = relative_sizes(kept, ["weight", "bias"])
    roots = np.outer([1, 2, 3], [1, 4])
    mean = (roots.sum() + 5) / 8
    np.testing.assert_allclose(weight, roots / mean, rtol=1e-6)
    np.testing.assert_allclose(bias, np.array([0, 5]) / mean, rtol=1e-6)


def test_weights_without_gradients_have_no_size() -> None:
    kept = compact({"weight": np.zeros((3, 2), np.float32)})
    assert not relative_sizes(kept, ["weight"])[0].any()


@pytest.mark.parametrize("factor", [0.05, 40.0])
def test_long_and_short_gradients_are_stepped_down_alike(
    make_network: MakeNetwork, ids: Ids, factor: float
) -> None:
    network = make_network().model
    with torch.no_grad():
        network.output.weight.mul_(factor)
    wanted, norms = slow_dynamic(network, ids, {}, 3.0, 0.002, 16)
    assert (max(norms) < CLIP) if factor < 1 else (min(norms) > CLIP)
    result = predicted(DynamicDecoder(network, {}, 3.0, 0.002, 16), ids)
    np.testing.assert_allclose(result, wanted, atol=1e-4, rtol=1e-4)


def test_features_are_those_the_forecasts_rest_on(make_network: MakeNetwork, ids: Ids) -> None:
    decoder = DynamicDecoder(make_network(tie_weights=False).model, rate=0.0)
    readout = decoder.read(ids)
    assert readout.features.shape == (len(ids), 8)
    scores = decoder.model.output(torch.from_numpy(readout.features)).detach()
    np.testing.assert_allclose(
        scores.log_softmax(1), readout.distributions().log_probabilities, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_the_models_own_weights_stay_as_they_are(
    make_network: MakeNetwork, ids: Ids, kind: str
) -> None:
    network = make_network(kind=kind).model
    before = copy.deepcopy(network.state_dict())
    decoder = DynamicDecoder(network)
    decoder.read(ids)
    after = network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert all(part.grad is None and part.requires_grad for part in network.parameters())
    learned = decoder.model.state_dict()
    assert not any(torch.equal(learned[name], before[name]) for name in before)


def test_a_fork_learns_in_weights_of_its_own(make_network: MakeNetwork, ids: Ids) -> None:
    decoder = DynamicDecoder(make_network().model)
    decoder.read(ids[:20])
    fork = decoder.fork()
    before = copy.deepcopy(decoder.model.state_dict())
    fork.read(ids[20:])
    after, learned = decoder.model.state_dict(), fork.model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not any(torch.equal(learned[name], before[name]) for name in before)


def nats(decoder: Decoder, ids: Ids, size: int) -> list[float]:
    """Surprisal of each word."""

    def measure(distributions: Distributions, targets: Ids, here: slice) -> list[float]:
        surprisals: list[float] = (-distributions.log_probabilities_of(targets)).tolist()
        return surprisals

    return [value for block in score_stream(decoder.read, ids, size, measure) for value in block]


def test_a_text_that_repeats_itself_is_learned(make_network: MakeNetwork, size: int) -> None:
    loaded, text = make_network(kind="gru"), np.array([2, 5, 3, 9, 4, 1] * 60)
    still = nats(loaded.decoder(), text, size)
    learning = nats(DynamicDecoder(loaded.model, rate=7.5), text, size)
    assert np.mean(learning) < 0.5 * np.mean(still)
    assert np.mean(learning[-60:]) < 0.1 * np.mean(still[-60:])
    assert np.mean(nats(DynamicDecoder(loaded.model), text, size)) < 0.95 * np.mean(still)


def test_a_strong_pull_keeps_it_near_the_trained_weights(
    make_network: MakeNetwork, ids: Ids
) -> None:
    loaded, text = make_network(), np.tile(ids, 5)
    still = predicted(loaded.decoder(), text)
    free, held = (
        np.abs(predicted(DynamicDecoder(loaded.model, pull=pull), text) - still).mean()
        for pull in (0.0, 0.9)
    )
    assert held < 0.5 * free


def test_a_gradient_that_is_no_number_is_not_followed(
    make_network: MakeNetwork, ids: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, plain = make_network(), functional.cross_entropy
    monkeypatch.setattr(functional, "cross_entropy", lambda *given: math.inf * plain(*given))
    result = predicted(DynamicDecoder(loaded.model), ids)
    np.testing.assert_allclose(result, predicted(loaded.decoder(), ids), atol=1e-5, rtol=1.3e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_gpu_learns_what_the_processor_does(
    make_network: MakeNetwork, ids: Ids, kind: str
) -> None:
    network = make_network(kind=kind).model
    wanted = predicted(DynamicDecoder(network), ids)
    result = predicted(DynamicDecoder(network.cuda()), ids)
    np.testing.assert_allclose(result, wanted, atol=1e-2, rtol=1e-2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "feedforward"])
def test_a_gpu_predicts_what_the_processor_does(
    make_network: MakeNetwork, ids: Ids, kind: str
) -> None:
    loaded = make_network(kind=kind)
    wanted = predicted(loaded.decoder("cache"), ids)
    loaded.to("cuda")
    assert loaded.device == "cuda:0"
    assert type(loaded.network_decoder()) is TorchDecoder
    np.testing.assert_allclose(predicted(loaded.decoder("cache"), ids), wanted, atol=1e-2)
