"""A model folder: everything that a prediction needs, and no code.

``config.json`` (the model), ``tokenizer.json`` (its words), ``spacing.json`` (where no space stands
between them), ``model.safetensors`` (the weights, how large their gradients were, and how often
each word was read), a ``README.md`` for people and, where a network is mixed with other parts,
``mixture.json`` and ``ngram.safetensors``. The folder can be copied anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nextword import __version__
from nextword.config.architecture import Architecture
from nextword.errors import ModelError
from nextword.inference.cache import CacheSettings
from nextword.inference.gating import GatingWeights
from nextword.inference.gradient_sizes import compact_shapes
from nextword.inference.loaded_model import (
    LoadedModel,
    check_shapes,
    family_of,
    read_ngrams,
)
from nextword.inference.mixture import Mixture, combination, combinations, num_gate_features
from nextword.storage.files import (
    check_own_files,
    read_json,
    write_atomically,
    write_json,
)
from nextword.storage.integrity import (
    FINGERPRINT,
    FORMAT,
    FORMAT_VERSION,
    check_format,
    model_fingerprint,
    verify_checksum,
    verify_fingerprint,
    with_checksum,
)
from nextword.storage.tensors import read_model_tensors, write_model_tensors
from nextword.storage.verified import is_verified, mark_verified, signature
from nextword.text.spacing import FILE as SPACING
from nextword.text.tokenizer import Tokenizer

CONFIG, TOKENIZER, WEIGHTS, CARD = "config.json", "tokenizer.json", "model.safetensors", "README.md"
MIXTURE, NGRAM = "mixture.json", "ngram.safetensors"
FILES = (CONFIG, TOKENIZER, SPACING, WEIGHTS, MIXTURE, NGRAM)
"""The files that a prediction reads."""
COUNTS = "vocabulary.counts"
"""The tensor, beside the weights, of occurrences of each word in the training part."""
GRADIENTS = "gradients."
"""Prefix of the tensors, beside the weights, that say how large the gradients were."""


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
            "parameters": loaded.parameter_count(),
            "model": dict(loaded.settings),
        },
    )
    write_atomically(folder / CARD, card)
    save_weights(folder, loaded)


def save_weights(folder: Path, loaded: LoadedModel) -> None:
    """Replace the weights of a model folder."""
    fingerprint = _fingerprint(loaded.tokenizer, loaded.settings)
    gradients = {GRADIENTS + name: array for name, array in loaded.gradients.items()}
    arrays = {**loaded.arrays(), **gradients, COUNTS: loaded.counts}
    write_model_tensors(folder / WEIGHTS, arrays, fingerprint)


def _fingerprint(tokenizer: Tokenizer, model: Mapping[str, Any]) -> str:
    return model_fingerprint(tokenizer.words, tokenizer.kind, tokenizer.lowercase, model)


def save_mixture(folder: Path, mixture: Mixture) -> None:
    """Write what is mixed with the network of a model folder."""
    _, fingerprint = read_model_tensors(folder / WEIGHTS)
    write_mixture(folder, mixture, fingerprint)


def load_model_folder(folder: Path) -> LoadedModel:
    """Read a model folder onto the CPU, ready to predict; its weights are mapped, not copied.

    A folder that was verified once is not verified again while its files are unchanged.

    Raises:
        ModelError: a file is missing, damaged, from another program or a later version, or the
            files do not belong together.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder")
    check_own_files(folder, FILES, ModelError)
    verify = not is_verified(folder, FILES)
    before = signature(folder, FILES)
    loaded = _read(folder, verify)
    if verify:
        mark_verified(folder, FILES, before)
    return loaded


def _read(folder: Path, verify: bool) -> LoadedModel:
    """Read a model folder; unless it is to be verified, its files are known to be intact."""
    described = read_json(folder / CONFIG, ModelError)
    settings, architecture = _settings(folder / CONFIG, described)
    tokenizer = Tokenizer.load(folder / TOKENIZER, verify)
    if described.get("vocabulary_size") != len(tokenizer):
        raise ModelError(
            f"{folder / TOKENIZER}: has {len(tokenizer)} words where {CONFIG} says "
            f"{described.get('vocabulary_size')}; the files do not belong together"
        )
    arrays, recorded = read_model_tensors(folder / WEIGHTS, verify)
    counts = arrays.pop(COUNTS, None)
    if counts is None or counts.shape != (len(tokenizer),) or counts.dtype != np.int64:
        raise ModelError(f"{folder / WEIGHTS}: holds no usable {COUNTS}; the file is damaged")
    names = [name for name in arrays if name.startswith(GRADIENTS)]
    gradients = {name: arrays.pop(name) for name in names}
    family = family_of(architecture.kind)
    loaded = family.from_arrays(folder / WEIGHTS, tokenizer, settings, counts, arrays, verify)
    if gradients:
        shapes = compact_shapes(arrays).items()
        expected = {GRADIENTS + name: shape for name, shape in shapes}
        check_shapes(folder / WEIGHTS, gradients, expected)
        loaded.gradients = {
            name.removeprefix(GRADIENTS): array for name, array in gradients.items()
        }
    # without verification, the recorded fingerprints are compared with each other
    fingerprint = _fingerprint(tokenizer, settings) if verify else recorded
    verify_fingerprint(folder / WEIGHTS, recorded, fingerprint)
    if not loaded.has_network:
        return loaded
    return loaded.with_mixture(read_mixture(folder, len(tokenizer), fingerprint, verify))


