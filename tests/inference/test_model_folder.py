"""A model folder stands alone, and whatever is wrong with it is one line that names the file."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from nextword import load_model
from nextword.config.schema import ModelConfig
from nextword.errors import ModelError
from nextword.inference import ADAPTATIONS, Adapt, model_folder
from nextword.inference.cache import CacheSettings
from nextword.inference.gating import GatingWeights
from nextword.inference.gradient_sizes import compact, compact_shapes
from nextword.inference.loaded_model import LoadedModel, LoadedNetwork, LoadedNgrams
from nextword.inference.mixture import Mixture, combinations, num_gate_features
from nextword.inference.model_folder import (
    load_model_folder,
    save_mixture,
    save_model,
    save_weights,
)
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.session import Prediction
from nextword.model import Model
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.storage import verified
from nextword.storage.files import write_json
from nextword.storage.integrity import CHECKSUM, with_checksum
from nextword.storage.tensors import read_model_tensors, read_tensors, write_tensors
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
        "mixture.json",
        "model.safetensors",
        "spacing.json",
        "tokenizer.json",
    ]
    copied, original = load_model(folder), tiny_run.result.model
    for prompt in PROMPTS:
        assert copied.predict(prompt, k=1000) == original.predict(prompt, k=1000)
    assert copied.words == original.words
    np.testing.assert_array_equal(copied.loaded.counts, original.loaded.counts)
    assert copied.loaded.settings == original.loaded.settings
    assert copied.loaded.architecture == original.loaded.architecture
    gradients = copied.loaded.gradients
    assert gradients.keys() == compact_shapes(copied.loaded.arrays()).keys()
    assert all((array > 0).any() for array in gradients.values())


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "feedforward"])
@pytest.mark.parametrize("settings", [{}, {"input": "one_hot"}, {"bias": False, "layers": 2}])
def test_every_family_comes_back_as_it_went(
    tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    config = ModelConfig.model_validate(
        {"kind": kind, "embedding_size": 5, "hidden_size": 6, **settings}
    )
    words = ["<unk>", "<eos>", "a", "ü", "c"]
    model = build_network(config, len(words)).eval()
    tokenizer = Tokenizer(words, "words", lowercase=True)
    described = config.model_dump(mode="json")
    saved = TorchNetwork(model, tokenizer, described, np.array([0, 3, 9, 5, 2]))
    saved.gradients = compact({name: array**2 for name, array in saved.arrays().items()})
    save_model(tmp_path / "m", saved, "# A card\n")
    back = load_model_folder(tmp_path / "m")
    ids = np.array([1, 2, 3, 4, 0])
    inputs = torch.from_numpy(ids)[None]
    assert torch.equal(back.network(inputs)[0], model(inputs)[0])
    assert not back.network.training
    result, wanted = (each.decoder().read(ids).distributions() for each in (back, saved))
    np.testing.assert_array_equal(result.log_probabilities, wanted.log_probabilities)
    learning, expected = (
        each.decoder("dynamic").read(np.tile(ids, 9)).distributions() for each in (back, saved)
    )
    np.testing.assert_array_equal(learning.log_probabilities, expected.log_probabilities)
    assert back.gradients.keys() == saved.gradients.keys()
    assert type(back) is LoadedNetwork and back.device == "cpu"
    assert back.settings == described
    assert ModelConfig.model_validate(back.settings) == config
    assert back.tokenizer.words == words and back.tokenizer.lowercase
    np.testing.assert_array_equal(back.counts, saved.counts)
    assert (tmp_path / "m" / "README.md").read_text() == "# A card\n"


def test_new_weights_replace_the_old_ones_alone(folder: Path) -> None:
    loaded = load_model_folder(folder)
    others = {file.name: file.read_bytes() for file in folder.glob("[!m]*")}
    trained = TorchNetwork(loaded.network, loaded.tokenizer, loaded.settings, loaded.counts)
    before = loaded.arrays()["vectors.weight"].copy()
    with torch.no_grad():
        trained.model.output.weight.mul_(0.5)
    save_weights(folder, trained)
    after = load_model_folder(folder).arrays()["vectors.weight"]
    np.testing.assert_array_equal(after, before / 2)
    # a model that is open keeps the weights it was read with
    np.testing.assert_array_equal(loaded.arrays()["vectors.weight"], before)
    assert {file.name: file.read_bytes() for file in folder.glob("[!m]*")} == others


def test_shared_weights_are_stored_once(folder: Path) -> None:
    described = json.loads((folder / "config.json").read_bytes())
    assert described["model"]["tie_weights"]
    arrays = load_file(folder / "model.safetensors")
    del arrays["vocabulary.counts"]
    sizes = [array.size for name, array in arrays.items() if not name.startswith("gradients.")]
    assert sum(sizes) == described["parameters"]
    loaded = load_model_folder(folder)
    assert loaded.parameter_count() == described["parameters"]
    assert loaded.network.parameter_count() == described["parameters"]


def edit_json(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        content = json.loads((folder / name).read_bytes())
        change(content)
        write_json(folder / name, content)
        return name

    return damage


def edit_arrays(
    change: Callable[[dict[str, NDArray[Any]]], object], name: str = "model.safetensors"
) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        mapped, beside = read_tensors(folder / name)
        arrays = {key: array.copy() for key, array in mapped.items()}
        change(arrays)
        write_tensors(folder / name, arrays, beside)
        return name

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
        edit_json("config.json", lambda c: c.update(format_version=3)),
        "has format version 3, this program reads 2; use the nextword version that wrote it",
    ),
    "earlier version": (
        edit_json("config.json", lambda c: c.update(format_version=1)),
        "has format version 1, this program reads 2; train again with this version",
    ),
    "unknown kind": (
        edit_json("config.json", lambda c: c["model"].update(kind="transformer")),
        "model.kind: ",
    ),
    "unknown key": (
        edit_json("config.json", lambda c: c["model"].update(heads=4)),
        "does not belong to the config.json",
    ),
    "no model section": (edit_json("config.json", lambda c: c.pop("model")), "model is missing"),
    "another size": (
        edit_json("config.json", lambda c: c["model"].update(hidden_size=25)),
        "does not fit config.json",
    ),
    "an absurd size": (
        edit_json("config.json", lambda c: c["model"].update(embedding_size=60_000)),
        "does not fit config.json",
    ),
    "another kind": (
        edit_json("config.json", lambda c: c["model"].update(kind="gru")),
        "does not fit config.json",
    ),
    "tokenizer cut off": (edit_bytes("tokenizer.json", lambda b: b[: len(b) // 2]), "damaged"),
    "foreign tokenizer": (edit_bytes("tokenizer.json", lambda b: b'{"model": 1}'), "tokenizer"),
    "a word too many": (edit_json("tokenizer.json", add_a_word), "do not belong together"),
    "spaces cut off": (edit_bytes("spacing.json", lambda b: b[:-9]), "damaged"),
    "spaces changed": (edit_bytes("spacing.json", lambda b: b.replace(b"1", b"2", 1)), "damaged"),
    "weights cut off": (edit_bytes("model.safetensors", lambda b: b[:-1]), "damaged"),
    "weights' header flipped": (
        edit_bytes("model.safetensors", lambda b: b[:8] + bytes([b[8] ^ 0xFF]) + b[9:]),
        "damaged",
    ),
    "a pickle": (edit_bytes("model.safetensors", lambda b: b"\x80\x04N."), "damaged"),
    "a tensor missing": (edit_arrays(lambda t: t.pop("output.bias")), "tensor output.bias"),
    "a tensor too many": (
        edit_arrays(lambda t: t.update(extra=np.zeros(1, np.float32))),
        "tensor extra does not fit",
    ),
    "another precision": (
        edit_arrays(lambda t: t.update({"output.bias": t["output.bias"].astype(np.float16)})),
        "tensor output.bias",
    ),
    "a gradient missing": (
        edit_arrays(lambda t: t.pop("gradients.vectors.weight.rows")),
        "tensor gradients.vectors.weight.rows",
    ),
    "a gradient of another shape": (
        edit_arrays(lambda t: t.update({"gradients.output.bias": np.ones(3, np.float32)})),
        "tensor gradients.output.bias",
    ),
    "no counts": (edit_arrays(lambda t: t.pop("vocabulary.counts")), "vocabulary.counts"),
    "counts too short": (
        edit_arrays(lambda t: t.update({"vocabulary.counts": np.ones(3, np.int64)})),
        "vocabulary.counts",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_one_line_that_names_the_file(folder: Path, damage: str) -> None:
    do, message = DAMAGES[damage]
    name = do(folder)
    with pytest.raises(ModelError) as caught:
        load_model_folder(folder)
    if message in ("does not fit config.json", "does not belong to the config.json"):
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
    assert load_model_folder(folder).settings["vectors"] == "/gone/glove.txt"
    assert load_model_folder(folder).network.parameter_count() > 0


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the weights' checksum was verified, each time that weights are read; changes to
    files count as settled at once."""
    found: list[bool] = []

    def read(path: Path, verify: bool = True) -> tuple[dict[str, NDArray[Any]], str]:
        found.append(verify)
        return read_model_tensors(path, verify)

    monkeypatch.setattr(model_folder, "read_model_tensors", read)
    monkeypatch.setattr(verified, "SETTLED_NS", -(10**18))
    return found


