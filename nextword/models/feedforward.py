"""The contrast: a network without memory, which sees only the last few words."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nextword.config.schema import ModelConfig
from nextword.models.base import LanguageModel, State
from nextword.models.layers import WindowDropout, WordVectors, readout
from nextword.text.vocabulary import END_ID

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
}


class FeedForwardModel(LanguageModel):
    """The neural probabilistic language model of Bengio and others (2003).

    Its state is no memory of its own: only the last ``context - 1`` word ids, which the next
    window needs to see its first words in context.

    Args:
        config: the ``model`` section.
        vocabulary_size: words the network knows.
    """

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.context = config.context
        self.one_hot = config.input == "one_hot"
        hidden, vectors = config.hidden_size, config.embedding_size
        rows = vocabulary_size * (self.context if self.one_hot else 1)
        self.vectors = WordVectors(rows, hidden if self.one_hot else vectors, config.word_dropout)
        self.vocabulary_size = vocabulary_size
        layers: list[nn.Module] = []
        for index in range(config.layers):
            if index or not self.one_hot:
                size = hidden if index else self.context * vectors
                layers.append(nn.Linear(size, hidden, bias=config.bias))
            layers.append(ACTIVATIONS[config.activation]())
            layers.append(WindowDropout(config.dropout))
        self.layers = nn.Sequential(*layers)
        rate = config.dropout if config.input_dropout is None else config.input_dropout
        self.input_dropout = WindowDropout(rate)
        self.projection, self.output = readout(config, vocabulary_size, self.vectors.weight)

    def initial_state(self, batch_size: int) -> State:
        """The words before the first: ends of paragraphs, ``(batch, context - 1)``."""
        shape = (batch_size, self.context - 1)
        return (torch.full(shape, END_ID, device=self.vectors.weight.device),)

    def features(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        seen = torch.cat([state[0], words], dim=1)
        # (batch, time, context): the words that each position sees, the oldest first
        contexts = seen.unfold(1, self.context, 1)
        if self.one_hot:
            # one matrix for each position of the context, stored one below the other
            offsets = torch.arange(self.context, device=words.device) * self.vocabulary_size
            inputs = self.vectors(contexts + offsets).sum(2)
        else:
            vectors = self.input_dropout(self.vectors(seen))
            inputs = vectors.unfold(1, self.context, 1).transpose(2, 3).flatten(2)
        features = self.projection(self.layers(inputs))
        return features, (seen[:, words.shape[1] :],)

    def values_per_word(self, values: Tensor, words: int) -> Tensor:
        # one-hot: one row per position, and the last row predicts; otherwise one value per word,
        # the words of the state first
        seen = values[-1] if self.one_hot else values
        reached = min(words, len(seen))
        per_word = torch.zeros(words)
        per_word[words - reached :] = seen[len(seen) - reached :]
        return per_word
