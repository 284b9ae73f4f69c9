"""The kinds of model that ``model.kind`` may name: an open registry."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelKind:
    """A kind of model, as the configuration knows it."""

    name: str
    """The value of ``model.kind``."""
    meaning: str
    """A short description for the reference."""
    title: str
    """The name in tables; a template of keys of the ``model`` section, such as
    ``rnn ({activation})``."""
    own_settings: frozenset[str] = frozenset()
    """Keys of the ``model`` section that only some kinds have, this one among them."""


KINDS: dict[str, ModelKind] = {}
"""By name, in the order in which the reference lists them."""


def register_kind(kind: ModelKind) -> ModelKind:
    """Let ``model.kind`` name a further kind.

    Raises:
        ValueError: another kind has that name, or the name is not made of letters, digits and _.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind.name):
        raise ValueError(f"{kind.name!r}: a kind's name is made of small letters, digits and _")
    if KINDS.setdefault(kind.name, kind) != kind:
        raise ValueError(f"{kind.name}: another kind has that name")
    return kind


for _kind in (
    ModelKind("rnn", "the standard RNN", "rnn ({activation})", frozenset({"activation"})),
    ModelKind("lstm", "long short-term memory", "lstm"),
    ModelKind("gru", "gated recurrent unit", "gru"),
    ModelKind(
        "feedforward",
        "a feed-forward network, which has no memory",
        "feedforward",
        frozenset({"activation", "context"}),
    ),
    ModelKind(
        "ngram",
        "counted n-grams, interpolated modified Kneser-Ney",
        "ngram",
        frozenset({"order"}),
    ),
):
    register_kind(_kind)
