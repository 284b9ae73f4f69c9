"""A network as an ONNX model: ONNX Runtime gives the log-probabilities that nextword gives."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.config.kinds import KINDS, ModelKind
from nextword.config.schema import ModelConfig
from nextword.errors import ModelError, NextwordError
from nextword.export.onnx import left_out, onnx_model
from nextword.inference.loaded_model import LoadedModel, LoadedNetwork, LoadedNgrams
from nextword.inference.mixture import Mixture
from nextword.inference.model_folder import load_model_folder
from nextword.inference.networks import NETWORKS
from nextword.ngram.model import NgramModel
from nextword.text.tokenizer import Tokenizer

onnx = pytest.importorskip("onnx", reason="ONNX is an extra")
onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime computes what is compared")

WORDS = 30
CUTS = [1, 2, 9, 300, 301, 640]
"""Ends of chunks in a text of a thousand words."""
CELLS: list[dict[str, Any]] = [{"kind": "lstm"}, {"kind": "gru"}]
CELLS += [
    {"kind": kind, "activation": activation}
    for kind in ("rnn", "feedforward")
    for activation in ("tanh", "sigmoid", "relu")
]
SHAPES: dict[str, dict[str, Any]] = {
    "tied": {"embedding_size": 12},
    "projected": {"embedding_size": 8},
    "untied": {"embedding_size": 8, "tie_weights": False},
    "one-hot": {"input": "one_hot"},
}
Ids = NDArray[np.int64]
Array = NDArray[Any]


def make(seed: int = 1, **settings: Any) -> LoadedNetwork:
    """A network with random weights, large enough for words to matter for long."""
    config = ModelConfig.model_validate({"hidden_size": 12, "context": 3, "layers": 1, **settings})
    draw = np.random.default_rng(seed)
    shapes = NETWORKS[config.kind].shapes(config.architecture, WORDS)
    weights = {
        # without bounds, the state of a relu would grow in a thousand words
        name: (draw.normal(size=shape) * (0.7 if "hidden" in name else 1) * shape[-1] ** -0.5)
        for name, shape in shapes.items()
    }
    # scores far from equal
    weights["output.weight" if "output.weight" in weights else "vectors.weight"] *= 5
    weights = {name: array.astype(np.float32) for name, array in weights.items()}
    tokenizer = Tokenizer(
        ["<unk>", "<eos>", *(f"word{n}" for n in range(WORDS - 2))], "words", lowercase=False
    )
    counts = np.ones(WORDS, dtype=np.int64)
    return LoadedNetwork(weights, tokenizer, config.model_dump(mode="json"), counts)


def session_of(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def read(content: bytes, texts: Ids, cuts: list[int]) -> Array:
    """ONNX Runtime's log-probabilities for texts ``(batch, time)``, read in chunks."""
    session = session_of(content)
    fill = int(session.get_modelmeta().custom_metadata_map["initial_state"])
    names = [value.name for value in session.get_inputs()[1:]]
    assert [value.name for value in session.get_outputs()[1:]] == [f"next_{n}" for n in names]
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    states = [
        np.full((len(texts), value.shape[1]), fill, dtype=kinds[value.type])
        for value in session.get_inputs()[1:]
    ]
    found = []
    for chunk in np.split(texts, cuts, axis=1):
        given = {"ids": chunk, **dict(zip(names, states, strict=True))}
        log_probabilities, *states = session.run(None, given)
        found.append(log_probabilities)
    return np.concatenate(found, 1)


def ours(loaded: LoadedModel, ids: Ids) -> Array:
    return loaded.alone().decoder().read(ids).distributions().log_probabilities


def random_ids(*shape: int, words: int = WORDS) -> Ids:
    return np.random.default_rng(5).integers(0, words, shape)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell.values()))
@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_text_in_chunks_has_our_log_probabilities(cell: dict[str, Any], shape: str) -> None:
    ids = random_ids(1000)
    for layers, bias in product((1, 2), (True, False)):
        loaded = make(layers=layers, bias=bias, **cell, **SHAPES[shape])
        expected = ours(loaded, ids)
        found = read(onnx_model(loaded), ids[None], CUTS)[0]
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
        # a comparison of rows that are all alike would show nothing
        assert expected.std(0).mean() > 0.05


@pytest.mark.parametrize("kind", NETWORKS)
def test_texts_side_by_side_do_not_touch_each_other(kind: str) -> None:
    loaded = make(kind=kind, layers=2)
    texts = random_ids(3, 50)
    found = read(onnx_model(loaded), texts, [20])
    for text, log_probabilities in zip(texts, found, strict=True):
        np.testing.assert_allclose(log_probabilities, ours(loaded, text), atol=1e-4, rtol=0)


