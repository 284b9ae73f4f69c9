"""A model folder: everything a prediction needs and nothing that runs.

``config.json`` (which model), ``tokenizer.json`` (which words), ``model.safetensors`` (the
weights, and how often each word was read), a ``README.md`` for people and, where a network is
mixed with other parts, ``mixture.json`` and ``ngram.safetensors``. It can be copied anywhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from nextword.config.schema import ModelConfig
from nextword.errors import ConfigError, ModelError
from nextword.files import read_json, read_tensors, write_atomically, write_json, write_tensors
from nextword.models.base import LanguageModel
from nextword.models.build import build_model
from nextword.ngram.model import NgramModel
from nextword.reading.adaptation import Adapt
from nextword.reading.base import Reading
from nextword.reading.cache import CacheSettings
from nextword.reading.ensemble import (
    Mixture,
    combination,
    combinations,
    open_network,
    signs_of,
)
from nextword.reading.mixture import Weights
from nextword.reading.ngram import NgramReading
from nextword.text.tokenizer import Tokenizer
from nextword.version import __version__

FORMAT = "nextword-model"
FORMAT_VERSION = 1
CONFIG, TOKENIZER, WEIGHTS, CARD = "config.json", "tokenizer.json", "model.safetensors", "README.md"
MIXTURE, NGRAM = "mixture.json", "ngram.safetensors"
_METADATA = {"format": FORMAT, "format_version": str(FORMAT_VERSION)}
COUNTS = "vocabulary.counts"
"""The tensor, beside the weights, of how often each word stands in the training part."""
MOST_KEPT = 100_000
"""Places that a cache keeps, at most: what a file asks for beyond that is refused."""
SHARPEST = 1e6
"""The same of how sharply it looks."""


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
    def network(self) -> LanguageModel:
        """The network.

        Raises:
            ModelError: the model is none.
        """
        if isinstance(self.model, NgramModel):
            raise ModelError("an n-gram model has no network inside; name another with --model")
        return self.model

    def to(self, device: torch.device) -> LoadedModel:
        """Itself, the network moved to a device; n-grams are always looked up on the CPU."""
        if not isinstance(self.model, NgramModel):
            self.model.to(device)
        return self

    def reading(self, adapt: Adapt = "none") -> Reading:
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
        return NgramReading(self.model, torch.device("cpu"))


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
            "model": loaded.config.model_dump(),
        },
    )
    write_atomically(folder / CARD, card)
    save_weights(folder, loaded.model, loaded.counts)


def save_weights(folder: Path, model: LanguageModel | NgramModel, counts: Tensor) -> None:
    """Replace the weights of a model folder; a shared matrix is stored once."""
    if isinstance(model, NgramModel):
        tensors = model.tensors()
    else:
        tensors = {name: parameter.detach() for name, parameter in model.named_parameters()}
    write_tensors(folder / WEIGHTS, {**tensors, COUNTS: counts}, _METADATA)


def save_mixture(folder: Path, mixture: Mixture) -> None:
    """Write what is mixed with the network of a model folder, the n-grams first."""
    if mixture.ngram is not None:
        write_tensors(folder / NGRAM, mixture.ngram.tensors(), _METADATA)
    described = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "ngram_order": None if mixture.ngram is None else mixture.ngram.order,
        "cache": asdict(mixture.cache),
        "weights": {names: weights.as_dict() for names, weights in mixture.weights.items()},
    }
    write_json(folder / MIXTURE, described)
    if mixture.ngram is None:
        (folder / NGRAM).unlink(missing_ok=True)  # of an earlier part of the run


def load_model_folder(folder: Path) -> LoadedModel:
    """Read a model folder onto the CPU, ready to predict.

    Raises:
        ModelError: a file is missing, damaged, from another program or a later version, or the
            files do not belong together.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder")
    described = read_json(folder / CONFIG, ModelError)
    config = _model_config(folder / CONFIG, described)
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    if described.get("vocabulary_size") != len(tokenizer):
        raise ModelError(
            f"{folder / TOKENIZER}: has {len(tokenizer)} words where {CONFIG} says "
            f"{described.get('vocabulary_size')}; the files do not belong together"
        )
    tensors, _ = read_tensors(folder / WEIGHTS, ModelError)
    counts = tensors.pop(COUNTS, None)
    if counts is None or counts.shape != (len(tokenizer),) or counts.dtype != torch.int64:
        raise ModelError(f"{folder / WEIGHTS}: holds no usable {COUNTS}; the file is damaged")
    if config.kind == "ngram":
        ngrams = _ngrams(folder / WEIGHTS, tensors, len(tokenizer), config.order)
        return LoadedModel(ngrams, tokenizer, config, counts)
    model = _with_weights(folder / WEIGHTS, config, len(tokenizer), tensors)
    mixture = _load_mixture(folder, len(tokenizer))
    return LoadedModel(model.eval(), tokenizer, config, counts, mixture)


