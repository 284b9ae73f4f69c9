"""How surprising words are, in a few shades, for a terminal and for a page."""

from __future__ import annotations

from bisect import bisect_right

EDGES = (2, 4, 7, 10, 14)
"""Bits at which the next shade begins."""


def shade(bits: float) -> int:
    """The number of a word's shade, 0 for the least surprising."""
    return bisect_right(EDGES, bits)


def edge_names() -> list[str]:
    """What each shade stands for, in bits."""
    between = [f"{low}–{high}" for low, high in zip(EDGES, EDGES[1:], strict=False)]
    return [f"< {EDGES[0]}", *between, f"≥ {EDGES[-1]}"]