@pytest.mark.parametrize("context", [1, 2, 9])
@pytest.mark.parametrize("shape", ["tied", "one-hot"])
def test_any_context_of_a_feedforward_network(context: int, shape: str) -> None:
    loaded = make(kind="feedforward", context=context, **SHAPES[shape])
    ids = random_ids(30)
    found = read(onnx_model(loaded), ids[None], [1, 2])[0]
    np.testing.assert_allclose(found, ours(loaded, ids), atol=1e-4, rtol=0)


def test_a_trained_network_is_exported_from_its_folder(tiny_run: SimpleNamespace) -> None:
    loaded = load_model_folder(tiny_run.path / "model")
    ids = random_ids(100, words=len(loaded.tokenizer))
    found = read(onnx_model(loaded), ids[None], [7])[0]
    np.testing.assert_allclose(found, ours(loaded, ids), atol=1e-4, rtol=0)


def test_exporting_does_without_pytorch(tiny_run: SimpleNamespace) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from nextword.export.onnx import onnx_model\n"
        "from nextword.inference.model_folder import load_model_folder\n"
        "onnx_model(load_model_folder(Path(sys.argv[1])))\n"
        "sys.exit('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tiny_run.path / "model")]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_every_weight_is_stored_once(kind: str, shape: str) -> None:
    loaded = make(kind=kind, layers=2, **SHAPES[shape])
    stored = onnx.load_from_string(onnx_model(loaded)).graph.initializer
    floats = [array for array in stored if array.data_type == onnx.TensorProto.FLOAT]
    assert sum(int(np.prod(array.dims)) for array in floats) == loaded.parameter_count()


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_same_model_gives_the_same_bytes(kind: str) -> None:
    first, second, other = (onnx_model(make(seed, kind=kind)) for seed in (1, 1, 2))
    assert first == second != other


def test_inputs_outputs_and_metadata_are_named() -> None:
    session = session_of(onnx_model(make(kind="lstm", layers=2)))
    inputs = {value.name: value.shape for value in session.get_inputs()}
    states = ["hidden_0", "memory_0", "hidden_1", "memory_1"]
    assert inputs == {"ids": ["batch", "time"], **dict.fromkeys(states, ["batch", 12])}
    outputs = {value.name: value.shape for value in session.get_outputs()}
    expected = {f"next_{state}": ["batch", 12] for state in states}
    assert outputs == {"log_probabilities": ["batch", "time", WORDS], **expected}
    described = session.get_modelmeta()
    assert described.producer_name == "nextword"
    metadata = described.custom_metadata_map
    assert metadata.pop("nextword_version") and len(metadata.pop("belongs_to")) == 64
    assert metadata == {
        "format": "nextword-onnx",
        "format_version": "1",
        "kind": "lstm",
        "vocabulary_size": str(WORDS),
        "unknown_id": "0",
        "end_id": "1",
        "initial_state": "0",
    }


def ngrams() -> NgramModel:
    return NgramModel.fit(random_ids(200), WORDS, order=2)


def test_what_is_left_out_is_said() -> None:
    network = make()
    assert left_out(network) == ""
    assert "lacks the n-grams" in left_out(network.with_mixture(Mixture(ngrams())))


def test_n_grams_are_refused() -> None:
    network = make()
    settings = {**network.settings, "kind": "ngram"}
    counted = LoadedNgrams(ngrams(), network.tokenizer, settings, network.counts)
    with pytest.raises(ModelError, match="^a model of kind ngram has no network"):
        onnx_model(counted)


def test_a_registered_cell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "own", ModelKind("own", "a cell", title="own"))
    network = make()
    settings = {**network.settings, "kind": "own"}
    own = LoadedNetwork(network.arrays(), network.tokenizer, settings, network.counts)
    with pytest.raises(ModelError, match="^ONNX has no cell of kind own, only rnn, lstm, gru, "):
        onnx_model(own)


def test_weights_that_no_file_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextword.export.onnx.MAX_BYTES", 1000)
    with pytest.raises(ModelError, match="GB of weights are more than an ONNX file can hold$"):
        onnx_model(make())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "nextword.export.onnx_graph", raising=False)
    with pytest.raises(NextwordError, match=r"pip install 'nextword\[onnx\]'$"):
        onnx_model(make())
