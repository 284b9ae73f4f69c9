"""What is mixed with a trained network: kept where it helps, and the same after loading."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from nextword import load_model, train
from nextword.config.load import load_config
from nextword.config.schema import Config
from nextword.errors import ModelError
from nextword.inference import ADAPTATIONS
from nextword.inference.cache import CacheSettings
from nextword.inference.decoder import Ids
from nextword.inference.mixture import Mixture, Parts, combinations
from nextword.inference.model_folder import load_model_folder, save_mixture, save_model
from nextword.inference.pytorch import TorchNetwork
from nextword.model import Model
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.dataset import EncodedText
from nextword.text.prepare import prepare_text
from nextword.training import fit_mixture as mixing
from nextword.training.fit_gate import fit_gate
from nextword.training.fit_mixture import SHARPNESS, count_components, fit_mixture
from nextword.training.result import perplexities

if TYPE_CHECKING:
    from tests.training.conftest import Messages

Mix = Callable[..., Mixture]


@pytest.fixture
def config(tiny_settings: dict[str, object]) -> Config:
    return load_config(overrides={**tiny_settings, "mixture.ngram": None, "model.order": 3})


@pytest.fixture
def text(config: Config) -> EncodedText:
    return prepare_text(config.text, config.vocabulary)


@pytest.fixture
def loaded(config: Config, text: EncodedText) -> TorchNetwork:
    """A network that has learned nothing but how often words come."""
    torch.manual_seed(2)
    network = build_network(config.model, len(text.tokenizer)).eval()
    counts = text.vocabulary.counts
    network.output.start_from_counts(torch.from_numpy(counts))
    return TorchNetwork(network, text.tokenizer, config.model.model_dump(mode="json"), counts)


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def mix(loaded: TorchNetwork, text: EncodedText, config: Config, messages: list[str]) -> Mix:
    """Fits a mixture; keywords set fields of the ``mixture`` section."""

    def mix_with(held_out: EncodedText = text, **wanted: Any) -> Mixture:
        section = config.mixture.model_copy(update=wanted)
        mixed = config.model_copy(update={"mixture": section})
        components = count_components(held_out, mixed, messages.append)
        return fit_mixture(loaded, components, held_out, mixed, messages.append)

    return mix_with


def shortened(text: EncodedText, words: int | None) -> EncodedText:
    """The text with so many words to weigh by; with no validation part for None."""
    parts = dict(text.parts)
    valid = parts.pop("valid")
    if words is not None:
        parts["valid"] = replace(valid, ids=valid.ids[:words])
    return replace(text, parts=parts)


def test_ngrams_that_help_are_kept_and_help(
    mix: Mix, loaded: TorchNetwork, text: EncodedText, messages: list[str]
) -> None:
    mixture = mix()
    assert mixture.ngram is not None and mixture.ngram.order == 3
    assert list(mixture.weights) == combinations(ngram=True)
    size = len(text.tokenizer)
    for part in ("valid", "test"):
        decoder = loaded.with_mixture(mixture).decoder()
        mixed, alone, _ = perplexities(decoder, text.parts[part].ids, size)
        assert mixed < 0.3 * alone
        assert alone == perplexities(loaded.decoder(), text.parts[part].ids, size)[1]
    (line,) = messages
    assert re.fullmatch(r"n-grams help: mixing them in lowers perplexity by [7-9]\d\.\d %", line)


def test_ngrams_that_do_not_help_are_left_out(
    mix: Mix, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixing, "MIN_GAIN", math.inf)
    mixture = mix()
    assert mixture.ngram is None
    assert list(mixture.weights) == combinations(ngram=False)
    (line,) = messages
    assert line.startswith("n-grams are left out: mixing them in lowers perplexity by ")


def test_ngrams_that_are_asked_for_are_kept_whether_they_help_or_not(
    mix: Mix, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixing, "MIN_GAIN", math.inf)
    mixture = mix(ngram=True)
    assert mixture.ngram is not None
    assert list(mixture.weights) == combinations(ngram=True)
    assert len(messages) == 1 and "left out" not in messages[0]


def test_ngrams_that_are_not_wanted_are_not_counted(
    mix: Mix, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> NgramModel:
        raise AssertionError("counted")

    monkeypatch.setattr(NgramModel, "fit", refuse)
    mixture = mix(ngram=False)
    assert mixture.ngram is None and messages == []
    assert list(mixture.weights) == ["network+cache"]


def test_a_cache_that_is_not_wanted_is_not_weighed(mix: Mix, loaded: TorchNetwork) -> None:
    mixture = mix(cache=False, cache_size=7)
    assert list(mixture.weights) == ["network+ngram"]
    assert mixture.cache == CacheSettings(size=7)
    # it can be asked for all the same
    predictor = Model(loaded.with_mixture(mixture))
    assert predictor.predict("the small", adapt="cache")


@pytest.mark.parametrize("sharpness", SHARPNESS)
def test_the_sharpness_that_predicts_best_is_taken(
    mix: Mix, sharpness: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = mixing._score

    def favour(*given: Any) -> Any:
        network, counted, caches = score(*given)
        for settings, each in zip(given[2], caches, strict=True):
            each.likelihoods[:] = -0.1 if settings.sharpness == sharpness else -30.0
        return network, counted, caches

    monkeypatch.setattr(mixing, "_score", favour)
    mixture = mix(ngram=False, cache_size=50)
    assert mixture.cache == CacheSettings(size=50, sharpness=sharpness)


@pytest.mark.parametrize("words", [None, 0, mixing.MIN_WORDS - 1])
@pytest.mark.parametrize("ngram", [None, True])
def test_without_enough_held_out_nothing_is_mixed(
    mix: Mix, text: EncodedText, words: int | None, ngram: bool | None, messages: list[str]
) -> None:
    assert mix(shortened(text, words), ngram=ngram) == Mixture()
    # what was asked for and is not done is reported
    assert len(messages) == (ngram is True)


def test_few_words_are_enough(mix: Mix, text: EncodedText) -> None:
    mixture = mix(shortened(text, mixing.MIN_WORDS))
    assert mixture.ngram is not None
    assert all(np.isfinite(each.slopes).all() for each in mixture.weights.values())


def test_both_kinds_of_weights_are_tried_before_ngrams_are_left_out(
    mix: Mix, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = fit_gate

    def fails(likelihoods: Any, gate_features: Any, constant: bool = False) -> Any:
        weights = fit(likelihoods, gate_features, constant)
        # as with too little text for so many gate features
        return weights if constant else replace(weights, biases=np.array([0.0, -50.0]))

    monkeypatch.setattr(mixing, "fit_gate", fails)
    mixture = mix(cache=False)
    assert mixture.ngram is not None
    assert not mixture.weights["network+ngram"].slopes.any()


def test_a_large_vocabulary_is_read_in_smaller_pieces(
    mix: Mix, text: EncodedText, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    read = Parts.read

    def note(self: Parts, ids: Ids) -> Any:
        lengths.append(len(ids))
        return read(self, ids)

    monkeypatch.setattr(Parts, "read", note)
    whole = mix()
    assert max(lengths) > 10
    lengths.clear()
    monkeypatch.setattr("nextword.inference.decoder.CHUNK_NUMBERS", 10 * len(text.tokenizer))
    pieces = mix()
    assert max(lengths) == 10 and sum(lengths) == len(text.parts["valid"].ids)
    for names, weights in whole.weights.items():
        np.testing.assert_allclose(pieces.weights[names].slopes, weights.slopes, 0, 0.02)


@pytest.mark.parametrize("runs_to", [5e3, 1e30])
def test_a_network_that_ran_away_ends_no_training(
    mix: Mix, loaded: TorchNetwork, text: EncodedText, tmp_path: Path, runs_to: float
) -> None:
    with torch.no_grad():
        bias = loaded.network.output.bias
        assert bias is not None
        bias[3] = runs_to
    mixture = mix(ngram=True)
    save_model(tmp_path, loaded, "")
    save_mixture(tmp_path, mixture)
    back = load_model_folder(tmp_path).mixture
    assert back.weights.keys() == mixture.weights.keys()


def test_a_network_without_probabilities_is_refused(mix: Mix, loaded: TorchNetwork) -> None:
    with torch.no_grad():
        assert loaded.network.output.bias is not None
        loaded.network.output.bias[3] = math.nan
    with pytest.raises(ModelError, match="probabilities are not numbers"):
        mix(ngram=True)


@pytest.mark.parametrize("adapt", ADAPTATIONS)
@pytest.mark.parametrize("ngram", [True, False])
def test_a_saved_mixture_predicts_the_same(
    mix: Mix, loaded: TorchNetwork, tmp_path: Path, adapt: Any, ngram: bool
) -> None:
    mixed = loaded.with_mixture(mix(ngram=ngram, cache_size=30))
    save_model(tmp_path, mixed, "")
    save_mixture(tmp_path, mixed.mixture)
    assert (tmp_path / "ngram.safetensors").exists() == ngram
    here, back = Model(mixed), load_model(tmp_path)
    assert (back.loaded.mixture.ngram is not None) == ngram
    for prompt in ("", "Napoleon was the Emperor of", "the sea . my sister reads " * 5):
        wanted = here.predict(prompt, k=1000, adapt=adapt)
        assert back.predict(prompt, k=1000, adapt=adapt) == wanted


def test_a_run_mixes_and_measures_both(
    tiny_settings: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    screen: Messages,
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {**tiny_settings, "training.epochs": 1, "mixture.ngram": None}
    result = train(settings, run="a", callback=screen)
    assert result.valid_perplexity is not None and result.test_perplexity is not None
    assert result.network_valid_perplexity is not None
    assert result.network_test_perplexity is not None
    assert result.valid_perplexity < 0.9 * result.network_valid_perplexity
    assert result.test_perplexity < 0.9 * result.network_test_perplexity
    assert sum("n-grams" in line for line in screen.lines) == 1
    stored = load_model("a")
    assert stored.loaded.mixture.ngram is not None
    assert stored.predict("the", k=9) == result.model.predict("the", k=9)
    config = load_config(result.path / "config.yaml", environ={})
    part = prepare_text(config.text, config.vocabulary).parts["valid"]
    measured = perplexities(stored.loaded.decoder(), part.ids, len(stored.words))
    assert measured[:2] == pytest.approx((result.valid_perplexity, result.network_valid_perplexity))

    # a resume fits the mixture again
    again = train({"mixture.ngram": False}, run="a", resume=True)
    assert again.valid_perplexity == again.network_valid_perplexity
    assert again.network_valid_perplexity == pytest.approx(result.network_valid_perplexity)
    assert not (result.path / "model" / "ngram.safetensors").exists()
    assert load_model("a").loaded.mixture.ngram is None


def test_without_anything_held_out_a_run_mixes_nothing(
    tiny_settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {
        **tiny_settings,
        "training.epochs": 0.2,
        "mixture.ngram": None,
        "text.holdout": {"valid": 0, "test": 0},
    }
    result = train(settings, run="a")
    assert result.network_valid_perplexity is result.valid_perplexity is None
    assert load_model("a").loaded.mixture == Mixture()
    assert np.isclose(result.model.session("cache").probabilities().sum(), 1, atol=1e-4)