def _ngrams(path: Path, tensors: dict[str, Tensor], vocabulary: int, order: int) -> NgramModel:
    try:
        return NgramModel.from_tensors(tensors, vocabulary, order)
    except ValueError as error:
        raise ModelError(f"{path}: {error}; the file is damaged, train again") from None


def _load_mixture(folder: Path, vocabulary: int) -> Mixture:
    path = folder / MIXTURE
    if not path.exists():
        return Mixture()
    described = read_json(path, ModelError)
    _check_format(path, described)
    order, cache, weights = (described.get(key) for key in ("ngram_order", "cache", "weights"))
    try:
        if order is not None and (type(order) is not int or order < 1):
            raise ValueError("ngram_order is no whole number above zero")
        settings, weighed = _cache_settings(cache), _weights(weights, order or 0)
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: {error}; the file is damaged, train again") from None
    if order is None:
        return Mixture(None, settings, weighed)
    tensors, _ = read_tensors(folder / NGRAM, ModelError)
    return Mixture(_ngrams(folder / NGRAM, tensors, vocabulary, order), settings, weighed)


def _cache_settings(described: object) -> CacheSettings:
    if not isinstance(described, dict):
        raise ValueError("cache is missing")
    settings = CacheSettings(**described)
    size, sharpness = settings.size, settings.sharpness
    # asked this way round, a NaN is refused too
    if type(size) is not int or not (0 < size <= MOST_KEPT and 0 <= sharpness <= SHARPEST):
        raise ValueError("cache is out of range")
    return settings


def _weights(described: object, order: int) -> dict[str, Weights]:
    if not isinstance(described, dict):
        raise ValueError("weights are missing")
    found = {}
    for names, numbers in described.items():
        parts = names.split("+")
        if names not in combinations(order > 0):
            raise ValueError(f"weights of {names}, which are no parts of this mixture")
        found[names] = Weights.from_dict(numbers, len(parts), signs_of(names, order))
    if order and combination(ngram=True, cache=False) not in found:
        raise ValueError("weights of the n-gram model are missing")
    return found


def _check_format(path: Path, described: dict[str, object]) -> None:
    if described.get("format") != FORMAT:
        raise ModelError(f"{path}: is not a nextword model")
    if described.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"{path}: has format version {described.get('format_version')}, this program reads "
            f"{FORMAT_VERSION}; use the nextword version that wrote it or train again"
        )


def _model_config(path: Path, described: dict[str, object]) -> ModelConfig:
    _check_format(path, described)
    try:
        # where the vectors came from is history: their file need not exist any more
        return ModelConfig.model_validate(described.get("model"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("model", *first["loc"]))
        raise ModelError(f"{path}: {key}: {first['msg']}") from None


def _with_weights(
    path: Path, config: ModelConfig, vocabulary_size: int, tensors: dict[str, Tensor]
) -> LanguageModel:
    # shapes are compared before memory is taken for what a config merely claims
    with torch.device("meta"):
        expected = {
            name: parameter.shape
            for name, parameter in build_model(config, vocabulary_size).named_parameters()
        }
    for name in sorted(expected.keys() | tensors.keys()):
        there, wanted = tensors.get(name), expected.get(name)
        if there is None or there.shape != wanted or there.dtype != torch.float32:
            raise ModelError(f"{path}: the tensor {name} does not fit {CONFIG}")
    model = build_model(config, vocabulary_size)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])
    return model
