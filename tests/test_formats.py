"""The formats page is complete, and its programs give the probabilities that nextword gives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nextword.config.schema import ModelConfig
from nextword.inference.gating import GatingWeights
from nextword.inference.mixture import Mixture
from nextword.inference.model_folder import (
    CARD,
    COUNTS,
    FILES,
    load_model_folder,
    save_mixture,
    save_model,
)
from nextword.inference.networks import NETWORKS
from nextword.model import Model, load_model
from nextword.storage.tensors import read_model_tensors

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
PROGRAM, FEEDFORWARD, ONNX = re.findall(r"```python\n(.*?)```", PAGE, re.S)
PROMPTS = [
    "",
    "Napoleon was the Emperor of",
    "the small zebra chases the grey mouse. her uncle never",
    "my sister reads another long letter aloud. the small",
]


def probabilities(folder: Path, prompt: str) -> np.ndarray:
    """Those of the page's program, with the page's feed-forward network where it is one."""
    names: dict[str, Any] = {"__name__": "next_words"}
    exec(PROGRAM, names)
    if load_model(folder).loaded.architecture.kind == "feedforward":
        exec(FEEDFORWARD, names)
    found: np.ndarray = names["probabilities"](folder, prompt)
    return found


def check(folder: Path) -> None:
    """Compare the page's program with a session on all prompts."""
    for prompt in PROMPTS:
        session = load_model(folder).session()
        session.read(prompt)
        found = probabilities(folder, prompt)
        np.testing.assert_allclose(found, session.probabilities(), atol=1e-5, rtol=0)
        assert found.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("run", ["tiny", "mixed", "counted", "feedforward", "rnn", "spaced"])
def test_the_program_runs_every_kind_of_trained_model(kinds: Path, run: str) -> None:
    check(kinds / "runs" / run / "model")


@pytest.fixture
def gated(kinds: Path, tmp_path: Path) -> Path:
    """An lstm mixed with n-grams by a gate that looks at every feature."""
    folder = Path(shutil.copytree(kinds / "runs" / "tiny" / "model", tmp_path / "model"))
    ngram = load_model_folder(kinds / "runs" / "mixed" / "model").mixture.ngram
    assert ngram is not None
    draw, features = np.random.default_rng(2), 2 + ngram.order + 1
    gate = GatingWeights(
        draw.normal(size=features),
        draw.uniform(0.5, 2, features),
        draw.normal(size=(2, features)),
        draw.normal(size=2),
    )
    save_mixture(folder, Mixture(ngram, weights={"network+ngram": gate}))
    return folder


def test_the_program_mixes_an_lstm_with_n_grams(gated: Path) -> None:
    check(gated)
    mixed = Model(load_model_folder(gated)).session()
    alone = Model(load_model_folder(gated).alone()).session()
    # the comparison would otherwise say nothing of the gate
    assert abs(mixed.probabilities() - alone.probabilities()).max() > 0.01


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(
    "settings",
    [
        {"layers": 1, "input": "one_hot", "activation": "relu"},
        {"layers": 3, "input": "one_hot", "bias": False},
        {"layers": 2, "tie_weights": False, "activation": "sigmoid"},
    ],
)
def test_the_program_runs_every_form_of_a_network(
    untrained: Callable[..., Any], tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    save_model(tmp_path, untrained(kind=kind, **settings), "# A card\n")
    check(tmp_path)


def test_the_program_prints_the_likeliest_words(gated: Path, tmp_path: Path) -> None:
    (tmp_path / "next_words.py").write_text(PROGRAM, encoding="utf-8")
    prompt = PROMPTS[1]
    command = [sys.executable, str(tmp_path / "next_words.py"), str(gated), prompt]
    called = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    lines = [line.split() for line in called.stdout.splitlines()]
    expected = load_model(gated).predict(prompt, k=5)
    assert lines[0][1] == expected[0].word == "France"
    # words that are equally likely may stand in any order
    assert [share for share, _ in lines] == [f"{word.probability:.1%}" for word in expected]


def test_the_onnx_example_runs(
    kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime runs the example")
    pytest.importorskip("onnx", reason="ONNX is an extra")
    from nextword.export.onnx import onnx_model

    loaded = load_model_folder(kinds / "runs" / "tiny" / "model")
    monkeypatch.chdir(tmp_path)
    Path("book.onnx").write_bytes(onnx_model(loaded))
    names: dict[str, Any] = {}
    exec(ONNX, names)
    readout = loaded.decoder().read(np.array([1, 17, 4]))
    expected = readout.distributions().log_probabilities
    np.testing.assert_allclose(names["log_probabilities"][0], expected, atol=1e-4, rtol=0)
    assert [*names["states"]] == ["hidden_0", "memory_0"]
    assert all(state.any() for state in names["states"].values())


def test_every_file_and_key_of_a_model_folder_is_described(kinds: Path) -> None:
    for file in (*FILES, CARD):
        assert f"| `{file}` |" in PAGE, file
    described = json.loads((kinds / "runs" / "tiny" / "model" / "config.json").read_bytes())
    for key in described:
        assert f"`{key}`" in PAGE, key
    mixture = json.loads((kinds / "runs" / "mixed" / "model" / "mixture.json").read_bytes())
    for key in mixture.keys() - {"cache"}:
        assert f"`{key}`" in PAGE, key


def test_the_card_names_the_tensors_and_the_page(kinds: Path) -> None:
    for run in ("tiny", "counted"):
        folder = kinds / "runs" / run / "model"
        card = (folder / CARD).read_text(encoding="utf-8")
        arrays = load_model_folder(folder).arrays()
        (named,) = re.findall(r"^Tensors of the model: (.*)\.$", card, re.M)
        assert set(re.findall("`(.*?)`", named)) == arrays.keys()
        assert "`docs/formats.md`" in card


def test_every_tensor_is_described(kinds: Path) -> None:
    names = {COUNTS}
    for kind, source, tied in product(NETWORKS, ("embedding", "one_hot"), (True, False)):
        config = ModelConfig.model_validate(
            {"kind": kind, "input": source, "tie_weights": tied, "embedding_size": 3}
        )
        names |= NETWORKS[kind].shapes(config.architecture, 9).keys()
    ngrams, _ = read_model_tensors(kinds / "runs" / "mixed" / "model" / "ngram.safetensors")
    for name in names | ngrams.keys():
        assert f"`{re.sub(r'[.][0-9]+[.]', '.N.', name)}`" in PAGE, name