def test_an_unchanged_folder_is_verified_once(folder: Path, verifications: list[bool]) -> None:
    def predictions(loaded: LoadedModel) -> list[Prediction]:
        return Model(loaded).predict("her uncle", k=1000)

    first, second = load_model_folder(folder), load_model_folder(folder)
    assert verifications == [True, False]
    assert predictions(first) == predictions(second)
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"more")
    for _ in range(2):
        with pytest.raises(ModelError, match="damaged"):
            load_model_folder(folder)
    assert verifications == [True, False, True, True]


def test_a_folder_with_a_file_changed_is_verified_again(
    folder: Path, verifications: list[bool]
) -> None:
    for name in (
        "config.json",
        "tokenizer.json",
        "spacing.json",
        "mixture.json",
        "model.safetensors",
    ):
        load_model_folder(folder)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content)
        del verifications[:]
        load_model_folder(folder)
        assert verifications == [True], name


def counted(words: int, order: int = 3, seed: int = 1) -> NgramModel:
    """N-grams of a text of chance, so that they belong to any vocabulary of so many words."""
    return NgramModel.fit(np.random.default_rng(seed).integers(0, words, 400), words, order)


def some_weights(order: int) -> dict[str, GatingWeights]:
    """Weights for every combination of parts, such as no constant share would do for."""
    draw = np.random.default_rng(4)
    found = {}
    for names in combinations(order > 0):
        num_features = num_gate_features(names, order)
        slopes = draw.normal(size=(len(names.split("+")), num_features)) / 9
        found[names] = GatingWeights(
            np.zeros(num_features), np.ones(num_features), slopes, slopes[:, 0]
        )
    return found


