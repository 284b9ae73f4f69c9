"""The ways in which a model adapts to the text that it reads."""

from __future__ import annotations

from typing import Literal

Adapt = Literal["none", "cache", "dynamic", "both"]
"""Not at all, by a cache of the recent text, by learning on (dynamic evaluation), or by both."""
ADAPTATIONS: tuple[Adapt, ...] = ("none", "cache", "dynamic", "both")
