"""What is predicted, and what the reader remembers between two texts."""

import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import nextword
from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError, NextwordError
from nextword.inference import ADAPTATIONS, Adapt
from nextword.inference.gating import GatingWeights
from nextword.inference.loaded_model import LoadedNgrams
from nextword.inference.mixture import Mixture, num_gate_features
from nextword.inference.pytorch import TorchNetwork
from nextword.model import Model, load_model
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.tokenizer import Tokenizer

PROMPT = "Napoleon was the Emperor of"


@pytest.fixture
def predictor(tiny_run: SimpleNamespace) -> Model:
    return load_model(tiny_run.path)


def untrained(words: list[str], lowercase: bool = False) -> Model:
    torch.manual_seed(3)
    config = ModelConfig(embedding_size=6, hidden_size=8)
    tokenizer = Tokenizer(["<unk>", "<eos>", *words], "words", lowercase)
    model = build_network(config, len(tokenizer)).eval()
    counts = np.ones(len(tokenizer), dtype=np.int64)
    return Model(TorchNetwork(model, tokenizer, config.model_dump(mode="json"), counts))


def test_the_network_has_learned_the_text(predictor: Model) -> None:
    assert predictor.predict(PROMPT, k=1)[0].word == "France"
    assert predictor.predict(PROMPT, k=1)[0].probability > 0.9
    assert predictor.predict("the small cat chases the grey", k=1)[0].word == "mouse"


def test_probabilities_are_those_of_the_softmax_over_every_word(predictor: Model) -> None:
    every = predictor.predict(PROMPT, k=10**6)
    model, tokenizer = predictor.loaded.network, predictor.loaded.tokenizer
    ids = [tokenizer.end_id, *tokenizer.encode(PROMPT)]
    with torch.no_grad():
        exact = model(torch.tensor([ids]))[0][0, -1].double().softmax(0)
    assert [p.word for p in every] == [
        predictor.words[i] for i in exact.argsort(descending=True).tolist() if i > 1
    ]
    for prediction in every:
        wanted = exact[predictor.words.index(prediction.word)].item()
        assert prediction.probability == pytest.approx(wanted, rel=1e-4, abs=1e-9)
    # what is missing from one is the special words' share, which is not handed to the others
    assert sum(p.probability for p in every) == pytest.approx(1 - exact[:2].sum().item(), abs=1e-6)
    assert predictor.predict(PROMPT, k=2) == every[:2]


def test_special_words_are_never_predicted_even_where_they_are_likeliest() -> None:
    predictor = untrained(["a", "b"])
    with torch.no_grad():
        bias = predictor.loaded.network.output.bias
        assert bias is not None
        bias[:2] = 50.0
    found = predictor.predict("a", k=10)
    assert {p.word for p in found} == {"a", "b"}
    assert sum(p.probability for p in found) < 1e-6


def test_a_prefix_narrows_and_leaves_probabilities_alone(predictor: Model) -> None:
    every = predictor.predict(PROMPT, k=10**6)
    begun = predictor.predict(PROMPT, k=10**6, prefix="f")
    assert begun == [p for p in every if p.word.startswith("f")]
    assert {p.word for p in begun} == {"farmer", "field"}
    assert predictor.predict(PROMPT, prefix="qqq") == []


def test_a_prefix_is_spelled_as_the_vocabulary_spells() -> None:
    assert [p.word for p in untrained(["été", "ami"], True).predict("", prefix="É")] == ["été"]
    decomposed = unicodedata.normalize("NFD", "ét")
    assert [p.word for p in untrained(["été", "ami"]).predict("", prefix=decomposed)] == ["été"]
    assert [p.word for p in untrained(["ami", "Abbé"]).predict("", prefix="A")] == ["Abbé"]
    assert [p.word for p in untrained(["ami"]).predict("", prefix="A")] == ["ami"]
    assert untrained(["ami"]).predict("", prefix="b") == []


def test_reading_in_pieces_is_reading_at_once(predictor: Model) -> None:
    whole, pieces = predictor.session(), predictor.session()
    whole.read("my sister reads another long")
    for piece in ("my sister", "", "reads", "another long"):
        pieces.read(piece)
    np.testing.assert_allclose(pieces.probabilities(), whole.probabilities(), rtol=1e-5)
    assert not np.allclose(predictor.session().probabilities(), whole.probabilities())


def test_asking_changes_nothing_and_readers_do_not_meddle(predictor: Model) -> None:
    first = predictor.session()
    first.read(PROMPT)
    before = first.predict()
    second = predictor.session()
    second.read("the small cat")
    second.predict(prefix="c")
    assert first.predict() == before == predictor.predict(PROMPT)


def test_an_empty_prompt_predicts_how_a_paragraph_begins(predictor: Model) -> None:
    starts = {"the", "a", "every", "my", "nobody", "seven", "her", "Napoleon"}
    assert {p.word for p in predictor.predict("", k=8)} == starts
    assert predictor.predict("", k=3) == predictor.predict("  \n", k=3)


def test_unknown_words_are_named_once_each_and_read_as_unknown(predictor: Model) -> None:
    reader = predictor.session()
    assert reader.read("the zebra and the Zebra and zebra") == ["zebra", "and", "Zebra"]
    assert reader.read("the small cat") == []
    assert predictor.predict("the zebra") == predictor.predict("the unicorn")
    # a special word that somebody types is a word like any other, and unknown
    assert predictor.session().read("the <unk>") != []


