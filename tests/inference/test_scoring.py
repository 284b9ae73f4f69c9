"""Each word's probability, and what they come to: the figures of an evaluation."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.config.schema import ModelConfig
from nextword.errors import ModelError, TextError
from nextword.evaluation.evaluator import evaluate
from nextword.evaluation.held_out import read_text
from nextword.inference.loaded_model import LoadedNgrams
from nextword.model import Model
from nextword.ngram.model import NgramModel
from nextword.text.tokenized import tokenize_files

TEXT = "Napoleon was the Emperor of France . my zebra reads another letter ."


@pytest.fixture
def predictor(tiny_run: SimpleNamespace) -> Model:
    found: Model = tiny_run.result.model
    return found


def test_every_word_has_the_probability_that_a_reader_gave_it(predictor: Model) -> None:
    scored = predictor.score(TEXT).words
    assert [word.word for word in scored] == TEXT.split()
    reader = predictor.session()
    for word in scored:
        answer = reader.probabilities()
        number = predictor.words.index(word.word) if word.known else 0
        assert word.probability == pytest.approx(float(answer[number]), rel=1e-4)
        assert word.bits == pytest.approx(-math.log2(word.probability), abs=1e-9)
        assert word.rank == 1 + int((answer > answer[number]).sum())
        assert word.likeliest == predictor.words[int(answer.argmax())]
        reader.read(word.word)
    assert [word.word for word in scored if not word.known] == ["zebra"]
    assert scored[5].rank == 1 and scored[5].word == scored[5].likeliest == "France"


def test_the_sums_are_those_of_an_evaluation(predictor: Model, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(f"{TEXT}\n\nthe old sailor drinks tea .\n")
    loaded = predictor.loaded
    text = read_text(loaded.tokenizer, [str(path)], "utf-8")
    measured = evaluate(loaded.decoder(), text, loaded.tokenizer, loaded.counts)
    score = predictor.score(tokenize_files(loaded.tokenizer, [str(path)], "utf-8"))
    assert len(score.words) == measured.tokens and score.characters == measured.characters
    assert score.perplexity == pytest.approx(measured.perplexity, rel=1e-5)
    assert score.bits_per_character == pytest.approx(measured.bits_per_character, rel=1e-5)
    assert score.unknown == 2 and score.spelling_bits > 10
    assert score.bits == pytest.approx(
        sum(word.bits + word.spelling_bits for word in score.words), rel=1e-9
    )


def test_an_end_is_scored_where_the_text_shows_it(predictor: Model) -> None:
    sentence = "Napoleon was the Emperor of France ."
    open_ended, over = predictor.score(sentence), predictor.score(sentence + "\n\n")
    assert [w.word for w in over.words] == [*(w.word for w in open_ended.words), "<eos>"]
    assert over.characters == open_ended.characters + 1 == len(sentence) + 1
    two = predictor.score(f"{sentence}\n\n{sentence}")
    assert [w.word for w in two.words].count("<eos>") == 1


def test_a_text_without_words_cannot_be_scored(predictor: Model) -> None:
    for text in ("", " \n\n"):
        with pytest.raises(TextError, match="no word"):
            predictor.score(text)


def test_counted_n_grams_score_too_and_progress_is_told(predictor: Model) -> None:
    tokenizer, counts = predictor.loaded.tokenizer, predictor.loaded.counts
    ids = np.array([1, *tokenizer.encode("the old sailor . " * 30)])
    counted = NgramModel.fit(ids, len(tokenizer), order=3)
    settings = ModelConfig(kind="ngram", order=3).model_dump(mode="json")
    answer: list[int] = []
    score = Model(LoadedNgrams(counted, tokenizer, settings, counts)).score(
        "the old sailor . " * 100, progress=answer.append
    )
    assert sum(answer) == len(score.words) == 400
    assert score.perplexity < 1.2
    assert all(word.rank == 1 for word in score.words[4:])


def test_adapting_pays_on_a_text_that_repeats_itself(predictor: Model) -> None:
    text = "my uncle guards every letter . " * 20
    assert predictor.score(text, adapt="both").bits < 0.8 * predictor.score(text).bits


def test_impossible_words_and_damaged_models(predictor: Model) -> None:
    from nextword.evaluation.score import score
    from nextword.inference.decoder import (
        Decoder,
        Distributions,
        ModelReadout,
        softmax_distributions,
    )
    from nextword.text.tokenized import tokenize_string

    class CertainReadout(ModelReadout):
        def __init__(self, rows: int) -> None:
            self.scores = np.full((rows, len(predictor.words)), -math.inf, dtype=np.float32)
            self.scores[:, 1] = 0

        def distributions(self, rows: slice = slice(None)) -> Distributions:
            scores = self.scores[rows]
            return Distributions(np.exp(scores), np.zeros((len(scores), 0), np.float32), scores)

    class DamagedReadout(CertainReadout):
        def distributions(self, rows: slice = slice(None)) -> Distributions:
            return softmax_distributions(np.full_like(self.scores[rows], math.nan))

    class Fixed(Decoder):
        def __init__(self, readout: type[CertainReadout]) -> None:
            self.readout = readout

        def read(self, ids: NDArray[np.int64]) -> ModelReadout:
            return self.readout(len(ids))

    passage = tokenize_string(predictor.loaded.tokenizer, "the\n\n")
    impossible = score(Fixed(CertainReadout), passage, predictor.words)
    assert impossible.words[0].probability == 0 and math.isfinite(impossible.bits)
    assert impossible.words[1].bits == 0 and math.isfinite(impossible.perplexity)
    with pytest.raises(ModelError, match="damaged"):
        score(Fixed(DamagedReadout), passage, predictor.words)
