"""A network in PyTorch and one from a file are the same model, wherever they compute."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.inference.cache import CacheSettings
from nextword.inference.loaded_model import LoadedNetwork
from nextword.inference.mixture import Mixture
from nextword.inference.pytorch import TorchNetwork, build, on_device, shapes
from nextword.ngram.model import NgramModel

KINDS = ("rnn", "lstm", "gru", "feedforward")
MakeNetwork = Callable[..., TorchNetwork]


def stored(loaded: TorchNetwork, **settings: object) -> LoadedNetwork:
    """The same model as a file would give it: its weights cannot be written to."""
    weights = {name: array.copy() for name, array in loaded.arrays().items()}
    for array in weights.values():
        array.flags.writeable = False
    described = {**loaded.settings, **settings}
    return LoadedNetwork(weights, loaded.tokenizer, described, loaded.counts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_built_from_its_arrays(make_network: MakeNetwork, kind: str) -> None:
    loaded = make_network(kind=kind, layers=2)
    read = stored(loaded)
    model = read.network
    assert read.network is model and not model.training
    wanted = loaded.model.state_dict()
    assert model.state_dict().keys() == wanted.keys()
    assert all(torch.equal(weight, wanted[name]) for name, weight in model.state_dict().items())
    assert read.parameter_count() == loaded.parameter_count() == model.parameter_count()
    # the copy may learn, the file stays as it is
    with torch.no_grad():
        model.output.weight.zero_()
    assert all((read.arrays()[name] == array).all() for name, array in loaded.arrays().items())


def test_building_uses_up_no_random_numbers(make_network: MakeNetwork) -> None:
    read = stored(make_network())
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    build(read)
    assert torch.equal(torch.rand(3), wanted)


def test_settings_that_pytorch_refuses_are_one_line(make_network: MakeNetwork) -> None:
    with pytest.raises(ModelError, match=r"^config\.json: model\.dropout: [^\n]*$"):
        build(stored(make_network(), dropout=7))


def test_a_network_that_trains_lends_its_weights(make_network: MakeNetwork) -> None:
    loaded = make_network()
    arrays = loaded.arrays()
    with torch.no_grad():
        loaded.model.output.weight.fill_(3)
    assert (arrays["vectors.weight"] == 3).all()
    assert loaded.network is loaded.model


def test_a_model_on_its_device_stays_where_it_is(make_network: MakeNetwork) -> None:
    loaded = make_network()
    assert loaded.device == "cpu" and loaded.to("cpu") is loaded
    read = stored(loaded)
    assert read.device == "cpu" and read.to("cpu") is read


def test_a_copy_on_a_device_answers_as_the_model_does(
    make_network: MakeNetwork, ngram: NgramModel, ids: NDArray[np.int64]
) -> None:
    plain = stored(make_network(kind="gru"))
    read = plain.with_mixture(Mixture(ngram, CacheSettings(size=9)))
    assert isinstance(read, LoadedNetwork)
    moved = on_device(read, "cpu")
    assert moved.mixture is read.mixture and moved.title == read.title
    for adapt in ("none", "cache", "dynamic", "both"):
        result, wanted = (
            each.decoder(adapt).read(ids).distributions().log_probabilities
            for each in (moved, read)
        )
        np.testing.assert_allclose(result, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_are_those_of_the_weights(make_network: MakeNetwork, kind: str) -> None:
    loaded = make_network(kind=kind, layers=2, tie_weights=False)
    wanted = {name: array.shape for name, array in loaded.arrays().items()}
    assert shapes(loaded.settings, 12) == wanted


def test_sizes_beyond_all_bounds_have_no_shapes(make_network: MakeNetwork) -> None:
    described = dict(make_network().settings)
    assert shapes(described, 12)
    assert shapes(described, 2**62) == {}


def test_a_mixed_model_shares_the_network_it_has_built(
    make_network: MakeNetwork, ngram: NgramModel
) -> None:
    read = stored(make_network())
    model = read.network
    assert read.with_mixture(Mixture(ngram)).network is model
    before = copy.deepcopy(model.state_dict())
    read.decoder("both").read(np.arange(12))
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