@pytest.fixture
def mixed(folder: Path) -> Path:
    """The folder with n-grams and weights of every combination."""
    ngram = counted(len(load_model_folder(folder).tokenizer))
    cache = CacheSettings(size=50, sharpness=0.25)
    save_mixture(folder, Mixture(ngram, cache, some_weights(ngram.order)))
    return folder


@pytest.mark.parametrize("adapt", ADAPTATIONS)
@pytest.mark.parametrize("order", [None, 1, 3])
def test_a_mixture_comes_back_as_it_went(folder: Path, adapt: Adapt, order: int | None) -> None:
    plain = load_model_folder(folder)
    ngram = None if order is None else counted(len(plain.tokenizer), order)
    mixture = Mixture(ngram, CacheSettings(30, 0.5), some_weights(order or 0))
    save_mixture(folder, mixture)
    back = load_model_folder(folder)
    assert back.mixture.cache == mixture.cache
    given = plain.with_mixture(mixture)
    for prompt in PROMPTS:
        wanted = Model(given).predict(prompt, k=1000, adapt=adapt)
        assert Model(back).predict(prompt, k=1000, adapt=adapt) == wanted
        if order is not None:
            assert wanted != Model(plain).predict(prompt, k=1000, adapt=adapt)


def test_a_folder_without_a_mixture_has_nothing_mixed_in(mixed: Path) -> None:
    (mixed / "mixture.json").unlink()
    assert load_model_folder(mixed).mixture == Mixture()


