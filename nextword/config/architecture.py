"""The settings of a model that decide how it computes, without those of its training.

Inference needs only this part of a configuration, and reads it without pydantic, whose import takes
longer than a prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nextword.config.kinds import KINDS

CHOICES: dict[str, tuple[str, ...]] = {
    "activation": ("tanh", "sigmoid", "relu"),
    "input": ("embedding", "one_hot"),
}
"""The allowed values of settings that are names."""
GREATEST: dict[str, int] = {
    "embedding_size": 65_536,
    "hidden_size": 65_536,
    "layers": 100,
    "context": 1000,
    "order": 9,
}
"""The greatest allowed values of settings that are numbers; the least is 1."""


@dataclass(frozen=True)
class Architecture:
    """How a model computes; the settings are those of the ``model`` section."""

    kind: str
    activation: str
    input: str
    embedding_size: int
    hidden_size: int
    layers: int
    context: int
    order: int
    bias: bool
    tie_weights: bool

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Architecture:
        """The architecture in a ``model`` section, whose other settings are ignored.

        Raises:
            ValueError: a setting is missing or out of range; the message begins with its key.
        """
        values: dict[str, Any] = {field.name: settings.get(field.name) for field in fields(cls)}
        for key, value in values.items():
            if (problem := _problem(key, value)) is not None:
                raise ValueError(f"model.{key}: {problem}, not {value!r}")
        return cls(**values)

    @property
    def title(self) -> str:
        """The model's name in a table, such as ``lstm`` or ``rnn (tanh)``."""
        return KINDS[self.kind].title.format_map(vars(self))

    @property
    def ties(self) -> bool:
        """Whether input and output share one matrix; a one-hot input has none to share."""
        return self.tie_weights and self.input == "embedding"


def _problem(key: str, value: object) -> str | None:
    """What is wrong with a value; None if nothing is."""
    if key in GREATEST:
        in_range = type(value) is int and 1 <= value <= GREATEST[key]
        return None if in_range else f"must be a whole number from 1 to {GREATEST[key]:,}"
    if key in ("bias", "tie_weights"):
        return None if isinstance(value, bool) else "must be true or false"
    names = tuple(KINDS) if key == "kind" else CHOICES[key]
    return None if value in names else f"must be one of {', '.join(names)}"
