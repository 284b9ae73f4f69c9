"""How a network reads a prompt, word by word."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nextword.errors import ModelError
from nextword.inference.decoder import tokens_per_chunk
from nextword.inference.loaded_model import LoadedModel
from nextword.inference.sampling import top_words
from nextword.inference.session import Prediction
from nextword.models.base import Gates, LanguageModel, State
from nextword.models.layers import WordVectors
from nextword.text.tokenized import TokenizedText
from nextword.text.vocabulary import END, END_ID, SPECIAL_WORDS, UNKNOWN_ID

MOST_WORDS = 100
"""Words that are attributed, the last ones; those before are read all the same."""
_ROWS = 32
"""Texts with a word left out, read side by side."""


_NATS = math.log(2)
"""One bit in nats."""


@dataclass(frozen=True)
class Attribution:
    """How much one word supports a prediction; positive: supports it."""

    word: str
    gradient_bits: float
    """Gradient times input of the prediction's log-probability, in bits."""
    left_out_bits: float
    """How much less likely the prediction is when this word is read as unknown, in bits."""


def attributions(
    model: LanguageModel, words: Tensor, spelled: list[str], target: int
) -> list[Attribution]:
    """How much each of the last words of a text supports a prediction.

    Args:
        model: the network, in evaluation mode.
        words: the text's ids ``(words,)`` from its beginning.
        spelled: their spellings.
        target: the id of the predicted word.
    """
    skipped = max(0, len(words) - MOST_WORDS)
    state = model.initial_state(1)
    if skipped:
        with torch.no_grad():
            _, state = model.features(words[None, :skipped], state)
    last = words[skipped:]
    by_gradient = gradient_times_input(model, last, state, target) / math.log(2)
    by_leaving = left_out(model, last, state, target) / math.log(2)
    return [
        Attribution(word, float(gradient), float(change))
        for word, gradient, change in zip(spelled[skipped:], by_gradient, by_leaving, strict=True)
    ]


def gradient_times_input(model: LanguageModel, words: Tensor, state: State, target: int) -> Tensor:
    """Gradient times input of the target's log-probability for each word, ``(words,)`` in nats.

    Args:
        model: the network, in evaluation mode.
        words: ``(words,)``, at least one.
        state: before them.
        target: the word predicted after all of them.
    """
    vectors: list[Tensor] = []

    def keep(module: WordVectors, inputs: tuple[Tensor], outputs: Tensor) -> Tensor:
        vectors.append(outputs.detach().requires_grad_())
        return vectors[-1]

    hook = model.vectors.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            log_probability = _last_log_probabilities(model, words[None], state)[0, target]
            (gradient,) = torch.autograd.grad(log_probability, vectors)
    finally:
        hook.remove()
    product = (gradient * vectors[0].detach())[0].sum(-1)
    return model.values_per_word(product, len(words))


@torch.no_grad()
def left_out(model: LanguageModel, words: Tensor, state: State, target: int) -> Tensor:
    """Nats of the target's log-probability lost when each word is read as unknown, ``(words,)``.

    Args:
        model: the network, in evaluation mode.
        words: ``(words,)``, at least one.
        state: before them.
        target: the word predicted after all of them.
    """
    count = len(words)
    texts = words.repeat(count + 1, 1)
    # the last text is complete
    texts[torch.arange(count), torch.arange(count)] = UNKNOWN_ID
    log_probabilities = [
        _last_log_probabilities(
            model, piece, tuple(part.expand(len(piece), *part.shape[1:]) for part in state)
        )[:, target]
        for piece in torch.split(texts, _ROWS)
    ]
    of_target = torch.cat(log_probabilities)
    return of_target[-1] - of_target[:-1]


def _last_log_probabilities(model: LanguageModel, words: Tensor, state: State) -> Tensor:
    """After the last of some words, ``(batch, vocabulary)`` in nats."""
    features, _ = model.features(words, tuple(part.contiguous() for part in state))
    scores: Tensor = model.output(features[:, -1])
    return scores.log_softmax(1)


@dataclass(frozen=True)
class WordRead:
    """The network after one more word."""

    word: str
    """As the tokenizer spells it; the first is the end of a paragraph, where every text begins."""
    known: bool
    """Whether the vocabulary has it."""
    probability: float | None
    """Of this word, before it was read; None for the first, which nothing precedes."""
    rank: int | None
    """One more than the number of likelier words; None for the first."""
    entropy_bits: float
    """Entropy of the distribution of the next word."""
    moved: float | None
    """||h_t - h_(t-1)|| / ||h_t||, h of all layers side by side; None without a hidden state."""
    gates: list[dict[str, float]]
    """Of each layer, the mean activation of each gate over its units, from 0 to 1."""
    predictions: list[Prediction]
    """The most likely next words, never a special one."""

    def gate(self, name: str) -> float:
        """Mean activation of a gate over the layers, which all have the same width."""
        return sum(layer[name] for layer in self.gates) / len(self.gates)