def test_ngrams_that_are_no_longer_mixed_in_are_removed(mixed: Path) -> None:
    assert (mixed / "ngram.safetensors").exists()
    save_mixture(mixed, Mixture())
    assert not (mixed / "ngram.safetensors").exists()
    assert load_model_folder(mixed).mixture == Mixture()


def set_key(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Sets a key of a mixture, such as ``cache.size``."""

    def change(content: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for key in above:
            content = content[key]
        content[last] = value

    return change


def edit_mixture(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], str]:
    """Changes a mixture and seals it again, as a program with a bug might."""

    def damage(folder: Path) -> str:
        content = json.loads((folder / "mixture.json").read_bytes())
        del content[CHECKSUM]
        change(content)
        write_json(folder / "mixture.json", with_checksum(content))
        return "mixture.json"

    return damage


def edit_ngrams(change: Callable[[dict[str, NDArray[Any]]], object]) -> Callable[[Path], str]:
    return edit_arrays(change, "ngram.safetensors")


def put_ngrams(words: int, order: int) -> Callable[[Path], str]:
    def change(arrays: dict[str, NDArray[Any]]) -> None:
        size = words or len(arrays["unigrams"])
        arrays.clear()
        arrays.update(counted(size, order).arrays())

    return edit_ngrams(change)


def put_weights_of_another_order(content: dict[str, Any]) -> None:
    content["weights"] = {names: each.as_dict() for names, each in some_weights(4).items()}


BOTH = "weights.network+ngram"
MIXTURE_DAMAGES = {
    "cut off": (edit_bytes("mixture.json", lambda b: b[:-9]), "not valid JSON"),
    "a list": (edit_bytes("mixture.json", lambda b: b"[]"), "not hold a JSON object"),
    "foreign": (edit_bytes("mixture.json", lambda b: b'{"a": 1}'), "is not a nextword model"),
    "later version": (edit_mixture(set_key("format_version", 3)), "has format version 3"),
    "changed by hand": (edit_json("mixture.json", set_key("cache.size", 51)), "checksum"),
    "of another model": (edit_mixture(set_key("belongs_to", "0" * 64)), "does not belong"),
    "no cache": (edit_mixture(lambda c: c.pop("cache")), "cache is missing"),
    "a key too many": (edit_mixture(set_key("cache.depth", 3)), "depth"),
    "a cache of nothing": (edit_mixture(set_key("cache.size", 0)), "cache is out of range"),
    "a cache of all": (edit_mixture(set_key("cache.size", 10**12)), "cache is out of range"),
    "half a place": (edit_mixture(set_key("cache.size", 2.5)), "cache is out of range"),
    "a size in quotes": (edit_mixture(set_key("cache.size", "50")), "cache is out of range"),
    "a sharpness in quotes": (edit_mixture(set_key("cache.sharpness", "1")), "damaged"),
    "no sharpness": (edit_mixture(set_key("cache.sharpness", math.nan)), "cache is out of range"),
    "too sharp": (edit_mixture(set_key("cache.sharpness", 10**400)), "cache is out of range"),
    "no weights": (edit_mixture(lambda c: c.pop("weights")), "weights are missing"),
    "weights a list": (edit_mixture(set_key("weights", [])), "weights are missing"),
    "weights of the n-grams gone": (
        edit_mixture(lambda c: c["weights"].pop("network+ngram")),
        "weights of the n-gram model are missing",
    ),
    "weights of other parts": (
        edit_mixture(lambda c: c["weights"].update({"network+horoscope": {}})),
        "weights of network+horoscope, which are no parts",
    ),
    "weights of another order": (edit_mixture(put_weights_of_another_order), "numbers"),
    "weights no numbers": (edit_mixture(set_key(BOTH, "much")), "are no numbers"),
    "a weight no number": (edit_mixture(set_key(f"{BOTH}.biases", [0, math.nan])), "not finite"),
    "weights over nothing": (edit_mixture(set_key(f"{BOTH}.scale", [0.0] * 6)), "not positive"),
    "no order": (edit_mixture(set_key("ngram_order", None)), "which are no parts"),
    "order 0": (edit_mixture(set_key("ngram_order", 0)), "ngram_order"),
    "order in quotes": (edit_mixture(set_key("ngram_order", "3")), "ngram_order"),
    "order true": (edit_mixture(set_key("ngram_order", True)), "ngram_order"),
    "order 2.5": (edit_mixture(set_key("ngram_order", 2.5)), "ngram_order"),
    "another order": (edit_mixture(set_key("ngram_order", 2)), "numbers"),
    "n-grams missing": (remove("ngram.safetensors"), "cannot be read"),
    "n-grams cut off": (edit_bytes("ngram.safetensors", lambda b: b[:-1]), "damaged"),
    "n-grams empty": (edit_bytes("ngram.safetensors", lambda b: b""), "damaged"),
    "n-grams a pickle": (edit_bytes("ngram.safetensors", lambda b: b"\x80\x04N."), "damaged"),
    "n-grams of another vocabulary": (put_ngrams(9, 3), "damaged"),
    "n-grams of another order": (put_ngrams(0, 4), "sizes"),
    "a key of theirs too many": (
        edit_ngrams(lambda t: t.update(extra=np.zeros(1, np.float32))),
        "extra is not known",
    ),
    "a key of theirs missing": (edit_ngrams(lambda t: t.pop("shares")), "shares is missing"),
    "shares no number": (edit_ngrams(lambda t: t["shares"].fill(math.nan)), "shares"),
    "a network's weights": (
        lambda folder: (
            Path(shutil.copy(folder / "model.safetensors", folder / "ngram.safetensors")).name
        ),
        "damaged",
    ),
}


@pytest.mark.parametrize("damage", MIXTURE_DAMAGES)
def test_a_damaged_mixture_is_one_line_that_names_the_file(mixed: Path, damage: str) -> None:
    do, message = MIXTURE_DAMAGES[damage]
    name = do(mixed)
    with pytest.raises(ModelError) as caught:
        load_model_folder(mixed)
    text = str(caught.value)
    assert text.startswith(f"{mixed / name}: ")
    assert message in text
    assert "\n" not in text


@pytest.fixture
def counting(tmp_path: Path) -> Path:
    """A folder of counted n-grams."""
    settings = ModelConfig(kind="ngram", order=3).model_dump(mode="json")
    tokenizer = Tokenizer(["<unk>", "<eos>", "a", "b", "c", "d"], "words", lowercase=False)
    saved = LoadedNgrams(counted(6), tokenizer, settings, np.arange(6))
    save_model(tmp_path / "n", saved, "# N-grams\n")
    return tmp_path / "n"


def test_counted_ngrams_come_back_as_they_went(counting: Path) -> None:
    back = load_model_folder(counting)
    assert isinstance(back, LoadedNgrams)
    saved = counted(6)
    assert back.model.arrays().keys() == saved.arrays().keys()
    for name, array in saved.arrays().items():
        np.testing.assert_array_equal(back.model.arrays()[name], array)
    assert back.to("cpu") is back
    described = json.loads((counting / "config.json").read_bytes())
    assert described["parameters"] == saved.parameter_count()
    np.testing.assert_array_equal(back.counts, np.arange(6))
    with pytest.raises(ModelError, match="has no network"):
        _ = back.network


NGRAM_DAMAGES = {
    "another order": edit_json("config.json", lambda c: c["model"].update(order=2)),
    "another kind": edit_json("config.json", lambda c: c["model"].update(kind="lstm")),
    "nothing but counts": edit_arrays(
        lambda t: [t.pop(name) for name in list(t) if name != "vocabulary.counts"]
    ),
    "a key too many": edit_arrays(lambda t: t.update(extra=np.zeros(1, np.float32))),
    "no probabilities": edit_arrays(lambda t: t["backoffs"].fill(2.0)),
    "words outside": edit_arrays(lambda t: t["words"].fill(99)),
    "no counts": edit_arrays(lambda t: t.pop("vocabulary.counts")),
    "cut off": edit_bytes("model.safetensors", lambda b: b[:-1]),
}


@pytest.mark.parametrize("damage", NGRAM_DAMAGES)
def test_damaged_ngrams_are_one_line_that_names_the_file(counting: Path, damage: str) -> None:
    NGRAM_DAMAGES[damage](counting)
    with pytest.raises(ModelError) as caught:
        load_model_folder(counting)
    assert str(caught.value).startswith(f"{counting / 'model.safetensors'}: ")
    assert "\n" not in str(caught.value)
