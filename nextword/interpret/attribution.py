"""Which of the words before it a prediction rests on, asked in two ways.

*Gradient times input* is how fast the log-probability changes as a word's vector is scaled:
sum_i x_i d log p / d x_i, exact for infinitely small changes and cheap. *Left out* is what happens
to the log-probability once the word is gone: it is read as ``<unk>``, so that every other word
keeps its place. The two agree for a linear network and tell of its bends where they do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nextword.models.base import LanguageModel, State
from nextword.models.feedforward import FeedForwardModel
from nextword.models.layers import WordVectors
from nextword.text.vocabulary import UNKNOWN_ID

MOST_WORDS = 100
"""The last words that are looked at; those before are read all the same."""
_ROWS = 32
"""Texts with a word left out that are read side by side."""


@dataclass(frozen=True)
class Attribution:
    """What one word has to do with a prediction; positive speaks for it."""

    word: str
    gradient_bits: float
    """Gradient times input of the prediction's log-probability, in bits."""
    left_out_bits: float
    """How much less likely the prediction is when this word is read as unknown, in bits."""


def attributions(
    model: LanguageModel, words: Tensor, spelled: list[str], target: int
) -> list[Attribution]:
    """What each of the last words of a text has to do with a prediction.

    Args:
        model: the network, in evaluation mode.
        words: the text's ids ``(words,)`` from its beginning.
        spelled: the same words to be read.
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
    """How fast the target's log-probability grows with each word's vector, ``(words,)`` in nats.

    Args:
        model: the network, in evaluation mode.
        words: ``(words,)``, at least one.
        state: what was remembered before them.
        target: the word whose log-probability after all of them is looked at.
    """
    vectors: list[Tensor] = []

    def keep(module: WordVectors, inputs: tuple[Tensor], made: Tensor) -> Tensor:
        vectors.append(made.detach().requires_grad_())
        return vectors[-1]

    assert isinstance(model.vectors, WordVectors)
    hook = model.vectors.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            told = _last_log_probabilities(model, words[None], state)[0, target]
            (gradient,) = torch.autograd.grad(told, vectors)
    finally:
        hook.remove()
    product = (gradient * vectors[0].detach())[0].sum(-1)
    return _by_word(model, product, len(words))


def _by_word(model: LanguageModel, product: Tensor, count: int) -> Tensor:
    """Sums per looked-up vector as sums per word of the text."""
    if not isinstance(model, FeedForwardModel):
        return product
    # one row for each place, of which the last is asked; or one for each word, those before first
    seen = product[-1] if model.one_hot else product
    found = torch.zeros(count)
    reached = min(count, len(seen))
    found[count - reached :] = seen[len(seen) - reached :]
    return found


@torch.no_grad()
def left_out(model: LanguageModel, words: Tensor, state: State, target: int) -> Tensor:
    """How much of the target's log-probability each word carries, ``(words,)`` in nats.

    Args:
        model: the network, in evaluation mode.
        words: ``(words,)``, at least one.
        state: what was remembered before them.
        target: the word whose log-probability after all of them is looked at.
    """
    count = len(words)
    texts = words.repeat(count + 1, 1)
    # the last text is whole
    texts[torch.arange(count), torch.arange(count)] = UNKNOWN_ID
    told = [
        _last_log_probabilities(
            model, piece, tuple(part.expand(len(piece), *part.shape[1:]) for part in state)
        )[:, target]
        for piece in torch.split(texts, _ROWS)
    ]
    found = torch.cat(told)
    return found[-1] - found[:-1]


def _last_log_probabilities(model: LanguageModel, words: Tensor, state: State) -> Tensor:
    """After the last of some words, ``(batch, vocabulary)`` in nats."""
    features, _ = model.features(words, tuple(part.contiguous() for part in state))
    scores: Tensor = model.output(features[:, -1])
    return scores.log_softmax(1)