@dataclass(frozen=True)
class Explanation:
    """How a network read a prompt, and which words its prediction depends on."""

    words: list[WordRead]
    """The start, then each word of the prompt."""
    prediction: Prediction
    """The most likely next word."""
    attributions: list[Attribution]
    """Of the last words, in the prompt's order."""

    @property
    def gate_names(self) -> list[str]:
        """The gates of the network's cells; empty without any."""
        gates = self.words[0].gates
        return list(gates[0]) if gates else []


class _Inside(NamedTuple):
    """The network's inside after one word, and the features ``(size,)`` of the next."""

    features: Tensor
    moved: float | None
    gates: list[dict[str, float]]


def explain(loaded: LoadedModel, text: TokenizedText, k: int = 5) -> Explanation:
    """Read a text from its beginning and record the network after each word.

    Args:
        loaded: a model whose network is on the CPU; what is mixed with it is left aside.
        text: the prompt.
        k: number of predictions after each word.

    Raises:
        ModelError: the model has no network, or gives NaN.
    """
    model = loaded.network.eval()
    vocabulary = loaded.tokenizer.words
    ids = np.concatenate([[END_ID], text.ids]).astype(np.int64)
    spelled = [END, *text.words(vocabulary)]
    words: list[WordRead] = []
    before: Tensor | None = None
    for position, (inside, log_probabilities) in enumerate(_read(model, ids)):
        probability, rank = _of_word(before, int(ids[position]))
        entropy = float(-(log_probabilities.exp() * log_probabilities).nan_to_num().sum())
        words.append(
            WordRead(
                word=spelled[position],
                known=bool(ids[position] != UNKNOWN_ID),
                probability=probability,
                rank=rank,
                entropy_bits=entropy / _NATS,
                moved=inside.moved,
                gates=inside.gates,
                predictions=_best(vocabulary, log_probabilities, k),
            )
        )
        before = log_probabilities
    assert before is not None
    best = _best(vocabulary, before, 1)
    if not best:
        raise ModelError("the vocabulary holds nothing but special words")
    target = vocabulary.index(best[0].word)
    parts = attributions(model, torch.from_numpy(ids), spelled, target)
    return Explanation(words, best[0], parts)


@torch.no_grad()
def _read(model: LanguageModel, ids: np.ndarray) -> Iterator[tuple[_Inside, Tensor]]:
    """After each word the network's inside, and the log-probabilities of the next in nats."""
    insides = list(_insides(model, torch.from_numpy(ids)))
    size = tokens_per_chunk(len(model.output.weight))
    for start in range(0, len(ids), size):
        here = insides[start : start + size]
        scores = model.output(torch.stack([inside.features for inside in here]))
        log_probabilities = scores.float().log_softmax(1)
        if log_probabilities.isnan().any():
            raise ModelError("the network's probabilities are not numbers; its weights are damaged")
        yield from zip(here, log_probabilities, strict=True)


def _insides(model: LanguageModel, words: Tensor) -> Iterator[_Inside]:
    if not model.recurrent:
        features, _ = model.features(words[None], model.initial_state(1))
        for row in features[0]:
            yield _Inside(row, None, [])
        return
    state = model.initial_state(1)
    for vectors in model.vectors(words):
        old = torch.cat(model.hidden_states(state), 1)
        state, gates = model.step(vectors[None], state)
        new = torch.cat(model.hidden_states(state), 1)
        moved = float((new - old).norm()) / max(float(new.norm()), 1e-12)
        yield _Inside(model.features_of(state)[0], moved, [_means(layer) for layer in gates])


def _means(gates: Gates) -> dict[str, float]:
    return {name: float(gate.mean()) for name, gate in gates.items()}


def _of_word(log_probabilities: Tensor | None, word: int) -> tuple[float | None, int | None]:
    """Probability and rank of a word; None where nothing precedes it."""
    if log_probabilities is None:
        return None, None
    own = log_probabilities[word]
    return float(own.exp()), 1 + int((log_probabilities > own).sum())


def _best(vocabulary: list[str], log_probabilities: Tensor, k: int) -> list[Prediction]:
    ids = np.arange(len(SPECIAL_WORDS), len(log_probabilities))
    best = top_words(log_probabilities.exp().numpy(force=True), ids, k)
    return [Prediction(vocabulary[i], probability) for i, probability in best]
