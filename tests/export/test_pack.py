"""A packed model is nearly the model, whatever its kind, and is as small as asked."""

import json
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.config.kinds import KINDS, ModelKind, register_kind
from nextword.errors import ModelError
from nextword.export.container import write_container
from nextword.export.ngram_sections import MOST_VALUES, codebook, ngram_sections
from nextword.export.pack import pack
from nextword.export.prune import prune
from nextword.export.varints import encode_varints
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.inference.networks import NETWORKS
from nextword.inference.pytorch import TorchNetwork
from nextword.ngram.model import NgramModel
from nextword.text.spacing import SpacingCounter
from nextword.text.tokenizer import Tokenizer

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
try:
    from unpack_model import decode_varints, read_container, read_tree, unpack
finally:
    sys.path.remove(str(SCRIPTS))

SIZE = 14
"""Words of the untrained networks."""
MakeNetwork = Callable[..., TorchNetwork]


def random_ids(length: int, seed: int = 1) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, SIZE, length)


def ngrams_of(network: TorchNetwork, length: int = 3000, order: int = 4) -> LoadedNgrams:
    """N-grams of random text, with the words of a network."""
    model = NgramModel.fit(random_ids(length), SIZE, order)
    settings = {**network.settings, "kind": "ngram", "order": order}
    return LoadedNgrams(model, network.tokenizer, settings, network.counts)


def errors(loaded: LoadedModel, packed: bytes) -> NDArray[np.float32]:
    """By how much the probabilities of a packed model differ."""
    ids = random_ids(60, seed=2)
    before, after = (
        model.decoder().read(ids).distributions().probabilities
        for model in (loaded, unpack(packed, loaded))
    )
    difference: NDArray[np.float32] = np.abs(after - before)
    return difference


@pytest.mark.parametrize("kind", sorted(NETWORKS))
@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_a_network_of_every_kind(
    untrained: MakeNetwork, kind: str, one_hot: bool, bias: bool, tied: bool
) -> None:
    loaded = untrained(
        kind=kind, input="one_hot" if one_hot else "embedding", bias=bias, tie_weights=tied
    )
    packed = pack(loaded)
    # weights of up to 2 in steps of 2 / 127 / 3 or finer; a few states are near a tipping point
    assert errors(loaded, packed).mean() < 1e-3
    _, sections = read_container(packed)
    for name, array in loaded.arrays().items():
        stored = sections[name if array.ndim == 1 else f"{name}.coarse"]
        assert stored.size == array.size
    assert ("output.weight.coarse" in sections) == ("output.weight" in loaded.arrays())


@pytest.mark.parametrize("order", [1, 2, 5])
def test_ngrams_alone_keep_every_probability(untrained: MakeNetwork, order: int) -> None:
    loaded = ngrams_of(untrained(), order=order)
    assert errors(loaded, pack(loaded)).max() < 1e-6
    tree = loaded.model.tree
    found = read_tree(list(tree.sizes), dict(ngram_sections(tree)))
    for name, array in tree.arrays().items():
        np.testing.assert_allclose(found.arrays()[name], array, atol=1e-6, err_msg=name)


def test_what_the_page_needs_to_know_is_in_the_header(untrained: MakeNetwork) -> None:
    network = untrained(kind="gru")
    words = network.tokenizer.words
    counter = SpacingCounter(words)
    counter.add(np.array([3, 4, 5]), np.array([True, False, False]))
    spacing = counter.spacing()
    network.tokenizer = Tokenizer(words, "whitespace", lowercase=True, spacing=spacing)
    header, _ = read_container(pack(network))
    assert header["words"] == words
    assert header["tokenizer"] == {"kind": "whitespace", "lowercase": True}
    assert [len(side) for side in header["spacing"]["sides"]] == 3 * [SIZE]
    assert header["architecture"]["kind"] == "gru"
    assert header["cache"] == {"size": 2000, "sharpness": 0.3, "share": 0.1}
    assert header["ngram"] is None and header["weights"] == {}
    assert read_container(pack(ngrams_of(network)))[0]["cache"] is None


def test_ngrams_are_pruned_to_the_bytes_that_are_there(untrained: MakeNetwork) -> None:
    network = untrained()
    loaded = network.with_mixture(
        replace(network.mixture, ngram=ngrams_of(network, length=20_000).model)
    )
    whole, alone = len(pack(loaded)), len(pack(network))
    assert len(pack(loaded, whole + 100)) == whole
    some = (whole + alone) // 2
    packed = pack(loaded, some)
    assert 0.85 * some < len(packed) <= some
    # as many as fit in nothing
    header, _ = read_container(pack(loaded, alone // 2))
    assert header["ngram"]["sizes"] == [SIZE, 0, 0, 0]


def test_the_same_model_gives_the_same_bytes(untrained: MakeNetwork) -> None:
    assert pack(untrained()) == pack(untrained())


def test_a_kind_without_equations_is_refused(untrained: MakeNetwork) -> None:
    register_kind(ModelKind("mgu", "minimal gated unit", "mgu"))
    try:
        loaded = untrained()
        loaded.architecture = replace(loaded.architecture, kind="mgu")
        with pytest.raises(ModelError, match="kind mgu cannot run in a web page"):
            pack(loaded)
    finally:
        del KINDS["mgu"]


def test_weights_that_are_no_numbers_are_refused(untrained: MakeNetwork) -> None:
    loaded = untrained()
    loaded.model.output.weight.data[3, 2] = float("nan")
    with pytest.raises(ModelError, match=r"vectors\.weight"):
        pack(loaded)


def test_damage_is_found() -> None:
    whole = write_container({"some": "thing"}, {"numbers": np.arange(100, dtype=np.float32)})
    header, sections = read_container(whole)
    assert header["some"] == "thing" and sections["numbers"].tolist() == list(range(100))
    for place in (len(whole) // 2, len(whole) - 6):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        with pytest.raises(zlib.error):
            read_container(bytes(damaged))
    with pytest.raises(ValueError, match="cannot hold float64"):
        write_container({}, {"numbers": np.zeros(3)})
    assert json.loads(json.dumps(header)) == header


def test_varints_come_back() -> None:
    numbers = np.array([0, 1, 127, 128, 300, 2**14, 2**31, 2**62, 5])
    assert decode_varints(encode_varints(numbers)).tolist() == numbers.tolist()
    assert encode_varints(np.array([300])).tolist() == [0b10101100, 0b10]
    assert len(decode_varints(encode_varints(numbers[:0]))) == 0


def test_a_codebook_never_rounds_up() -> None:
    few = np.array([3, 1, 3, 0, 1.5], dtype=np.float32)
    codes, values = codebook(few)
    assert len(values) == 4 and np.array_equal(values[codes], few)
    many = np.exp(np.random.default_rng(1).uniform(-20, 20, 3 * MOST_VALUES)).astype(np.float32)
    codes, values = codebook(many)
    assert len(values) <= MOST_VALUES
    assert (values[codes] <= many).all() and (values[codes] > 0.99 * many).all()


def test_pruned_ngrams_come_back(untrained: MakeNetwork) -> None:
    tree = ngrams_of(untrained()).model.tree
    for number in (0, 1, 20, 400):
        pruned = prune(tree, np.ones(SIZE, dtype=np.int64), number)
        found = read_tree(list(pruned.sizes), dict(ngram_sections(pruned)))
        for name, array in pruned.arrays().items():
            np.testing.assert_allclose(found.arrays()[name], array, atol=1e-6, err_msg=name)
