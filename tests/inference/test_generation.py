"""A text that goes on: the same for the same seed, never unknown, in readable paragraphs."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.sampling import Sampling
from nextword.model import Model
from nextword.models.registry import build_network
from nextword.text.tokenizer import Kind, Tokenizer

PROMPT = "Napoleon was the"
GREEDY = Sampling(temperature=0)
EVERY = Sampling(top_p=1.0)


@pytest.fixture
def predictor(tiny_run: SimpleNamespace) -> Model:
    found: Model = tiny_run.result.model
    return found


@pytest.fixture
def biased() -> Callable[..., Model]:
    """A network without knowledge that likes some words, by their ids."""

    def make(words: list[str], kind: Kind = "words", **liked: float) -> Model:
        torch.manual_seed(3)
        config = ModelConfig(embedding_size=6, hidden_size=8)
        tokenizer = Tokenizer(["<unk>", "<eos>", *words], kind, lowercase=False)
        model = build_network(config, len(tokenizer)).eval()
        assert model.output.bias is not None
        with torch.no_grad():
            for word, bias in liked.items():
                model.output.bias[{"unk": 0, "eos": 1}.get(word, 0)] = bias
        counts = np.ones(len(tokenizer), dtype=np.int64)
        settings = config.model_dump(mode="json")
        return Model(TorchNetwork(model, tokenizer, settings, counts))

    return make


def test_temperature_zero_goes_on_with_the_likeliest_words(predictor: Model) -> None:
    found = predictor.generate(PROMPT, 4, GREEDY)
    assert found.text == "Napoleon was the Emperor of France."
    reader, wanted = predictor.session(), []
    reader.read(PROMPT)
    for _ in range(4):
        wanted.append(reader.predict(k=1)[0].word)
        reader.read(wanted[-1])
    assert found.words == wanted == ["Emperor", "of", "France", "."]


def test_the_seed_decides(predictor: Model) -> None:
    first = predictor.generate(PROMPT, 30, EVERY, seed=7)
    assert predictor.generate(PROMPT, 30, EVERY, seed=7) == first
    others = {predictor.generate("", 30, EVERY, seed=seed).text for seed in range(5)}
    assert len(others) > 1
    chance = predictor.generate("", 30, EVERY)
    assert predictor.generate("", 30, EVERY, seed=chance.seed) == chance


def test_only_words_are_counted_and_pieces_come_as_they_are_made(predictor: Model) -> None:
    pieces: list[str] = []
    found = predictor.generate("", 60, EVERY, seed=1, on_piece=pieces.append)
    ends = found.words.count("<eos>")
    assert ends > 0 and len(found.words) == 60 + ends
    assert found.text.count("\n\n") == ends
    assert "".join(pieces) == found.text
    assert len(pieces) == 1 + len(found.words)
    assert found.text == predictor.loaded.tokenizer.decode(
        predictor.words.index(word) for word in found.words
    )


@pytest.mark.parametrize("sampling", [GREEDY, EVERY, Sampling(top_k=1), Sampling(top_p=0.01)])
def test_the_unknown_word_never_comes(biased: Callable[..., Model], sampling: Sampling) -> None:
    # so likely that nothing else has a probability in 32 bits
    predictor = biased(["a", "b"], unk=200.0)
    found = predictor.generate("a zebra", 20, sampling, seed=1)
    assert len(found.words) >= 20
    assert "<unk>" not in found.words and "<unk>" not in found.text


def test_paragraphs_are_never_empty(biased: Callable[..., Model]) -> None:
    predictor = biased(["a"], eos=50.0)
    assert predictor.generate("", 3, EVERY, seed=1).text == "a\n\na\n\na"
    assert predictor.generate("a", 2, EVERY, seed=1).text == "a\n\na\n\na"
    lines = biased(["a"], kind="whitespace", eos=50.0)
    assert lines.generate("a", 2, EVERY, seed=1).text == "a\na\na"


def test_a_prompt_that_ends_in_a_blank_line_is_a_whole_paragraph(predictor: Model) -> None:
    whole = "my sister reads another long letter aloud ."
    found = predictor.generate(whole + " \n\n", 5, EVERY, seed=2)
    assert found.words[0] != "<eos>"
    assert found.text.startswith(f"{whole}\n\n{found.words[0]}")
    reader = predictor.session()
    reader.read(whole)
    reader.read_ids([1])
    likeliest = predictor.generate(whole + "\n\n", 1, GREEDY).words
    assert likeliest == [p.word for p in reader.predict(k=1)]


def test_the_prompt_stays_as_it_was_typed_and_its_quotes_stay_open(
    biased: Callable[..., Model],
) -> None:
    predictor = biased(['"'], eos=-50.0)
    assert predictor.generate('He  said, "so ', 1).text == 'He  said, "so"'
    assert predictor.generate("He said", 1).text == 'He said "'


def test_a_cache_that_adapts_changes_what_comes(predictor: Model) -> None:
    prompt = "every old sailor watches the grey mouse . " * 12 + "every old sailor watches the"
    plain = predictor.generate(prompt, 1, GREEDY, adapt="none")
    assert plain.words == ["dark"]
    assert predictor.generate(prompt, 1, GREEDY, adapt="both").words == ["grey"]


def test_no_words_are_no_text(predictor: Model) -> None:
    with pytest.raises(ConfigError, match="words"):
        predictor.generate("", 0)
