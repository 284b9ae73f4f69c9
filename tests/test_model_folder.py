"""A model folder stands alone, and whatever is wrong with it is one line that names the file."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from nextword import load_model
from nextword.config.schema import ModelConfig
from nextword.errors import ModelError
from nextword.files import write_json
from nextword.model_folder import LoadedModel, load_model_folder, save_model, save_weights
from nextword.models.build import build_model
from nextword.text.tokenizer import Tokenizer

PROMPTS = ["", "Napoleon was the Emperor of", "the small zebra chases", "her uncle"]


@pytest.fixture
def folder(tiny_run: SimpleNamespace, tmp_path: Path) -> Path:
    """The tiny run's model folder, copied elsewhere without its run."""
    return Path(shutil.copytree(tiny_run.path / "model", tmp_path / "elsewhere"))


def test_a_copied_folder_predicts_what_the_run_predicts(
    tiny_run: SimpleNamespace, folder: Path
) -> None:
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    copied, original = load_model(folder), tiny_run.result.predictor
    for prompt in PROMPTS:
        assert copied.predict(prompt, k=1000) == original.predict(prompt, k=1000)
    assert copied.words == original.words
    assert torch.equal(copied.loaded.counts, original.loaded.counts)
    assert copied.loaded.config == original.loaded.config


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "feedforward"])
@pytest.mark.parametrize("settings", [{}, {"input": "one_hot"}, {"bias": False, "layers": 2}])
def test_every_family_comes_back_as_it_went(
    tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    config = ModelConfig.model_validate(
        {"kind": kind, "embedding_size": 5, "hidden_size": 6, **settings}
    )
    words = ["<unk>", "<eos>", "a", "ü", "c"]
    model = build_model(config, len(words)).eval()
    tokenizer = Tokenizer(words, "words", lowercase=True)
    saved = LoadedModel(model, tokenizer, config, torch.tensor([0, 3, 9, 5, 2]))
    save_model(tmp_path / "m", saved, "# A card\n")
    back = load_model_folder(tmp_path / "m")
    inputs = torch.tensor([[1, 2, 3, 4, 0]])
    assert torch.equal(back.model(inputs)[0], model(inputs)[0])
    assert not back.model.training
    assert back.config == config
    assert back.tokenizer.words == words and back.tokenizer.lowercase
    assert torch.equal(back.counts, saved.counts)
    assert (tmp_path / "m" / "README.md").read_text() == "# A card\n"


def test_new_weights_replace_the_old_ones_alone(folder: Path) -> None:
    loaded = load_model_folder(folder)
    others = {file.name: file.read_bytes() for file in folder.glob("[!m]*")}
    with torch.no_grad():
        loaded.model.output.weight.mul_(0.5)
    save_weights(folder, loaded.model, loaded.counts)
    assert torch.equal(load_model_folder(folder).model.output.weight, loaded.model.output.weight)
    assert {file.name: file.read_bytes() for file in folder.glob("[!m]*")} == others


def test_shared_weights_are_stored_once(folder: Path) -> None:
    described = json.loads((folder / "config.json").read_bytes())
    assert described["model"]["tie_weights"]
    tensors = load_file(folder / "model.safetensors")
    del tensors["vocabulary.counts"]
    assert sum(tensor.numel() for tensor in tensors.values()) == described["parameters"]
    assert load_model_folder(folder).model.parameter_count() == described["parameters"]


def edit_json(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        content = json.loads((folder / name).read_bytes())
        change(content)
        write_json(folder / name, content)
        return name

    return damage


def edit_tensors(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors")
        return "model.safetensors"

    return damage


def edit_bytes(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        return name

    return damage


def remove(name: str) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        (folder / name).unlink()
        return name

    return damage


def add_a_word(content: dict[str, Any]) -> None:
    words = content["model"]["vocab"]
    words["extra"] = len(words)


DAMAGES = {
    "config missing": (remove("config.json"), "cannot be read"),
    "tokenizer missing": (remove("tokenizer.json"), "cannot be read"),
    "weights missing": (remove("model.safetensors"), "cannot be read"),
    "config cut off": (edit_bytes("config.json", lambda b: b[:-9]), "not valid JSON"),
    "config empty": (edit_bytes("config.json", lambda b: b""), "not valid JSON"),
    "config a list": (edit_bytes("config.json", lambda b: b"[]"), "not hold a JSON object"),
    "foreign config": (
        edit_bytes("config.json", lambda b: b'{"model_type": "gpt2"}'),
        "is not a nextword model",
    ),
    "later version": (
        edit_json("config.json", lambda c: c.update(format_version=2)),
        "has format version 2, this program reads 1",
    ),
    "unknown kind": (
        edit_json("config.json", lambda c: c["model"].update(kind="transformer")),
        "model.kind: ",
    ),
    "unknown key": (
        edit_json("config.json", lambda c: c["model"].update(heads=4)),
        "model.heads: ",
    ),
    "no model section": (edit_json("config.json", lambda c: c.pop("model")), "model: "),
    "another size": (
        edit_json("config.json", lambda c: c["model"].update(hidden_size=25)),
        "does not fit config.json",
    ),
    "an absurd size": (
        edit_json("config.json", lambda c: c["model"].update(embedding_size=10**9)),
        "does not fit config.json",
    ),
    "another kind": (
        edit_json("config.json", lambda c: c["model"].update(kind="gru")),
        "does not fit config.json",
    ),
    "tokenizer cut off": (edit_bytes("tokenizer.json", lambda b: b[: len(b) // 2]), "damaged"),
    "foreign tokenizer": (edit_bytes("tokenizer.json", lambda b: b'{"model": 1}'), "tokenizer"),
    "a word too many": (edit_json("tokenizer.json", add_a_word), "do not belong together"),
    "weights cut off": (edit_bytes("model.safetensors", lambda b: b[:-1]), "damaged"),
    "weights' header flipped": (
        edit_bytes("model.safetensors", lambda b: b[:8] + bytes([b[8] ^ 0xFF]) + b[9:]),
        "damaged",
    ),
    "a pickle": (edit_bytes("model.safetensors", lambda b: b"\x80\x04N."), "damaged"),
    "a tensor missing": (edit_tensors(lambda t: t.pop("output.bias")), "tensor output.bias"),
    "a tensor too many": (
        edit_tensors(lambda t: t.update(extra=torch.zeros(1))),
        "tensor extra does not fit",
    ),
    "another precision": (
        edit_tensors(lambda t: t.update({"output.bias": t["output.bias"].half()})),
        "tensor output.bias",
    ),
    "no counts": (edit_tensors(lambda t: t.pop("vocabulary.counts")), "vocabulary.counts"),
    "counts too short": (
        edit_tensors(lambda t: t.update({"vocabulary.counts": torch.ones(3, dtype=torch.int64)})),
        "vocabulary.counts",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_one_line_that_names_the_file(folder: Path, damage: str) -> None:
    do, message = DAMAGES[damage]
    name = do(folder)
    with pytest.raises(ModelError) as caught:
        load_model_folder(folder)
    if name == "config.json" and "does not fit config.json" in message:
        name = "model.safetensors"  # which of the two is wrong cannot be known
    text = str(caught.value)
    assert text.startswith(f"{folder / name}: ")
    assert message in text
    assert "\n" not in text


def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        load_model_folder(tmp_path / "none")


def test_loading_needs_no_vectors_file(folder: Path) -> None:
    edit_json("config.json", lambda c: c["model"].update(vectors="/gone/glove.txt"))(folder)
    assert load_model_folder(folder).config.vectors == "/gone/glove.txt"
