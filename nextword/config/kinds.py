"""The kinds of model that ``model.kind`` may name; the registry is open to more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelKind:
    """A value of ``model.kind``."""

    name: str
    meaning: str
    """In a few words, for messages and the reference."""
    title: str
    """In a table; a format string over the fields of the ``model`` section."""


KINDS: dict[str, ModelKind] = {
    kind.name: kind
    for kind in (
        ModelKind("rnn", "the standard RNN", "rnn ({activation})"),
        ModelKind("lstm", "LSTM", "lstm"),
        ModelKind("gru", "GRU", "gru"),
        ModelKind("feedforward", "a feed-forward network without memory", "feedforward"),
        ModelKind("ngram", "counted n-grams (interpolated modified Kneser-Ney)", "ngram"),
    )
}


def register_kind(kind: ModelKind) -> None:
    """Add a kind.

    Raises:
        ValueError: its name is taken.
    """
    if kind.name in KINDS:
        raise ValueError(f"model.kind {kind.name!r} is taken")
    KINDS[kind.name] = kind
