"""The page's engine predicts as Python does from the same packed weights."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nextword
from nextword.export.dense_text import dense_text
from nextword.export.pack import pack
from nextword.inference.cache import CacheSettings
from nextword.inference.gating import GatingWeights
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.inference.mixture import Mixture, combinations, num_gate_features
from nextword.inference.networks import NETWORKS
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.sampling import Sampling, filtered, top_words
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
try:
    import build_kernel
    from unpack_model import unpack
finally:
    sys.path.remove(str(ROOT / "scripts"))

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js")
ENGINE = Path(__file__).with_name("engine.mjs")
SIZE, ORDER = 14, 4
"""Words of the untrained networks, and of the n-grams mixed with them."""
TOLERANCE = 5e-3
"""Of a probability. The page rounds activations to 13 bits and a sign, so a score, a sum of ten
products of weights of up to 2, is off by up to 10 * 2 / 2 / 8191 = 1e-3; states pass that on."""

MakeNetwork = Callable[..., TorchNetwork]


def ask(question: str, **details: Any) -> Any:
    """The engine's answer."""
    request = json.dumps({"question": question, **details})
    command = [str(NODE), str(ENGINE)]
    process = subprocess.run(command, input=request, capture_output=True, text=True, check=False)
    assert process.stderr == "" and process.returncode == 0
    return json.loads(process.stdout)


def random_ids(length: int, seed: int = 1) -> NDArray[np.int64]:
    """Random words, of which every sixth or so ends a paragraph."""
    draw = np.random.default_rng(seed)
    return np.where(draw.random(length) < 0.15, END_ID, draw.integers(0, SIZE, length))


def random_gate(names: str) -> GatingWeights:
    draw = np.random.default_rng(3)
    parts, size = names.count("+") + 1, num_gate_features(names, ORDER)
    return GatingWeights(
        mean=draw.normal(size=size),
        scale=draw.uniform(0.5, 2, size),
        slopes=draw.normal(size=(parts, size)),
        biases=draw.normal(size=parts),
    )


def mixed(network: LoadedModel, fitted: list[str]) -> LoadedModel:
    """A network with n-grams and a cache, and the gates of some combinations."""
    ngram = NgramModel.fit(random_ids(2000), SIZE, ORDER)
    cache = CacheSettings(size=15, sharpness=0.5)
    gates = {names: random_gate(names) for names in fitted}
    return network.with_mixture(Mixture(ngram, cache, gates))


def compare(
    loaded: LoadedModel, folder: Path, ids: NDArray[np.int64], cached: bool = False
) -> list[dict[str, Any]]:
    """The engine's answers after each word, once they are found to be Python's."""
    packed = folder / "packed"
    packed.write_bytes(pack(loaded))
    answers: list[dict[str, Any]] = ask(
        "distributions", packed=str(packed), ids=ids.tolist(), cached=cached, webAssembly=True
    )
    decoder = unpack(packed.read_bytes(), loaded).decoder("cache" if cached else "none")
    expected = decoder.read(ids).distributions().probabilities
    found = np.array([answer["probabilities"] for answer in answers], dtype=np.float32)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    candidates = np.arange(len(SPECIAL_WORDS), found.shape[1])
    for answer, row in zip(answers, expected, strict=True):
        values = [value for _, value in top_words(row, candidates, 6)]
        # neighbours that differ by less than the tolerance may change places
        if len(values) < 6 or np.diff(values).max() < -2 * TOLERANCE:
            assert answer["top"] == [word for word, _ in top_words(row, candidates, 5)]
    return answers


@pytest.mark.parametrize("kind", sorted(NETWORKS))
@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize(("bias", "tied", "layers"), [(True, True, 2), (False, False, 1)])
def test_a_network_of_every_kind(
    untrained: MakeNetwork,
    tmp_path: Path,
    kind: str,
    one_hot: bool,
    bias: bool,
    tied: bool,
    layers: int,
) -> None:
    network = untrained(
        kind=kind,
        input="one_hot" if one_hot else "embedding",
        bias=bias,
        tie_weights=tied,
        layers=layers,
    )
    compare(network, tmp_path, random_ids(12))


@pytest.mark.parametrize("kind", ["rnn", "feedforward"])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_every_activation(
    untrained: MakeNetwork, tmp_path: Path, kind: str, activation: str
) -> None:
    # without bounds a state of relu grows, and its error with it
    compare(untrained(kind=kind, activation=activation, layers=1), tmp_path, random_ids(5))


