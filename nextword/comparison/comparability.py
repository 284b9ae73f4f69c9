"""In what runs differ, and whether they were trained alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nextword.comparison.loaded_run import LoadedRun

ENOUGH = 0.05
"""Trainings that read as much as each other, up to this share, read alike."""
RATE, TEXT = "training.learning_rate", "about.text_sha256"
STUDIED = frozenset({"model.kind", "model.activation", RATE})
"""Settings in which runs trained alike may differ: what is compared, and the rate of each."""
ASIDE = frozenset(
    {
        # the text is known by its content
        *(f"text.{name}" for name in ("path", "train", "valid", "test")),
        *(f"model.{name}" for name in ("context", "order")),
        *(
            f"training.{name}"
            for name in ("validations", "save_every", "device", "threads", "prompts", "tensorboard")
        ),
        *(f"mixture.{name}" for name in ("ngram", "cache", "cache_size")),
    }
)
"""Settings that change nothing of how a network learns, or belong to one kind alone."""


def differing_settings(loaded_runs: Sequence[LoadedRun]) -> dict[str, list[Any]]:
    """Keys of the configuration in which runs differ, with each run's value.

    Args:
        contenders: those without a configuration have None everywhere. Files are told by their
            names alone, and the text's content by its SHA-256.
    """
    told = [_leaves(each) for each in loaded_runs]
    keys = dict.fromkeys(key for leaves in told for key in leaves)
    rows = {key: [leaves.get(key) for leaves in told] for key in keys}
    known = {key: [row[i] for i, leaves in enumerate(told) if leaves] for key, row in rows.items()}
    return {
        key: row for key, row in rows.items() if any(v != known[key][0] for v in known[key][1:])
    }


def _leaves(loaded_run: LoadedRun) -> dict[str, Any]:
    config, record = loaded_run.shareable_config, loaded_run.record
    if config is None:
        return {}
    return {**dict(config.leaves()), TEXT: None if record is None else record.text_sha256}


@dataclass(frozen=True)
class Comparability:
    """Whether some networks were trained alike."""

    differences: list[str]
    """In what, besides what is compared, they were not; a phrase for each."""
    unknown: list[str]
    """Names of those of which it is not known how they were trained."""
    rates: list[float]
    """Their learning rates, where these differ."""
    networks: int
    """How many these are."""

    @property
    def sentence(self) -> str:
        """All of it, for a reader of what was found; nothing of a network alone."""
        if self.networks < 2:
            return ""
        if self.differences:
            told = "; ".join(self.differences)
            return f"They were not trained alike: {told}. What is found may be due to that."
        if self.unknown:
            told = ", ".join(self.unknown)
            return f"Whether they were trained alike is not known: nothing tells it of {told}."
        rates = ", ".join(f"{rate:.3g}" for rate in self.rates)
        each = f", at learning rates of {rates}" if rates else ""
        return f"They were trained alike on the same words{each}."


def comparability(loaded_runs: Sequence[LoadedRun]) -> Comparability:
    """Whether the networks among some runs were trained alike; n-grams have no training."""
    networks = [each for each in loaded_runs if each.loaded.config.kind != "ngram"]
    settings = differing_settings(networks)
    told = [
        f"{key} ({', '.join(map(str, values))})"
        for key, values in settings.items()
        if key not in STUDIED | ASIDE | {TEXT}
    ]
    if TEXT in settings:
        told.insert(0, "on different texts")
    words = [each.log.words for each in networks]
    read = [count for count in words if count is not None]
    if read and max(read) > (1 + ENOUGH) * min(read):
        told.append(f"words read ({', '.join('?' if w is None else f'{w:,}' for w in words)})")
    unknown = [each.name for each in networks if each.config is None or each.log.words is None]
    rates = [rate for rate in settings.get(RATE, []) if rate is not None]
    return Comparability(told, unknown, rates, len(networks))
