"""What a network does with a text, word by word as it reads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nextword.errors import ModelError
from nextword.inference.decoder import positions_at_once
from nextword.inference.model_folder import LoadedModel
from nextword.inference.passage import Passage
from nextword.inference.ranking import top_words
from nextword.inference.session import Prediction
from nextword.interpret.attribution import Attribution, attributions
from nextword.interpret.steps import Gates, features_of, hidden_states, is_recurrent, read_word
from nextword.models.base import LanguageModel
from nextword.models.recurrent import RecurrentModel
from nextword.text.vocabulary import END, END_ID, SPECIAL_WORDS, UNKNOWN_ID

_NATS = math.log(2)
"""One bit in nats."""


@dataclass(frozen=True)
class WordRead:
    """The network after it has read one more word."""

    word: str
    """As the tokenizer spells it; the first is the end of a paragraph, where every text begins."""
    known: bool
    """Whether the vocabulary has it."""
    probability: float | None
    """What the network had given to it; None for the first, which nothing foretold."""
    rank: int | None
    """One more than the words that were likelier; None for the first."""
    entropy_bits: float
    """How unsure the network is of the next word: the entropy of its forecast."""
    moved: float | None
    """||h_t - h_(t-1)|| / ||h_t||, h of all layers side by side; None without a hidden state."""
    gates: list[dict[str, float]]
    """Of each layer how open its gates are: the mean over its units, from 0 to 1."""
    predictions: list[Prediction]
    """The likeliest next words, never a special one."""

    def gate(self, name: str) -> float:
        """How open a gate is on average over the layers, which all have the same width."""
        return sum(layer[name] for layer in self.gates) / len(self.gates)


@dataclass(frozen=True)
class Explanation:
    """How a network read a text, and what its last prediction rests on."""

    words: list[WordRead]
    """The start, then each word of the text."""
    prediction: Prediction
    """The word that is likeliest to come."""
    attributions: list[Attribution]
    """What the last words have to do with it, in the text's order; the last belongs to the last
    word read."""

    @property
    def gate_names(self) -> list[str]:
        """The gates that the network has, none unless it is an LSTM or GRU."""
        gates = self.words[0].gates
        return list(gates[0]) if gates else []


class _Looked(NamedTuple):
    """One word's traces in the network, and the features of what comes next ``(size,)``."""

    features: Tensor
    moved: float | None
    gates: list[dict[str, float]]


def explain(loaded: LoadedModel, passage: Passage, k: int = 5) -> Explanation:
    """Read a text from its beginning and tell what the network does at each word.

    Args:
        loaded: the network, on the CPU; what is mixed with it is left aside.
        passage: the text.
        k: how many predictions to name after each word.

    Raises:
        ModelError: the model has no network, or says things that are no probabilities.
    """
    model = loaded.network.eval()
    ids = np.concatenate([[END_ID], passage.ids]).astype(np.int64)
    words = torch.from_numpy(ids)
    spelled = [END, *passage.words]
    read: list[WordRead] = []
    before: Tensor | None = None
    for place, (looked, told) in enumerate(_told(model, words)):
        probability, rank = _given(before, int(ids[place]))
        read.append(
            WordRead(
                word=spelled[place],
                known=bool(ids[place] != UNKNOWN_ID),
                probability=probability,
                rank=rank,
                entropy_bits=float(-(told.exp() * told).nan_to_num().sum()) / _NATS,
                moved=looked.moved,
                gates=looked.gates,
                predictions=_best(loaded, told, k),
            )
        )
        before = told
    assert before is not None
    best = _best(loaded, before, 1)
    if not best:
        raise ModelError("the vocabulary holds nothing but special words")
    target = loaded.tokenizer.words.index(best[0].word)
    return Explanation(read, best[0], attributions(model, words, spelled, target))


@torch.no_grad()
def _told(model: LanguageModel, words: Tensor) -> Iterator[tuple[_Looked, Tensor]]:
    """After each word what is seen inside, and the log-probabilities of the next, in nats."""
    places = positions_at_once(model.output.weight.shape[0])
    looks = list(_looks(model, words))
    for start in range(0, len(looks), places):
        piece = looks[start : start + places]
        scores = model.output(torch.stack([looked.features for looked in piece]))
        told = scores.float().log_softmax(1)
        if told.isnan().any():
            raise ModelError("the network's probabilities are not numbers; its weights are damaged")
        yield from zip(piece, told, strict=True)


def _looks(model: LanguageModel, words: Tensor) -> Iterator[_Looked]:
    if isinstance(model, RecurrentModel) and is_recurrent(model):
        yield from _steps(model, words)
        return
    features, _ = model.features(words[None], model.initial_state(1))
    for row in features[0]:
        yield _Looked(row, None, [])


def _steps(model: RecurrentModel, words: Tensor) -> Iterator[_Looked]:
    state = model.initial_state(1)
    for vectors in model.vectors(words):
        step = read_word(model, vectors[None], state)
        old = torch.cat(hidden_states(model, state), 1)
        new = torch.cat(hidden_states(model, step.state), 1)
        moved = float((new - old).norm()) / max(float(new.norm()), 1e-12)
        state = step.state
        yield _Looked(features_of(model, state)[0], moved, [_openness(g) for g in step.gates])


def _openness(gates: Gates) -> dict[str, float]:
    return {name: float(gate.mean()) for name, gate in gates.items()}


def _given(told: Tensor | None, word: int) -> tuple[float | None, int | None]:
    """Probability and rank of a word that came; nothing where nothing was told before."""
    if told is None:
        return None, None
    return float(told[word].exp()), 1 + int((told > told[word]).sum())


def _best(loaded: LoadedModel, told: Tensor, k: int) -> list[Prediction]:
    allowed = torch.ones(len(told), dtype=torch.bool)
    allowed[: len(SPECIAL_WORDS)] = False
    names = loaded.tokenizer.words
    return [Prediction(names[i], value) for i, value in top_words(told.exp(), allowed, k)]
