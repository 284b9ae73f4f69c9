"""A model folder: everything a prediction needs and nothing that runs.

``config.json`` (which network), ``tokenizer.json`` (which words), ``model.safetensors`` (the
weights, and how often each word was read) and a ``README.md`` for people. The folder can be
copied anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from nextword.config.schema import ModelConfig
from nextword.errors import ModelError
from nextword.files import read_json, read_tensors, write_atomically, write_json, write_tensors
from nextword.models.base import LanguageModel
from nextword.models.build import build_model
from nextword.text.tokenizer import Tokenizer
from nextword.version import __version__

FORMAT = "nextword-model"
FORMAT_VERSION = 1
CONFIG, TOKENIZER, WEIGHTS, CARD = "config.json", "tokenizer.json", "model.safetensors", "README.md"
COUNTS = "vocabulary.counts"
"""The tensor, beside the weights, of how often each word stands in the training part."""


@dataclass(frozen=True)
class LoadedModel:
    """A network with its words.

    ``counts``, ``(vocabulary,)`` of int64, says how often each word stood in the training part.
    """

    model: LanguageModel
    tokenizer: Tokenizer
    config: ModelConfig
    counts: Tensor


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


def save_weights(folder: Path, model: LanguageModel, counts: Tensor) -> None:
    """Replace the weights of a model folder; a shared matrix is stored once."""
    tensors = {name: parameter.detach() for name, parameter in model.named_parameters()}
    metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION)}
    write_tensors(folder / WEIGHTS, {**tensors, COUNTS: counts}, metadata)


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
    model = _with_weights(folder / WEIGHTS, config, len(tokenizer), tensors)
    return LoadedModel(model.eval(), tokenizer, config, counts)


def _model_config(path: Path, described: dict[str, object]) -> ModelConfig:
    if described.get("format") != FORMAT:
        raise ModelError(f"{path}: is not a nextword model")
    if described.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"{path}: has format version {described.get('format_version')}, this program reads "
            f"{FORMAT_VERSION}; use the nextword version that wrote it or train again"
        )
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