def test_any_text_at_all_can_be_a_prompt(predictor: Model) -> None:
    for prompt in ("\x00", "\ud800", "🦓" * 50, "a" * 40_000, "\u202e—"):
        found = predictor.predict(prompt, k=3)
        assert len(found) == 3
        assert all(0 <= p.probability <= 1 for p in found)


def test_a_lower_case_model_reads_capitals() -> None:
    predictor = untrained(["napoleon", "was"], lowercase=True)
    assert predictor.session().read("NAPOLEON Was") == []
    assert predictor.predict("NAPOLEON") == predictor.predict("napoleon")


def test_a_model_loads_from_its_run_or_folder_and_predicts_alike(
    tiny_run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_run.home)
    wanted = tiny_run.result.model.predict(PROMPT)
    for path in (None, "tiny", tiny_run.path, str(tiny_run.path / "model")):
        assert nextword.load_model(path).predict(PROMPT) == wanted


def test_a_wrong_path_or_device_is_an_error_of_the_user(
    tiny_run: SimpleNamespace, tmp_path: Path
) -> None:
    with pytest.raises(NextwordError, match="no such"):
        load_model(tmp_path / "none")
    with pytest.raises(NextwordError, match="device"):
        load_model(tiny_run.path, device="gpu")


LONG = "the old sailor reads the old letter . her uncle reads the old letter . " * 4


def with_ngrams(predictor: Model) -> Model:
    """The same network with n-grams of chance beside it."""
    size = len(predictor.loaded.tokenizer)
    ngram = NgramModel.fit(np.random.default_rng(1).integers(0, size, 400), size, 2)
    weights = {
        "network+ngram": GatingWeights.constant([0.6, 0.4], num_gate_features("network+ngram", 2))
    }
    return Model(predictor.loaded.with_mixture(Mixture(ngram, weights=weights)))


@pytest.mark.parametrize("adapt", ADAPTATIONS)
@pytest.mark.parametrize("mixed", [False, True])
def test_a_reader_adapts_only_itself(predictor: Model, adapt: Adapt, mixed: bool) -> None:
    if mixed:
        predictor = with_ngrams(predictor)
    weights = [part.detach().clone() for part in predictor.loaded.network.parameters()]
    alone = predictor.session(adapt)
    alone.read(LONG)
    first, second = predictor.session(adapt), predictor.session("both")
    first.read(LONG[:100])
    second.read("Napoleon was the Emperor of France . " * 8)
    first.read(LONG[100:])
    np.testing.assert_allclose(first.probabilities(), alone.probabilities(), 1.3e-6, 1e-5)
    after = list(predictor.loaded.network.parameters())
    assert all(torch.equal(one, other) for one, other in zip(weights, after, strict=True))
    # nor is what is asked later
    assert predictor.predict(PROMPT) == Model(predictor.loaded).predict(PROMPT, adapt="none")
    fresh = predictor.session(adapt)
    fresh.read(LONG)
    assert np.array_equal(fresh.probabilities(), alone.probabilities())


@pytest.mark.parametrize("adapt", ["cache", "dynamic", "both"])
def test_what_was_read_is_likelier_to_come_again(adapt: Adapt) -> None:
    predictor = untrained(["a", "b", "c", "d", "e", "f", "g", "h"])
    still, adapted = predictor.session(), predictor.session(adapt)
    for reader in (still, adapted):
        reader.read("a b c h " * 30)
    read = [predictor.words.index(word) for word in "abch"]
    assert adapted.probabilities()[read].sum() > 1.05 * still.probabilities()[read].sum()
    assert adapted.probabilities().sum() == pytest.approx(1, abs=1e-4)


def test_an_unknown_way_to_adapt_is_refused(predictor: Model) -> None:
    with pytest.raises(ConfigError, match="adapt: 'cached' is not one of none, cache, dynamic"):
        predictor.session("cached")  # type: ignore[arg-type]


def test_the_probabilities_of_a_session_are_the_callers_own(predictor: Model) -> None:
    session = predictor.session()
    session.probabilities()[:] = 0
    assert session.probabilities().sum() == pytest.approx(1, abs=1e-5)


def test_no_adapting_is_the_default() -> None:
    predictor = untrained(["a", "b", "c"])
    plain = predictor.predict("a b a b")
    assert predictor.predict("a b a b", adapt="none") == plain
    assert predictor.predict("a b a b", adapt="cache") != plain


def test_counted_ngrams_predict_and_do_not_adapt() -> None:
    tokenizer = Tokenizer(["<unk>", "<eos>", "a", "b", "c"], "words", lowercase=False)
    text = [2, 3, 4, 1] * 9
    model = NgramModel.fit(np.array(text), 5, 3)
    counts = np.array([0, 9, 9, 9, 9])
    settings = ModelConfig(kind="ngram", order=3).model_dump(mode="json")
    predictor = Model(LoadedNgrams(model, tokenizer, settings, counts))
    assert [predictor.predict(p, k=1)[0].word for p in ("", "a", "a b")] == ["a", "b", "c"]
    reader = predictor.session()
    assert reader.read("a zebra") == ["zebra"]
    assert reader.probabilities().sum() == pytest.approx(1, abs=1e-4)
    with pytest.raises(ConfigError, match="does not adapt"):
        predictor.predict("a", adapt="cache")


def test_a_long_text_is_read_in_pieces_that_fit(
    predictor: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = predictor.session("both")
    wanted.read(LONG)
    monkeypatch.setattr("nextword.inference.decoder.CHUNK_NUMBERS", 5 * len(predictor.words))
    pieces = predictor.session("both")
    pieces.read(LONG)
    np.testing.assert_allclose(pieces.probabilities(), wanted.probabilities(), 1e-4, 1e-5)
