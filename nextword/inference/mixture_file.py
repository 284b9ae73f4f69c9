"""What is mixed with a network, as files in its model folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from nextword.device import from_numpy, to_numpy
from nextword.errors import ModelError
from nextword.inference.cache import CacheSettings
from nextword.inference.gating import GatingWeights
from nextword.inference.loaded_model import read_ngrams
from nextword.inference.mixture import Mixture, combination, combinations, num_gate_features
from nextword.storage.files import read_json, write_json
from nextword.storage.integrity import (
    FINGERPRINT,
    FORMAT,
    FORMAT_VERSION,
    check_format,
    verify_checksum,
    verify_fingerprint,
    with_checksum,
)
from nextword.storage.tensors import read_model_tensors, write_model_tensors

MIXTURE, NGRAM = "mixture.json", "ngram.safetensors"
MOST_KEPT = 100_000
"""Places that a cache keeps, at most: what a file asks for beyond that is refused."""
SHARPEST = 1e6
"""The same of how sharply it looks."""


def write_mixture(folder: Path, mixture: Mixture, fingerprint: str) -> None:
    """Write what is mixed with the network of a model folder, the n-grams first.

    Args:
        folder: the model folder.
        mixture: what is mixed.
        belongs: which model it was made for.
    """
    if mixture.ngram is not None:
        write_model_tensors(folder / NGRAM, to_numpy(mixture.ngram.tensors()), fingerprint)
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


def read_mixture(folder: Path, vocabulary: int, fingerprint: str) -> Mixture:
    """Read what is mixed with the network of a model folder; nothing, where nothing is there.

    Args:
        folder: the model folder.
        vocabulary: words that the network knows.
        belongs: which model it must have been made for.

    Raises:
        ModelError: a file is missing, damaged, foreign, or of another model.
    """
    path = folder / MIXTURE
    if not path.exists():
        return Mixture()
    described = read_json(path, ModelError)
    check_format(path, described)
    verify_checksum(path, described)
    verify_fingerprint(path, described.get(FINGERPRINT), fingerprint)
    order, cache, weights = (described.get(key) for key in ("ngram_order", "cache", "weights"))
    try:
        if order is not None and (type(order) is not int or order < 1):
            raise ValueError("ngram_order is no whole number above zero")
        settings, weighed = _cache_settings(cache), _weights(weights, order or 0)
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: {error}; the file is damaged, train again") from None
    if order is None:
        return Mixture(None, settings, weighed)
    arrays, told = read_model_tensors(folder / NGRAM)
    tensors = from_numpy(arrays)
    verify_fingerprint(folder / NGRAM, told, fingerprint)
    return Mixture(read_ngrams(folder / NGRAM, tensors, vocabulary, order), settings, weighed)


def _cache_settings(described: object) -> CacheSettings:
    if not isinstance(described, dict):
        raise ValueError("cache is missing")
    settings = CacheSettings(**described)
    size, sharpness = settings.size, settings.sharpness
    # asked this way round, a NaN is refused too
    if type(size) is not int or not (0 < size <= MOST_KEPT and 0 <= sharpness <= SHARPEST):
        raise ValueError("cache is out of range")
    return settings


def _weights(described: object, order: int) -> dict[str, GatingWeights]:
    if not isinstance(described, dict):
        raise ValueError("weights are missing")
    found = {}
    for names, numbers in described.items():
        parts = names.split("+")
        if names not in combinations(order > 0):
            raise ValueError(f"weights of {names}, which are no parts of this mixture")
        found[names] = GatingWeights.from_dict(numbers, len(parts), num_gate_features(names, order))
    if order and combination(ngram=True, cache=False) not in found:
        raise ValueError("weights of the n-gram model are missing")
    return found
