"""A trained model with its words; what depends on the kind of model lives in its subclass."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError, ModelError
from nextword.inference import Adapt
from nextword.inference.decoder import Decoder, NgramDecoder
from nextword.inference.mixture import Mixture, open_decoder
from nextword.models.base import LanguageModel
from nextword.models.registry import build_network
from nextword.ngram.model import NgramModel
from nextword.text.tokenizer import Tokenizer


class LoadedModel(ABC):
    """A model with its words.

    Args:
        tokenizer: splits text into the model's words.
        config: the ``model`` section.
        counts: occurrences of each word in the training part, ``(vocabulary,)`` of int64.
    """

    has_network = False
    """Whether there is a network inside: to explain, to adapt, and whose memory can be measured."""
    session_adapt: Adapt = "none"
    """The default of ``adapt`` in a session."""

    def __init__(self, tokenizer: Tokenizer, config: ModelConfig, counts: Tensor) -> None:
        self.tokenizer = tokenizer
        self.config = config
        self.counts = counts
        self.mixture = Mixture()
        """What is mixed with a network."""

    @classmethod
    @abstractmethod
    def from_tensors(
        cls,
        path: Path,
        tokenizer: Tokenizer,
        config: ModelConfig,
        counts: Tensor,
        tensors: dict[str, Tensor],
    ) -> LoadedModel:
        """The model whose weights :meth:`tensors` gave.

        Args:
            path: the file they come from, for messages.
            tokenizer: the model's.
            config: the ``model`` section.
            counts: ``(vocabulary,)``.
            tensors: by name.

        Raises:
            ModelError: they are not those of such a model.
        """

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """The weights by name, a shared matrix once."""

    @abstractmethod
    def parameter_count(self) -> int:
        """Learned or counted numbers, a shared matrix once."""

    @property
    @abstractmethod
    def architecture(self) -> str:
        """In a table: ``lstm 1 x 512 + n-grams`` or ``5-gram``."""

    @property
    @abstractmethod
    def description(self) -> str:
        """In a sentence of a model card."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the model computes."""

    def to(self, device: torch.device) -> LoadedModel:
        """Itself, moved to a device where it can be."""
        return self

    @abstractmethod
    def decoder(self, adapt: Adapt = "none") -> Decoder:
        """The model at the beginning of a text.

        Raises:
            ConfigError: a model of this kind cannot adapt so.
        """

    @property
    def network(self) -> LanguageModel:
        """The network.

        Raises:
            ModelError: the model has none.
        """
        raise ModelError(
            f"a model of kind {self.config.kind} has no network; name another with --model"
        )

    def word_vectors(self) -> Tensor:
        """The embedding, ``(vocabulary, size)`` on the CPU.

        Raises:
            ModelError: the model has none.
        """
        raise ModelError(
            f"a model of kind {self.config.kind} has no word vectors; name a network with --model"
        )

    def with_mixture(self, mixture: Mixture) -> LoadedModel:
        """The same model with something else mixed in."""
        other = copy.copy(self)
        other.mixture = mixture
        return other

    def alone(self) -> LoadedModel:
        """The same model without what is mixed in."""
        return self.with_mixture(Mixture())


class LoadedNetwork(LoadedModel):
    """A network, perhaps mixed with other parts.

    Args:
        model: the network.
        tokenizer: splits text into the model's words.
        config: the ``model`` section.
        counts: ``(vocabulary,)`` of int64.
        mixture: what is mixed in.
    """

    has_network = True
    session_adapt: Adapt = "cache"

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        config: ModelConfig,
        counts: Tensor,
        mixture: Mixture | None = None,
    ) -> None:
        super().__init__(tokenizer, config, counts)
        self.model = model
        self.mixture = mixture or Mixture()

    @classmethod
    def from_tensors(
        cls,
        path: Path,
        tokenizer: Tokenizer,
        config: ModelConfig,
        counts: Tensor,
        tensors: dict[str, Tensor],
    ) -> LoadedNetwork:
        _check_shapes(path, config, len(tokenizer), tensors)
        # the fresh weights are overwritten, and must not use up the caller's random numbers
        with torch.random.fork_rng(devices=[]):
            model = build_network(config, len(tokenizer))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(tensors[name])
        return cls(model.eval(), tokenizer, config, counts)

    def tensors(self) -> dict[str, Tensor]:
        return {name: parameter.detach() for name, parameter in self.model.named_parameters()}

    def parameter_count(self) -> int:
        return self.model.parameter_count()

    @property
    def architecture(self) -> str:
        mixed = " + n-grams" if self.mixture.ngram is not None else ""
        title = self.config.architecture.title
        return f"{title} {self.config.layers} x {self.config.hidden_size}{mixed}"

    @property
    def description(self) -> str:
        return (
            f"Network: {self.config.kind}, layers: {self.config.layers}, "
            f"units: {self.config.hidden_size}"
        )

    @property
    def device(self) -> torch.device:
        return self.model.output.weight.device

    def to(self, device: torch.device) -> LoadedNetwork:
        self.model.to(device)
        return self

    def decoder(self, adapt: Adapt = "none") -> Decoder:
        return open_decoder(self.model, self.mixture, len(self.tokenizer), adapt)

    @property
    def network(self) -> LanguageModel:
        return self.model

    def word_vectors(self) -> Tensor:
        if self.config.input == "one_hot":
            raise ModelError(
                "a network with model.input: one_hot has no word vectors; name another with --model"
            )
        return self.model.vectors.weight.detach().float().cpu()


