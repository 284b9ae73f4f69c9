"""How a trained model reads a text and predicts: decoders, their mixture, sessions."""

from __future__ import annotations

from typing import Literal

Adapt = Literal["none", "cache", "dynamic", "both"]
"""How a model adapts to the text it reads: not at all, by a cache of the recent text, by dynamic
evaluation (its weights go on learning), or by both."""
ADAPTATIONS: tuple[Adapt, ...] = ("none", "cache", "dynamic", "both")