@pytest.mark.parametrize("order", [1, 2, 5])
def test_ngrams_alone_keep_every_digit(untrained: MakeNetwork, tmp_path: Path, order: int) -> None:
    network = untrained()
    settings = {**network.settings, "kind": "ngram", "order": order}
    model = NgramModel.fit(random_ids(2000), SIZE, order)
    loaded = LoadedNgrams(model, network.tokenizer, settings, network.counts)
    ids = random_ids(40, seed=2)
    answers = compare(loaded, tmp_path, ids)
    packed = (tmp_path / "packed").read_bytes()
    expected = unpack(packed, loaded).decoder().read(ids).distributions().probabilities
    found = np.array([answer["probabilities"] for answer in answers], dtype=np.float32)
    # the back-offs are sums of single numbers here and of double ones there
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert {part["name"] for part in answers[0]["parts"]} == {"ngrams"}


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("fitted", [combinations(ngram=True), ["network+ngram"], []])
def test_a_mixture_and_what_it_falls_back_to(
    untrained: MakeNetwork, tmp_path: Path, cached: bool, fitted: list[str]
) -> None:
    # more words than the cache keeps
    answers = compare(mixed(untrained(kind="gru"), fitted), tmp_path, random_ids(24), cached)
    for answer in answers:
        names = [part["name"] for part in answer["parts"]]
        assert names == ["network", "ngrams", *(["cache"] if cached else [])]
        assert sum(part["share"] for part in answer["parts"]) == pytest.approx(1)
        total = sum(part["share"] * np.array(part["probabilities"]) for part in answer["parts"])
        np.testing.assert_allclose(total, answer["probabilities"], atol=1e-6)


def test_a_cache_without_ngrams(untrained: MakeNetwork, tmp_path: Path) -> None:
    network = untrained()
    compare(network, tmp_path, random_ids(20), cached=True)
    gates = {"network+cache": random_gate("network+cache")}
    compare(network.with_mixture(Mixture(weights=gates)), tmp_path, random_ids(20), cached=True)


def test_a_trained_model(tiny_run: SimpleNamespace, tmp_path: Path) -> None:
    model = nextword.load_model(tiny_run.path)
    compare(model.loaded, tmp_path, model.text(split="valid").ids[:60].astype(np.int64), True)