class LoadedNgrams(LoadedModel):
    """Counted n-grams.

    Args:
        model: the n-grams, on the CPU.
        tokenizer: splits text into the model's words.
        config: the ``model`` section.
        counts: ``(vocabulary,)`` of int64.
    """

    def __init__(
        self, model: NgramModel, tokenizer: Tokenizer, config: ModelConfig, counts: Tensor
    ) -> None:
        super().__init__(tokenizer, config, counts)
        self.model = model

    @classmethod
    def from_tensors(
        cls,
        path: Path,
        tokenizer: Tokenizer,
        config: ModelConfig,
        counts: Tensor,
        tensors: dict[str, Tensor],
    ) -> LoadedNgrams:
        model = read_ngrams(path, tensors, len(tokenizer), config.order)
        return cls(model, tokenizer, config, counts)

    def tensors(self) -> dict[str, Tensor]:
        return self.model.tensors()

    def parameter_count(self) -> int:
        return self.model.parameter_count()

    @property
    def architecture(self) -> str:
        return f"{self.config.order}-gram"

    @property
    def description(self) -> str:
        return f"N-grams of up to {self.config.order} words, interpolated modified Kneser-Ney"

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")  # n-grams are always looked up there

    def decoder(self, adapt: Adapt = "none") -> Decoder:
        if adapt != "none":
            raise ConfigError(
                "an n-gram model does not adapt to the text it reads; use --adapt none"
            )
        return NgramDecoder(self.model, self.device)

    def with_mixture(self, mixture: Mixture) -> LoadedModel:
        return self  # nothing can be mixed in


FAMILIES: dict[str, type[LoadedModel]] = {"ngram": LoadedNgrams}
"""The class of each ``model.kind`` that is not a network."""


def family_of(config: ModelConfig) -> type[LoadedModel]:
    """The class that holds a trained model of a kind."""
    return FAMILIES.get(config.kind, LoadedNetwork)


def read_ngrams(path: Path, tensors: dict[str, Tensor], vocabulary: int, order: int) -> NgramModel:
    """The n-gram model in the tensors of a file.

    Raises:
        ModelError: they describe none of this vocabulary and order; the message names the file.
    """
    try:
        return NgramModel.from_tensors(tensors, vocabulary, order)
    except ValueError as error:
        raise ModelError(f"{path}: {error}; the file is damaged, train again") from None


def _check_shapes(
    path: Path, config: ModelConfig, vocabulary_size: int, tensors: dict[str, Tensor]
) -> None:
    """Compare shapes before memory or time is spent on sizes that a config merely claims."""
    expected: dict[str, torch.Size] = {}
    with suppress(RuntimeError, TypeError, ValueError, OverflowError):  # sizes beyond all bounds
        # every layer has a tensor of its own
        if config.layers <= len(tensors):
            with torch.device("meta"):
                model = build_network(config, vocabulary_size)
            expected = {name: parameter.shape for name, parameter in model.named_parameters()}
    for name in sorted(expected.keys() | tensors.keys()):
        actual, wanted = tensors.get(name), expected.get(name)
        if actual is None or actual.shape != wanted or actual.dtype != torch.float32:
            raise ModelError(f"{path}: the tensor {name} does not fit config.json")
