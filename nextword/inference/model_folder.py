"""A model folder: everything a prediction needs and nothing that runs.

``config.json`` (which model), ``tokenizer.json`` (which words), ``model.safetensors`` (the
weights, and how often each word was read), a ``README.md`` for people and, where a network is
mixed with other parts, ``mixture.json`` and ``ngram.safetensors``. It can be copied anywhere.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError, ModelError
from nextword.inference.adaptation import Adapt
from nextword.inference.decoder import Decoder
from nextword.inference.mixture import Mixture, open_network
from nextword.inference.mixture_file import MIXTURE, NGRAM, ngrams_of, read_mixture, write_mixture
from nextword.inference.ngram import NgramDecoder
from nextword.models.base import LanguageModel
from nextword.models.registry import build_model
from nextword.ngram.model import NgramModel
from nextword.storage.files import (
    check_own_files,
    read_json,
    write_atomically,
    write_json,
    write_tensors,
)
from nextword.storage.integrity import (
    FORMAT,
    FORMAT_VERSION,
    check_format,
    metadata,
    model_fingerprint,
    read_model_tensors,
    verify_fingerprint,
)
from nextword.text.tokenizer import Tokenizer
from nextword.version import __version__

CONFIG, TOKENIZER, WEIGHTS, CARD = "config.json", "tokenizer.json", "model.safetensors", "README.md"
COUNTS = "vocabulary.counts"
"""The tensor, beside the weights, of how often each word stands in the training part."""


@dataclass(frozen=True)
class LoadedModel:
    """A model with its words.

    ``model`` is a network or, where ``config.kind`` is ``ngram``, counted n-grams. ``counts``,
    ``(vocabulary,)`` of int64, says how often each word stood in the training part. ``mixture``
    holds what is mixed with a network.
    """

    model: LanguageModel | NgramModel
    tokenizer: Tokenizer
    config: ModelConfig
    counts: Tensor
    mixture: Mixture = field(default_factory=Mixture)

    @property
    def has_network(self) -> bool:
        """Whether the model is a network, mixed with other parts or not."""
        return not isinstance(self.model, NgramModel)

    @property
    def architecture(self) -> str:
        """Kind and size in short: ``lstm 1 x 512 + n-grams``, or ``5-gram``."""
        if isinstance(self.model, NgramModel):
            return f"{self.model.order}-gram"
        mixed = " + n-grams" * (self.mixture.ngram is not None)
        return f"{self.config.title} {self.config.layers} x {self.config.hidden_size}{mixed}"

    def parameter_count(self) -> int:
        """Learned numbers, a shared matrix counted once; of n-grams, those that were counted."""
        return self.model.parameter_count()

    @property
    def network(self) -> LanguageModel:
        """The network.

        Raises:
            ModelError: the model is none.
        """
        if isinstance(self.model, NgramModel):
            raise ModelError("an n-gram model has no network inside; name another with --model")
        return self.model

    @property
    def device(self) -> torch.device:
        """Where the model computes; n-grams are always looked up on the CPU."""
        if isinstance(self.model, NgramModel):
            return torch.device("cpu")
        return self.model.output.weight.device

    def to(self, device: torch.device) -> LoadedModel:
        """Itself, the network moved to a device."""
        if not isinstance(self.model, NgramModel):
            self.model.to(device)
        return self

    def decoder(self, adapt: Adapt = "none") -> Decoder:
        """A place at the beginning of a text.

        Args:
            adapt: how to adapt to what is read.

        Raises:
            ConfigError: an n-gram model cannot adapt.
        """
        if not isinstance(self.model, NgramModel):
            return open_network(self.model, self.mixture, len(self.tokenizer), adapt)
        if adapt != "none":
            raise ConfigError("an n-gram model does not adapt to what it reads; use --adapt none")
        return NgramDecoder(self.model, self.device)


def save_model(folder: Path, loaded: LoadedModel, card: str) -> None:
    """Write a whole model folder; ``card`` is the text of its README.md."""
    loaded.tokenizer.save(folder / TOKENIZER)
    write_json(
        folder / CONFIG,
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "nextword_version": __version__,
            "vocabulary_size": len(loaded.tokenizer),
            "parameters": loaded.model.parameter_count(),
            "model": loaded.config.model_dump(mode="json"),
        },
    )
    write_atomically(folder / CARD, card)
    save_weights(folder, loaded)


def save_weights(folder: Path, loaded: LoadedModel) -> None:
    """Replace the weights of a model folder; a shared matrix is stored once."""
    if isinstance(loaded.model, NgramModel):
        tensors = loaded.model.tensors()
    else:
        tensors = {name: parameter.detach() for name, parameter in loaded.model.named_parameters()}
    fingerprint = model_fingerprint(loaded.tokenizer, loaded.config.model_dump(mode="json"))
    write_tensors(folder / WEIGHTS, {**tensors, COUNTS: loaded.counts}, metadata(fingerprint))


def save_mixture(folder: Path, mixture: Mixture) -> None:
    """Write what is mixed with the network of a model folder."""
    _, fingerprint = read_model_tensors(folder / WEIGHTS)
    write_mixture(folder, mixture, fingerprint)


def load_model_folder(folder: Path) -> LoadedModel:
    """Read a model folder onto the CPU, ready to predict.

    Raises:
        ModelError: a file is missing, damaged, from another program or a later version, or the
            files do not belong together.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder")
    check_own_files(folder, (CONFIG, TOKENIZER, WEIGHTS, MIXTURE, NGRAM), ModelError)
    described = read_json(folder / CONFIG, ModelError)
    config = _model_config(folder / CONFIG, described)
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    if described.get("vocabulary_size") != len(tokenizer):
        raise ModelError(
            f"{folder / TOKENIZER}: has {len(tokenizer)} words where {CONFIG} says "
            f"{described.get('vocabulary_size')}; the files do not belong together"
        )
    tensors, told = read_model_tensors(folder / WEIGHTS)
    counts = tensors.pop(COUNTS, None)
    if counts is None or counts.shape != (len(tokenizer),) or counts.dtype != torch.int64:
        raise ModelError(f"{folder / WEIGHTS}: holds no usable {COUNTS}; the file is damaged")
    fingerprint = model_fingerprint(tokenizer, described["model"])
    if config.kind == "ngram":
        ngrams = ngrams_of(folder / WEIGHTS, tensors, len(tokenizer), config.order)
        verify_fingerprint(folder / WEIGHTS, told, fingerprint)
        return LoadedModel(ngrams, tokenizer, config, counts)
    _check_shapes(folder / WEIGHTS, config, len(tokenizer), tensors)
    verify_fingerprint(folder / WEIGHTS, told, fingerprint)
    model = _with_weights(config, len(tokenizer), tensors)
    mixture = read_mixture(folder, len(tokenizer), fingerprint)
    return LoadedModel(model.eval(), tokenizer, config, counts, mixture)