def test_webassembly_and_the_plain_loop_agree_bit_for_bit(
    untrained: MakeNetwork, tmp_path: Path
) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(pack(mixed(untrained(), combinations(ngram=True))))
    details = {"packed": str(packed), "ids": random_ids(20).tolist(), "cached": True}
    with_it, without = (ask("distributions", **details, webAssembly=flag) for flag in (True, False))
    assert with_it == without


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 16), (5, 17), (40, 64), (2, 4099)])
def test_products_are_exact_in_both_kernels(rows: int, columns: int) -> None:
    draw = np.random.default_rng(columns)
    limit = min(8191, (2**31 - 1) // (127 * columns))
    for values, vector in (
        (draw.integers(-127, 128, (rows, columns)), draw.integers(-limit, limit + 1, columns)),
        # the largest sums
        (np.full((rows, columns), 127), np.full(columns, limit)),
        (np.full((rows, columns), -127), np.full(columns, limit)),
    ):
        both = ask(
            "products",
            values=values.ravel().tolist(),
            rows=rows,
            columns=columns,
            vector=vector.tolist(),
        )
        assert [answer["kernel"] for answer in both] == ["WasmKernel", "ScriptKernel"]
        for answer in both:
            assert answer["products"] == (values @ vector).tolist()


def test_forks_do_not_disturb_each_other(untrained: MakeNetwork, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(pack(mixed(untrained(), combinations(ngram=True))))
    one, other, ids = (random_ids(length, seed=length).tolist() for length in (3, 7, 9))
    answer = ask("forks", packed=str(packed), ids=ids, one=one, other=other)
    assert answer["forked"] == answer["alone"]
    assert answer["forked"][0] != answer["forked"][1] != answer["forked"][2]


def test_only_words_that_were_not_read_before_cost_steps(
    untrained: MakeNetwork, tmp_path: Path
) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(pack(mixed(untrained(), combinations(ngram=True))))
    long, other = [2, 3, 4, 5, 6, 7], [2, 3, 9, 9, 9, 9, 9, 9, 9]
    texts = [long, long, long[:-1], [*long, 8], [2, 3, 1], [23], long, other, long[:4]]
    texts = [[word % SIZE for word in text] for text in texts]
    answers = ask("prefixes", packed=str(packed), texts=texts, capacity=9)
    # the first also reads the end of the paragraph before; the last but one leaves no room for more
    # than the first two words of the last
    assert [answer["steps"] for answer in answers] == [7, 0, 0, 1, 1, 1, 0, 7, 2]
    assert all(answer["same"] and answer["kept"] <= 9 for answer in answers)


def test_a_damaged_model_is_refused(untrained: MakeNetwork, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    content = bytearray(pack(untrained()))
    content[len(content) // 2] ^= 1
    packed.write_bytes(content)
    assert ask("times", packed=str(packed), ids=[1], webAssembly=True).keys() == {"error"}


def test_a_model_that_overflows_is_refused(untrained: MakeNetwork, tmp_path: Path) -> None:
    network = untrained(kind="rnn", activation="relu", layers=1)
    for parameter in network.model.parameters():
        parameter.data.abs_().mul_(1e20)
    packed = tmp_path / "packed"
    packed.write_bytes(pack(network))
    answer = ask("times", packed=str(packed), ids=[2, 3, 4, 5], webAssembly=True)
    assert "not numbers" in answer["error"]


def test_the_likeliest_words_are_those_of_python() -> None:
    draw = np.random.default_rng(1)
    # few distinct values, so that many are equal
    values = (draw.integers(0, 6, 50) / 50).astype(np.float32)
    some = np.sort(draw.choice(np.arange(2, 50), 20, replace=False))
    for candidates in (None, some):
        ids = np.arange(len(SPECIAL_WORDS), 50) if candidates is None else candidates
        for k in (0, 1, 5, 20, 60):
            listed = None if candidates is None else candidates.tolist()
            found = ask("top", probabilities=values.tolist(), candidates=listed, k=k)
            expected = top_words(values, ids, k)
            assert [(word["id"], np.float32(word["probability"])) for word in found] == expected


@pytest.mark.parametrize("temperature", [0, 0.5, 1, 2])
@pytest.mark.parametrize("top_p", [0.05, 0.6, 1])
def test_the_nucleus_is_that_of_python(temperature: float, top_p: float) -> None:
    values = np.random.default_rng(2).dirichlet(np.full(40, 0.3)).astype(np.float32)
    values[7] = values[11]
    allowed = np.arange(40) % 5 != 1
    sampling = Sampling(temperature=temperature, top_p=top_p)
    with np.errstate(divide="ignore"):
        expected = filtered(np.log(values), allowed, sampling)
    answer = ask(
        "sample",
        probabilities=values.tolist(),
        allowed=np.flatnonzero(allowed).tolist(),
        temperature=temperature,
        topP=top_p,
        seed=5,
        draws=2000,
    )
    found = np.zeros(40)
    found[answer["ids"]] = answer["shares"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    frequencies = np.bincount(answer["drawn"], minlength=40) / 2000
    # three standard errors and a half
    np.testing.assert_array_less(np.abs(frequencies - expected), 0.04)


def test_the_same_seed_draws_the_same_words() -> None:
    details = {"probabilities": [0.2] * 5, "allowed": [0, 1, 2, 3, 4], "temperature": 1, "topP": 1}
    one, same, other = (
        ask("sample", **details, seed=seed, draws=50)["drawn"] for seed in (1, 1, 2)
    )
    assert one == same != other


@pytest.mark.parametrize("size", [0, 1, 6, 7, 8, 5000])
def test_the_page_reads_bytes_out_of_text(tmp_path: Path, size: int) -> None:
    content = os.urandom(size) if size > 8 else bytes(size)
    path = tmp_path / "text"
    # as a template may put it into a page
    path.write_text(f"\n  {dense_text(content)}\n", encoding="utf-8", newline="")
    assert base64.b64decode(ask("text", path=str(path))) == content


@pytest.mark.skipif(
    importlib.util.find_spec("wasmtime") is None, reason="needs the package wasmtime"
)
def test_the_kernel_is_the_one_in_its_source() -> None:
    written = build_kernel.MODULE.read_text(encoding="utf-8")
    assert written == build_kernel.module(), "run: python scripts/build_kernel.py"
