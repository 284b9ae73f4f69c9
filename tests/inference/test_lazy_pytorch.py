"""Without PyTorch a saved model answers all the same; what needs PyTorch says so in one line."""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nextword import load_model
from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError
from nextword.inference import Adapt, lazy_pytorch
from nextword.inference.cache import CacheSettings
from nextword.inference.gating import GatingWeights
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.inference.mixture import (
    Mixture,
    combination,
    mixture_decoder,
    num_gate_features,
)
from nextword.inference.model_folder import save_mixture, save_model
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.torch_decoder import TorchDecoder
from nextword.model import Model
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.tokenized import tokenize_string
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END_ID

KINDS = ("rnn", "lstm", "gru", "feedforward", "ngram")
PROMPT = "the old king, and the zebra"
NEEDS_TORCH = "this needs PyTorch, which is not installed here: pip install torch"
BLOCKED = """
from __future__ import annotations
import json, sys
sys.modules["torch"] = None
sys.argv[1:] = json.loads(sys.argv[1])
"""
"""The beginning of a program that has no PyTorch."""


def run(code: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program that has no PyTorch; it finds its arguments in ``sys.argv``."""
    given = json.dumps([str(each) for each in args])
    command = [sys.executable, "-c", BLOCKED + code, given]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def answer(code: str, *args: str | Path) -> Any:
    """What such a program writes as JSON."""
    done = run(code, *args)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model folder of each kind; n-grams are mixed with the networks."""
    home = tmp_path_factory.mktemp("models")
    words = "the a old young king queen and , . of".split()
    tokenizer = Tokenizer(["<unk>", "<eos>", *words], "words", lowercase=False)
    size = len(tokenizer)
    counts = np.arange(size)
    ngram = NgramModel.fit(np.random.default_rng(2).integers(0, size, 500), size, order=3)
    names = combination(ngram=True, cache=False)
    weights = {names: GatingWeights.constant([0.7, 0.3], num_gate_features(names, ngram.order))}
    for kind in KINDS:
        torch.manual_seed(6)
        config = ModelConfig(kind=kind, embedding_size=5, hidden_size=7, order=3)
        settings = config.model_dump(mode="json")
        loaded: LoadedModel = LoadedNgrams(ngram, tokenizer, settings, counts)
        if kind != "ngram":
            model = build_network(config, size)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.copy_(torch.randn_like(parameter))
            loaded = TorchNetwork(model, tokenizer, settings, counts)
        save_model(home / kind, loaded, "# A card\n")
        if kind != "ngram":
            save_mixture(home / kind, Mixture(ngram, CacheSettings(), weights))
    return {kind: home / kind for kind in KINDS}


def answers(model: Model, prompt: str, adapt: Adapt) -> dict[str, Any]:
    """What a model says of a prompt, as JSON has it."""
    from nextword import Sampling

    session = model.session(adapt)
    session.read(prompt)
    fork = session.fork()
    fork.read("of the")
    score = model.score(prompt, adapt=adapt)
    found = {
        "predict": [[each.word, each.probability] for each in model.predict(prompt)],
        "session": session.probabilities().tolist(),
        "fork": fork.probabilities().tolist(),
        "generate": model.generate(prompt, words=9, seed=3).text,
        "greedy": model.generate(words=5, sampling=Sampling(temperature=0)).words,
        "score": [[word.word, word.bits, word.rank] for word in score.words],
        "model": [model.loaded.title, model.loaded.parameter_count(), model.loaded.device],
    }
    if model.loaded.has_network:
        near = [*model.similar("king", k=3), *model.analogy("king", "old", "queen")]
        found["near"] = [[each.word, each.similarity] for each in near]
    return found


ANSWER = f"""
import nextword

{inspect.getsource(answers)}
def loaded(package):
    return any(name.split(".")[0] == package for name, module in sys.modules.items() if module)

found = answers(nextword.load_model(sys.argv[1]), sys.argv[2], sys.argv[3])
print(json.dumps([found, loaded("torch"), loaded("pydantic")]))
"""


def assert_close(one: Any, other: Any) -> None:
    """The same JSON but for rounding."""
    if isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-5, abs=1e-6)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        assert_close([*one.values()], [other[key] for key in one])
    elif isinstance(one, list):
        for first, second in zip(one, other, strict=True):
            assert_close(first, second)
    else:
        assert one == other


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_answers_without_pytorch(folders: dict[str, Path], kind: str) -> None:
    adapt: Adapt = "none" if kind == "ngram" else "cache"
    found, has_torch, _ = answer(ANSWER, folders[kind], PROMPT, adapt)
    assert not has_torch
    model = load_model(folders[kind])
    assert_close(found, json.loads(json.dumps(answers(model, PROMPT, adapt))))
    if kind == "ngram":
        return
    # and they are those of the network in PyTorch
    decoder = mixture_decoder(TorchDecoder(model.loaded.network), model.loaded.mixture, cached=True)
    ids = tokenize_string(model.loaded.tokenizer, PROMPT).ids
    readout = decoder.read(np.concatenate([[END_ID], ids]))
    probabilities = readout.distributions().probabilities[-1]
    np.testing.assert_allclose(found["session"], probabilities, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_answers_without_pydantic(folders: dict[str, Path], kind: str) -> None:
    adapt = "none" if kind == "ngram" else "cache"
    _, _, has_pydantic = answer(ANSWER, folders[kind], PROMPT, adapt)
    assert not has_pydantic


COMMAND = """
from nextword.cli import main

main(sys.argv[1:])
"""


def predict(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Ask the command line, without PyTorch."""
    return run(COMMAND, "predict", PROMPT, "--model", folder, *options)


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_answers_without_pytorch(folders: dict[str, Path], kind: str) -> None:
    done = predict(folders[kind], "--json", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    wanted = load_model(folders[kind]).predict(PROMPT)
    assert_close(
        json.loads(done.stdout)["predictions"], [dataclasses.asdict(each) for each in wanted]
    )


@pytest.mark.parametrize(
    "options", [["--adapt", "dynamic"], ["--adapt", "both"], ["--device", "cuda"]]
)
def test_the_command_line_says_in_one_line_how_to_install_pytorch(
    folders: dict[str, Path], options: list[str]
) -> None:
    done = predict(folders["lstm"], *options)
    assert (done.returncode, done.stdout) == (1, "")
    # of the prompt's unknown word there may be a line before
    assert done.stderr.splitlines()[-1] == f"Error: {NEEDS_TORCH}"
    assert "Traceback" not in done.stderr


MESSAGES = """
import nextword
from nextword.errors import ModelError

model = nextword.load_model(sys.argv[1])
messages = []
for ask in (
    lambda: model.predict("the king", adapt="dynamic"),
    lambda: model.score("the king", adapt="both"),
    lambda: model.loaded.network,
    lambda: model.loaded.to("cuda"),
    lambda: nextword.load_model(sys.argv[1], device="cuda"),
    lambda: nextword.load_model(sys.argv[1], device="cuda:1"),
    lambda: nextword.load_model(sys.argv[1], device="mps"),
):
    try:
        ask()
        messages.append("no error")
    except ModelError as error:
        messages.append(str(error))
# which leaves the model as it was
assert len(model.predict("the king")) == 5
print(json.dumps(messages))
"""


def test_whatever_needs_pytorch_is_a_model_error_that_says_so(folders: dict[str, Path]) -> None:
    assert answer(MESSAGES, folders["gru"]) == [NEEDS_TORCH] * 7


def test_an_import_that_fails_for_another_reason_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "nextword.inference.pytorch", None)
    with pytest.raises(ModuleNotFoundError, match="nextword.inference.pytorch"):
        lazy_pytorch.pytorch()


def test_pytorch_is_not_asked_for_a_device_that_cannot_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lazy_pytorch, "may_have_gpu", lambda: False)
    monkeypatch.setitem(sys.modules, "nextword.device", None)
    assert lazy_pytorch.resolve_device("cpu") == lazy_pytorch.resolve_device("auto") == "cpu"
    with pytest.raises(ModuleNotFoundError, match="nextword.device"):
        lazy_pytorch.resolve_device("cuda")


def test_pytorch_is_asked_where_there_may_be_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_pytorch, "may_have_gpu", lambda: True)
    for available, wanted in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda found=available: found)
        assert lazy_pytorch.resolve_device("auto") == wanted
    with pytest.raises(ConfigError, match="'tpu' is unknown"):
        lazy_pytorch.resolve_device("tpu")
