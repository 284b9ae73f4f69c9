from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS, UNKNOWN_ID

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"


def lines(name: str, part: str) -> list[list[str]]:
    text = (CORPORA / name / f"{part}.txt").read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines()]


@pytest.mark.skipif(not CORPORA.exists(), reason="the shared corpora are not here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [("ptb", {3: 157.8, 5: 148.0}), ("war-and-peace-tokens", {3: 107.3, 5: 104.8})],
)
def test_it_is_as_good_as_kenlm(name: str, expected: dict[int, float]) -> None:
    """Perplexities of ``lmplz`` on the same files, ends of lines included."""
    index = {word: number for number, word in enumerate(SPECIAL_WORDS)}
    train = [
        number
        for words in lines(name, "train")
        for number in (*(index.setdefault(word, len(index)) for word in words), END_ID)
    ]
    valid = np.array(
        [
            number
            for words in lines(name, "valid")
            for number in (*(index.get(word, UNKNOWN_ID) for word in words), END_ID)
        ]
    )
    for order, perplexity in expected.items():
        model = NgramModel.fit(np.array(train), len(index), order)
        start = model.initial_context()
        contexts = np.concatenate([start[None], model.contexts(valid[:-1], start)])
        nats = 0.0
        for begin in range(0, len(valid), 256):
            rows = np.log(model.probabilities(contexts[begin : begin + 256]))
            words = valid[begin : begin + 256]
            nats -= float(rows[np.arange(len(words)), words].sum(dtype=np.float64))
        assert math.exp(nats / len(valid)) == pytest.approx(perplexity, rel=5e-3)
