"""Which words of the prompt a prediction depends on, by two methods.

*Gradient times input* is the derivative of the log-probability as a word's vector is scaled:
sum_i x_i d log p / d x_i, exact for infinitely small changes and cheap (Shrikumar and others,
2016). *Left out* is the change of the log-probability when the word is read as ``<unk>``, so that
every other word keeps its position (Li, Monroe and Jurafsky, 2016). The two agree for a linear
network; where they differ, the network is far from linear.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nextword.models.base import LanguageModel, State
from nextword.models.layers import WordVectors
from nextword.text.vocabulary import UNKNOWN_ID

MOST_WORDS = 100
"""Words that are attributed, the last ones; those before are read all the same."""
_ROWS = 32
"""Texts with a word left out, read side by side."""


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