def _settings(path: Path, described: Mapping[str, Any]) -> tuple[dict[str, Any], Architecture]:
    """The ``model`` section of config.json, and the architecture in it."""
    check_format(path, described)
    settings = described.get("model")
    if not isinstance(settings, dict):
        raise ModelError(f"{path}: model is missing; the file is damaged")
    try:
        return settings, Architecture.from_settings(settings)
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from None


MAX_CACHE_SIZE = 100_000
"""Largest cache size accepted from a file, in positions."""
MAX_SHARPNESS = 1e6
"""Largest sharpness accepted from a file."""


def write_mixture(folder: Path, mixture: Mixture, fingerprint: str) -> None:
    """Write what is mixed with the network of a model folder, the n-grams first.

    Args:
        folder: the model folder.
        mixture: what is mixed.
        fingerprint: of the model that the mixture was fitted for.
    """
    if mixture.ngram is not None:
        write_model_tensors(folder / NGRAM, mixture.ngram.arrays(), fingerprint)
    described = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        FINGERPRINT: fingerprint,
        "ngram_order": None if mixture.ngram is None else mixture.ngram.order,
        "cache": asdict(mixture.cache),
        "weights": {names: weights.as_dict() for names, weights in mixture.weights.items()},
    }
    write_json(folder / MIXTURE, with_checksum(described))
    if mixture.ngram is None:
        (folder / NGRAM).unlink(missing_ok=True)  # of an earlier part of the run


def read_mixture(folder: Path, vocabulary: int, fingerprint: str, verify: bool = True) -> Mixture:
    """Read what is mixed with the network of a model folder, which may be nothing.

    Args:
        folder: the model folder.
        vocabulary: words that the network knows.
        fingerprint: of the model; the mixture must have the same.
        verify: whether checksums are verified.

    Raises:
        ModelError: a file is missing, corrupt, not a nextword file, or of another model.
    """
    path = folder / MIXTURE
    if not path.exists():
        return Mixture()
    described = read_json(path, ModelError)
    check_format(path, described)
    if verify:
        verify_checksum(path, described)
    verify_fingerprint(path, described.get(FINGERPRINT), fingerprint)
    order, cache, weights = (described.get(key) for key in ("ngram_order", "cache", "weights"))
    try:
        if order is not None and (type(order) is not int or order < 1):
            raise ValueError("ngram_order is no whole number above zero")
        settings, fitted = _cache_settings(cache), _weights(weights, order or 0)
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: {error}; the file is damaged, train again") from None
    if order is None:
        return Mixture(None, settings, fitted)
    arrays, recorded = read_model_tensors(folder / NGRAM, verify)
    verify_fingerprint(folder / NGRAM, recorded, fingerprint)
    ngram = read_ngrams(folder / NGRAM, arrays, vocabulary, order, verify)
    return Mixture(ngram, settings, fitted)


def _cache_settings(described: object) -> CacheSettings:
    if not isinstance(described, dict):
        raise ValueError("cache is missing")
    settings = CacheSettings(**described)
    size, sharpness = settings.size, settings.sharpness
    # a NaN is not in range either
    if type(size) is not int or not (
        0 < size <= MAX_CACHE_SIZE and 0 <= sharpness <= MAX_SHARPNESS
    ):
        raise ValueError("cache is out of range")
    return settings


def _weights(described: object, order: int) -> dict[str, GatingWeights]:
    if not isinstance(described, dict):
        raise ValueError("weights are missing")
    by_parts = {}
    for names, numbers in described.items():
        parts = names.split("+")
        if names not in combinations(order > 0):
            raise ValueError(f"weights of {names}, which are no parts of this mixture")
        by_parts[names] = GatingWeights.from_dict(
            numbers, len(parts), num_gate_features(names, order)
        )
    if order and combination(ngram=True, cache=False) not in by_parts:
        raise ValueError("weights of the n-gram model are missing")
    return by_parts
