"""The files of a model folder are whole, of one model, and take no more than they hold."""

import json
import os
import random
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from nextword import load_model, train
from nextword.config.schema import ModelConfig
from nextword.errors import ModelError, NextwordError
from nextword.inference.gating import GatingWeights
from nextword.inference.mixture import Mixture
from nextword.inference.model_folder import load_model_folder, save_mixture, save_model
from nextword.inference.pytorch import TorchNetwork
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.storage.files import write_json
from nextword.text.tokenizer import Tokenizer

WORDS = ["<unk>", "<eos>", "a", "b", "c", "d"]
FILES = ("config.json", "tokenizer.json", "model.safetensors", "mixture.json", "ngram.safetensors")


def small_folder(folder: Path, words: list[str], **settings: Any) -> Path:
    """A whole model folder of an untrained network with n-grams."""
    config = ModelConfig.model_validate({"embedding_size": 3, "hidden_size": 3, **settings})
    torch.manual_seed(1)
    model = build_network(config, len(words)).eval()
    tokenizer = Tokenizer(words, "words", lowercase=False)
    counts = np.arange(len(words))
    loaded = TorchNetwork(model, tokenizer, config.model_dump(mode="json"), counts)
    save_model(folder, loaded, "# Card\n")
    ngram = NgramModel.fit(np.random.default_rng(1).integers(0, len(words), 90), len(words), 2)
    weights = {"network+ngram": GatingWeights.constant([0.5, 0.5], 5)}
    save_mixture(folder, Mixture(ngram, weights=weights))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_folder(tmp_path / "model", WORDS)


def answers(folder: Path) -> Any:
    return load_model(folder).predict("a b", k=9)


def test_files_of_another_model_of_the_same_form_are_noticed(folder: Path, tmp_path: Path) -> None:
    sound = answers(folder)
    others = {
        "words": small_folder(tmp_path / "words", [*WORDS[:4], "d", "c"]),
        "dropout": small_folder(tmp_path / "dropout", WORDS, dropout=0.7),
    }
    # the tokenizer does not depend on the dropout
    pairs = [(other, name) for other in others for name in FILES][: 2 * len(FILES)]
    pairs.remove(("words", "config.json"))
    pairs.remove(("dropout", "tokenizer.json"))
    for other, name in pairs:
        kept = (folder / name).read_bytes()
        shutil.copy(others[other] / name, folder / name)
        with pytest.raises(ModelError, match="does not belong to the config.json and tokenizer"):
            load_model_folder(folder)
        (folder / name).write_bytes(kept)
    assert answers(folder) == sound


@pytest.mark.parametrize("name", FILES)
def test_no_flipped_bit_changes_what_a_model_says(folder: Path, name: str) -> None:
    sound = answers(folder)
    path = folder / name
    good = path.read_bytes()
    refused = 0
    draw = random.Random(name)
    for place in draw.sample(range(len(good)), min(len(good), 250)):
        flipped = good[place] ^ (1 << draw.randrange(8))
        path.write_bytes(good[:place] + bytes([flipped]) + good[place + 1 :])
        try:
            result = answers(folder)
        except NextwordError as error:
            refused += 1
            assert str(error).startswith(str(folder)) and "\n" not in str(error)
        else:  # white space, or a note that nothing is computed from
            assert result == sound, place
    assert refused > 100


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("layers", 100),
        ("hidden_size", 65_536),
        ("embedding_size", 65_536),
        ("context", 1000),
        ("kind", "feedforward"),
    ],
)
def test_an_absurd_size_takes_neither_time_nor_memory(
    folder: Path, key: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = json.loads((folder / "config.json").read_bytes())
    described["model"][key] = value
    if key == "context":
        described["model"] |= {"kind": "feedforward", "input": "one_hot", "tie_weights": False}
    write_json(folder / "config.json", described)
    # the weights are built inside this
    monkeypatch.setattr("torch.random.fork_rng", lambda **given: pytest.fail("built"))
    with pytest.raises(ModelError, match="does not fit config.json"):
        load_model_folder(folder)


def test_a_vocabulary_size_that_is_only_claimed_is_refused(folder: Path) -> None:
    described = json.loads((folder / "config.json").read_bytes())
    write_json(folder / "config.json", {**described, "vocabulary_size": 10**12})
    with pytest.raises(ModelError, match="do not belong together"):
        load_model_folder(folder)


@pytest.mark.parametrize("name", FILES)
def test_no_path_leads_out_of_a_folder(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    with pytest.raises(ModelError, match=f"{name}: is a link out of its folder"):
        load_model_folder(folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ModelError, match=f"{name}: is not a regular file"):
        load_model_folder(folder)


def test_reading_a_model_draws_no_random_numbers(folder: Path) -> None:
    before = torch.get_rng_state()
    load_model_folder(folder)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_linked_folder_is_as_good_as_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert answers(tmp_path / "link") == answers(folder)


def test_where_a_model_came_from_may_be_blotted_out(folder: Path) -> None:
    described = json.loads((folder / "config.json").read_bytes())
    described["model"].update(vectors="/home/me/glove.txt", freeze_vectors=True)
    write_json(folder / "config.json", described)
    assert load_model_folder(folder).settings["vectors"] == "/home/me/glove.txt"


def test_a_runs_mixture_belongs_to_its_model(
    tiny_settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    short = {**tiny_settings, "training.epochs": 1, "mixture.ngram": True}
    paths = [train({**short, "training.seed": seed}, run=f"r{seed}").path for seed in (1, 2)]
    # of the same words and form, n-grams and all: only the weights differ, and they may
    for name in ("tokenizer.json", "config.json", "ngram.safetensors"):
        one, other = ((path / "model" / name).read_bytes() for path in paths)
        assert one == other
    assert load_model(paths[0]).loaded.mixture.ngram is not None


def test_the_refusal_says_which_run(tiny_run: SimpleNamespace, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(tiny_run.path, tmp_path / "copied"))
    path = copied / "model" / "tokenizer.json"
    path.write_bytes(path.read_bytes().replace(b"sailor", b"tailor"))
    path.with_name("spacing.json").unlink()  # would be refused first
    with pytest.raises(ModelError, match="copied/model/model.safetensors: does not belong to"):
        load_model(copied)
