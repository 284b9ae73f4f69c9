"""How large the gradient of each weight usually is, as training found it.

Dynamic evaluation takes large steps where gradients are small. A matrix keeps the mean squares of
its rows and of its columns, whose outer product stands for those of its entries (Adafactor, Shazeer
and Stern, 2018), in a hundredth of its size or less.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nextword.inference.networks import Array, Shapes, Weights

ROWS, COLUMNS = ".rows", ".columns"


def compact(squares: Mapping[str, Array]) -> dict[str, Array]:
    """The mean squares to keep, of all gradients of each weight.

    Args:
        squares: mean square of the gradient of each entry, by the weight's name.
    """
    kept: dict[str, Array] = {}
    for name, array in squares.items():
        if array.ndim == 2:
            kept[name + ROWS], kept[name + COLUMNS] = array.mean(1), array.mean(0)
        else:
            kept[name] = array
    return kept


def compact_shapes(weights: Weights) -> Shapes:
    """The shapes of what :func:`compact` keeps for some weights."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, array in weights.items():
        if array.ndim == 2:
            shapes[name + ROWS], shapes[name + COLUMNS] = array.shape[:1], array.shape[1:]
        else:
            shapes[name] = array.shape
    return shapes


def relative_sizes(kept: Mapping[str, Array], names: list[str]) -> list[Array]:
    """Root mean square gradient of each entry, relative to the mean over the whole network.

    Args:
        kept: what :func:`compact` returned.
        names: the weights to return, in order.
    """
    roots = [np.sqrt(kept[name] if name in kept else _product(kept, name)) for name in names]
    total = sum(float(root.sum(dtype=np.float64)) for root in roots)
    mean = max(total / sum(root.size for root in roots), np.finfo(np.float32).tiny)
    return [(root / mean).astype(np.float32) for root in roots]


def _product(kept: Mapping[str, Array], name: str) -> Array:
    rows, columns = kept[name + ROWS], kept[name + COLUMNS]
    mean = max(float(rows.mean()), np.finfo(np.float32).tiny)
    product: Array = np.outer(rows / mean, columns)
    return product