def _model_config(path: Path, described: dict[str, object]) -> ModelConfig:
    check_format(path, described)
    try:
        # where the vectors came from is history: their file need not exist any more
        return ModelConfig.model_validate(described.get("model"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("model", *first["loc"]))
        raise ModelError(f"{path}: {key}: {first['msg']}") from None


def _check_shapes(
    path: Path, config: ModelConfig, vocabulary_size: int, tensors: dict[str, Tensor]
) -> None:
    """Compare shapes before memory or time is taken for what a config merely claims."""
    expected: dict[str, torch.Size] = {}
    with suppress(RuntimeError, TypeError, ValueError, OverflowError):  # sizes beyond all bounds
        # every layer has a tensor of its own
        if config.layers <= len(tensors):
            with torch.device("meta"):
                model = build_model(config, vocabulary_size)
            expected = {name: parameter.shape for name, parameter in model.named_parameters()}
    for name in sorted(expected.keys() | tensors.keys()):
        there, wanted = tensors.get(name), expected.get(name)
        if there is None or there.shape != wanted or there.dtype != torch.float32:
            raise ModelError(f"{path}: the tensor {name} does not fit {CONFIG}")


def _with_weights(
    config: ModelConfig, vocabulary_size: int, tensors: dict[str, Tensor]
) -> LanguageModel:
    # the fresh weights are drawn for nothing, and must not cost the caller its own draws
    with torch.random.fork_rng(devices=[]):
        model = build_model(config, vocabulary_size)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])
    return model
