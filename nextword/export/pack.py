"""A trained model as one small compressed file, for the engine of the web page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.export.container import compressed_size, write_container
from nextword.export.ngram_sections import ngram_sections
from nextword.export.prune import prune
from nextword.export.quantize import LEVELS, MOST_STEPS, quantize, word_levels
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.inference.mixture import CACHE_SHARE
from nextword.inference.networks import NETWORKS
from nextword.ngram.model import NgramModel
from nextword.ngram.tree import Tree
from nextword.text.spacing import Spacing

MAX_BYTES = 7_000_000
"""Bytes of a packed model, if pruning its n-grams can do it; in a page they take a seventh more."""
RECURRENT_LEVELS = 3 * LEVELS
"""Of weights between hidden layers."""
PROJECTION_LEVELS = MOST_STEPS * LEVELS
"""Of the small matrix through which every prediction goes."""
_TRIALS = 6
"""Numbers of n-grams tried, at most, until they fit."""

Sections = dict[str, NDArray[Any]]


def pack(loaded: LoadedModel, max_bytes: int = MAX_BYTES) -> bytes:
    """The model, compressed.

    Args:
        loaded: any model but a registered cell.
        max_bytes: n-grams are pruned until all takes no more. The network is never cut, so a large
            one may take more, and then has no n-grams of several words beside it.

    Raises:
        ModelError: it is a network of a kind that the page has no equations for, or a weight is no
            number.
    """
    network: Sections = {}
    if isinstance(loaded, LoadedNgrams):
        ngram: NgramModel | None = loaded.model
    else:
        kind = loaded.architecture.kind
        if kind not in NETWORKS:
            raise ModelError(
                f"a network of kind {kind} cannot run in a web page, which has the equations of "
                f"{', '.join(NETWORKS)} only"
            )
        ngram = loaded.mixture.ngram
        network = _network_sections(loaded)
    header = _header(loaded)
    if ngram is None:
        return write_container(header, network)

    def written(tree: Tree) -> bytes:
        described = {"order": len(tree.sizes), "sizes": list(tree.sizes)}
        return write_container(header | {"ngram": described}, network | ngram_sections(tree))

    # all: those without a suffix go
    whole = prune(ngram.tree, loaded.counts, len(ngram.tree.words))
    packed = written(whole)
    if len(packed) <= max_bytes:
        return packed
    available = max_bytes - len(written(prune(whole, loaded.counts, 0)))
    return written(_fitting(whole, loaded.counts, available))


def _header(loaded: LoadedModel) -> dict[str, Any]:
    tokenizer, mixture = loaded.tokenizer, loaded.mixture
    return {
        "title": loaded.title,
        "architecture": asdict(loaded.architecture),
        "tokenizer": {"kind": tokenizer.kind, "lowercase": tokenizer.lowercase},
        "words": tokenizer.words,
        "spacing": None if tokenizer.spacing is None else _spacing(tokenizer.spacing),
        "ngram": None,
        "cache": {**asdict(mixture.cache), "share": CACHE_SHARE} if loaded.has_network else None,
        # the page calls its parts network, ngrams and cache
        "weights": {
            names.replace("ngram", "ngrams"): weights.as_dict()
            for names, weights in mixture.weights.items()
        },
    }


def _spacing(spacing: Spacing) -> dict[str, Any]:
    """As :meth:`.Spacing.save` stores it."""
    return {
        "sides": ["".join(map(str, side)) for side in spacing.sides.tolist()],
        "glued": [pair for pair, glued in spacing.pairs.items() if glued],
        "spaced": [pair for pair, glued in spacing.pairs.items() if not glued],
    }


def _network_sections(loaded: LoadedModel) -> Sections:
    """A matrix as four sections, ``NAME.coarse`` and so on; a bias as one."""
    arrays: Mapping[str, NDArray[Any]] = loaded.arrays()
    sections: Sections = {}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelError(
                f"the model's weights {name} are not all numbers; they are damaged, or its "
                "training went wrong"
            )
        if array.ndim == 1:
            sections[name] = array
            continue
        quantized = quantize(array, _levels(name, len(array), loaded.counts))
        sections |= {f"{name}.{part}": value for part, value in quantized._asdict().items()}
    return sections


def _levels(name: str, rows: int, counts: NDArray[np.integer]) -> NDArray[np.floating]:
    """Levels for each row of a matrix."""
    if name in ("vectors.weight", "output.weight"):
        # one-hot words of a feed-forward network: a matrix for each position of the context
        return np.tile(word_levels(counts), rows // len(counts))
    levels = PROJECTION_LEVELS if name == "projection.weight" else RECURRENT_LEVELS
    return np.full(rows, float(levels))


def _fitting(tree: Tree, counts: NDArray[np.integer], available: int) -> Tree:
    """The tree with as many n-grams as take some bytes, or with none of two words or more."""
    fitting, least, most = prune(tree, counts, 0), 0, len(tree.words)
    for _ in range(_TRIALS):
        middle = (least + most) // 2
        candidate = prune(tree, counts, middle)
        if compressed_size(ngram_sections(candidate)) <= available:
            fitting, least = candidate, middle
        else:
            most = middle
    return fitting
