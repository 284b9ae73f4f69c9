"""A trained model with its words; whatever depends on the kind of model lives in a subclass."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nextword.config.architecture import Architecture
from nextword.errors import ConfigError, ModelError
from nextword.inference import ADAPTATIONS, Adapt
from nextword.inference.decoder import Decoder, NetworkDecoder, NgramDecoder, NumpyDecoder
from nextword.inference.lazy_pytorch import pytorch
from nextword.inference.mixture import Mixture, mixture_decoder
from nextword.inference.networks import NETWORKS, Weights
from nextword.ngram.model import NgramModel
from nextword.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from nextword.models.base import LanguageModel

Counts = NDArray[np.int64]


class LoadedModel(ABC):
    """A model with its words.

    Args:
        tokenizer: splits text into the model's words.
        settings: the ``model`` section, as JSON has it.
        counts: occurrences of each word in the training part, ``(vocabulary,)``.

    Raises:
        ValueError: the settings describe no model.
    """

    has_network = False
    """Whether it has a network, which can be explained and adapted and whose memory is measured."""
    session_adapt: Adapt = "none"
    """The default of ``adapt`` in a session."""

    def __init__(self, tokenizer: Tokenizer, settings: Mapping[str, Any], counts: Counts) -> None:
        self.tokenizer = tokenizer
        self.settings = settings
        self.architecture = Architecture.from_settings(settings)
        self.counts = counts
        self.mixture = Mixture()
        """What is mixed with a network."""
        self.gradients: Weights = {}
        """How large a network's gradients were in training, if that is known; see
        :mod:`nextword.inference.gradient_sizes`."""

    @classmethod
    @abstractmethod
    def from_arrays(
        cls,
        path: Path,
        tokenizer: Tokenizer,
        settings: Mapping[str, Any],
        counts: Counts,
        arrays: Weights,
        verify: bool = True,
    ) -> LoadedModel:
        """The model whose weights :meth:`arrays` gave.

        Args:
            path: the file they come from, for messages.
            tokenizer: the model's.
            settings: the ``model`` section.
            counts: ``(vocabulary,)``.
            arrays: by name; may be mapped from the file.
            verify: check the numbers, too; names and shapes are always checked.

        Raises:
            ModelError: they are not the weights of such a model.
        """

    @abstractmethod
    def arrays(self) -> Weights:
        """The weights by name, a shared matrix once."""

    def parameter_count(self) -> int:
        """Learned or counted numbers, a shared matrix once."""
        return sum(array.size for array in self.arrays().values())

    @property
    @abstractmethod
    def title(self) -> str:
        """In a table: ``lstm 1 x 512 + n-grams`` or ``5-gram``."""

    @property
    @abstractmethod
    def description(self) -> str:
        """In a sentence of a model card."""

    @property
    def device(self) -> str:
        """Where the network computes, such as ``cpu`` or ``cuda:0``; all else is on the CPU."""
        return "cpu"

    def to(self, device: str) -> LoadedModel:
        """The model with its network on a device; itself if it has none."""
        return self

    @abstractmethod
    def decoder(self, adapt: Adapt = "none") -> Decoder:
        """The model at the beginning of a text.

        Raises:
            ConfigError: a model of this kind cannot adapt so.
        """

    @property
    def network(self) -> LanguageModel:
        """The network in PyTorch, for gradients and the values of gates.

        Raises:
            ModelError: the model has none, or PyTorch is not installed.
        """
        raise ModelError(
            f"a model of kind {self.architecture.kind} has no network; name another with --model"
        )

    def word_vectors(self) -> NDArray[np.float32]:
        """The embedding, ``(vocabulary, size)``.

        Raises:
            ModelError: the model has none.
        """
        raise ModelError(
            f"a model of kind {self.architecture.kind} has no word vectors; name a network with "
            "--model"
        )

    def with_mixture(self, mixture: Mixture) -> LoadedModel:
        """The same model with another mixture."""
        other = copy.copy(self)
        other.mixture = mixture
        return other

    def alone(self) -> LoadedModel:
        """The same model without a mixture."""
        return self.with_mixture(Mixture())


class LoadedNetwork(LoadedModel):
    """A network, perhaps mixed with other parts, on the CPU.

    Args:
        weights: of the network, by name.
        tokenizer: splits text into the model's words.
        settings: the ``model`` section, as JSON has it.
        counts: ``(vocabulary,)``.
    """

    has_network = True
    session_adapt: Adapt = "cache"

    def __init__(
        self,
        weights: Weights,
        tokenizer: Tokenizer,
        settings: Mapping[str, Any],
        counts: Counts,
    ) -> None:
        super().__init__(tokenizer, settings, counts)
        self._weights = weights
        self._network: LanguageModel | None = None

    @classmethod
    def from_arrays(
        cls,
        path: Path,
        tokenizer: Tokenizer,
        settings: Mapping[str, Any],
        counts: Counts,
        arrays: Weights,
        verify: bool = True,
    ) -> LoadedNetwork:
        loaded = cls(arrays, tokenizer, settings, counts)
        architecture, size = loaded.architecture, len(tokenizer)
        network = NETWORKS.get(architecture.kind)
        shapes = pytorch().shapes(settings, size) if network is None else {}
        # each layer has an array or more: a file that claims more layers must not cost memory
        if network is not None and architecture.layers <= len(arrays):
            shapes = network.shapes(architecture, size)
        check_shapes(path, arrays, shapes)
        return loaded

    def arrays(self) -> Weights:
        return self._weights

    @property
    def title(self) -> str:
        mixed = " + n-grams" if self.mixture.ngram is not None else ""
        shape = f"{self.architecture.layers} x {self.architecture.hidden_size}"
        return f"{self.architecture.title} {shape}{mixed}"

    @property
    def description(self) -> str:
        return (
            f"Network: {self.architecture.kind}, layers: {self.architecture.layers}, "
            f"units: {self.architecture.hidden_size}"
        )

    def to(self, device: str) -> LoadedModel:
        if device == self.device:
            return self
        moved: LoadedModel = pytorch().on_device(self, device)
        return moved

    def decoder(self, adapt: Adapt = "none") -> Decoder:
        if adapt not in ADAPTATIONS:
            raise ConfigError(f"adapt: {adapt!r} is not one of {', '.join(ADAPTATIONS)}")
        cached = adapt in ("cache", "both")
        if adapt in ("dynamic", "both"):
            network: NetworkDecoder = pytorch().DynamicDecoder(self.network, self.gradients)
        else:
            network = self.network_decoder()
        return mixture_decoder(network, self.mixture, cached)

    def network_decoder(self) -> NetworkDecoder:
        """The network alone at the beginning of a text."""
        numpy_network = NETWORKS.get(self.architecture.kind)
        if numpy_network is None:  # a registered cell
            decoder: NetworkDecoder = pytorch().TorchDecoder(self.network)
            return decoder
        return NumpyDecoder(numpy_network(self.architecture, self.arrays()))

    @property
    def network(self) -> LanguageModel:
        if self._network is None:
            self._network = pytorch().build(self)
        return self._network

    def word_vectors(self) -> NDArray[np.float32]:
        if self.architecture.input == "one_hot":
            raise ModelError(
                "a network with model.input: one_hot has no word vectors; name another with --model"
            )
        return self.arrays()["vectors.weight"]


class LoadedNgrams(LoadedModel):
    """Counted n-grams.

    Args:
        model: the n-grams.
        tokenizer: splits text into the model's words.
        settings: the ``model`` section, as JSON has it.
        counts: ``(vocabulary,)``.
    """

    def __init__(
        self,
        model: NgramModel,
        tokenizer: Tokenizer,
        settings: Mapping[str, Any],
        counts: Counts,
    ) -> None:
        super().__init__(tokenizer, settings, counts)
        self.model = model

    @classmethod
    def from_arrays(
        cls,
        path: Path,
        tokenizer: Tokenizer,
        settings: Mapping[str, Any],
        counts: Counts,
        arrays: Weights,
        verify: bool = True,
    ) -> LoadedNgrams:
        order = Architecture.from_settings(settings).order
        model = read_ngrams(path, arrays, len(tokenizer), order, verify)
        return cls(model, tokenizer, settings, counts)

    def arrays(self) -> Weights:
        return self.model.arrays()

    def parameter_count(self) -> int:
        return self.model.parameter_count()

    @property
    def title(self) -> str:
        return f"{self.architecture.order}-gram"

    @property
    def description(self) -> str:
        order = self.architecture.order
        return f"N-grams of up to {order} words, interpolated modified Kneser-Ney"

    def decoder(self, adapt: Adapt = "none") -> Decoder:
        if adapt != "none":
            raise ConfigError(
                "an n-gram model does not adapt to the text it reads; use --adapt none"
            )
        return NgramDecoder(self.model)

    def with_mixture(self, mixture: Mixture) -> LoadedModel:
        return self  # nothing can be mixed in


FAMILIES: dict[str, type[LoadedModel]] = {"ngram": LoadedNgrams}
"""The class of each ``model.kind`` that is not a network."""


def family_of(kind: str) -> type[LoadedModel]:
    """The class that holds a trained model of a kind."""
    return FAMILIES.get(kind, LoadedNetwork)


def read_ngrams(
    path: Path, arrays: Weights, vocabulary: int, order: int, verify: bool = True
) -> NgramModel:
    """The n-gram model in the arrays of a file.

    Raises:
        ModelError: they are no n-grams of this vocabulary and order; the message names the file.
    """
    try:
        return NgramModel.from_arrays(arrays, vocabulary, order, verify)
    except ValueError as error:
        raise ModelError(f"{path}: {error}; the file is damaged, train again") from None


def check_shapes(path: Path, actual: Weights, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Compare the arrays of a file with those of a network.

    Raises:
        ModelError: one is missing, unexpected, or of another shape or number type.
    """
    for name in sorted(expected.keys() | actual.keys()):
        array = actual.get(name)
        if array is None or array.shape != expected.get(name) or array.dtype != np.float32:
            raise ModelError(f"{path}: the tensor {name} does not fit config.json")
