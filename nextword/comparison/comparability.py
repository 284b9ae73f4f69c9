"""Which settings runs differ in, and whether their networks were trained alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nextword.comparison.loaded_run import LoadedRun
from nextword.config.kinds import KINDS

TOLERANCE = 0.05
"""Networks that read as many words as each other, up to this share, count as trained alike."""
RATE, TEXT = "training.learning_rate", "about.text_sha256"
STUDIED = frozenset({"model.kind", "model.activation", RATE})
"""Settings that may differ: what is compared, and the learning rate that suits it."""
IRRELEVANT = frozenset(
    {
        # the text is identified by its content
        *(f"text.{name}" for name in ("path", "train", "valid", "test")),
        *(
            f"training.{name}"
            for name in ("validations", "save_every", "device", "threads", "prompts", "tensorboard")
        ),
        *(f"mixture.{name}" for name in ("ngram", "cache", "cache_size")),
    }
)
"""Settings that do not change how a network learns."""


def differing_settings(loaded_runs: Sequence[LoadedRun]) -> dict[str, list[Any]]:
    """The keys of the configuration that runs differ in, with the value of each run.

    A run without a configuration has None everywhere. Files appear by their names alone, and the
    text's content by its SHA-256.
    """
    leaves = [_leaves(run) for run in loaded_runs]
    keys = dict.fromkeys(key for run_leaves in leaves for key in run_leaves)
    differing = {}
    for key in keys:
        known = [run_leaves.get(key) for run_leaves in leaves if run_leaves]
        if any(value != known[0] for value in known[1:]):
            differing[key] = [run_leaves.get(key) for run_leaves in leaves]
    return differing


def _leaves(loaded_run: LoadedRun) -> dict[str, Any]:
    config, record = loaded_run.shareable_config, loaded_run.record
    if config is None:
        return {}
    return {**dict(config.leaves()), TEXT: None if record is None else record.text_sha256}


@dataclass(frozen=True)
class Comparability:
    """Whether some networks were trained alike."""

    differences: list[str]
    """What differs besides what is compared; a phrase each."""
    unknown: list[str]
    """Names of the runs that have no record of their training."""
    rates: list[float]
    """The learning rates, if they differ."""
    networks: int
    """The number of networks."""

    @property
    def sentence(self) -> str:
        """All of it in a sentence; empty for fewer than two networks."""
        if self.networks < 2:
            return ""
        if self.differences:
            differences = "; ".join(self.differences)
            return f"They were not trained alike: {differences}. This may explain the differences."
        if self.unknown:
            names = ", ".join(self.unknown)
            return f"Whether they were trained alike is unknown: no record of training for {names}."
        rates = ", ".join(f"{rate:.3g}" for rate in self.rates)
        at_rates = f", at learning rates of {rates}" if rates else ""
        return f"They were trained alike on the same words{at_rates}."


def _concerns(key: str, values: Sequence[Any], networks: Sequence[LoadedRun]) -> bool:
    """Whether a setting differs among the networks whose kind has it."""
    name = key.removeprefix("model.")
    if not any(name in kind.own_settings for kind in KINDS.values()):
        return True
    owned = [
        value
        for value, run in zip(values, networks, strict=True)
        if name in KINDS[run.loaded.architecture.kind].own_settings
    ]
    return any(value != owned[0] for value in owned[1:])


def comparability(loaded_runs: Sequence[LoadedRun]) -> Comparability:
    """Whether the networks among some runs were trained alike; n-grams are not trained."""
    networks = [run for run in loaded_runs if run.loaded.has_network]
    settings = differing_settings(networks)
    differences = [
        f"{key} ({', '.join(map(str, values))})"
        for key, values in settings.items()
        if key not in STUDIED | IRRELEVANT | {TEXT} and _concerns(key, values, networks)
    ]
    if TEXT in settings:
        differences.insert(0, "on different texts")
    counts = [run.log.words for run in networks]
    known = [count for count in counts if count is not None]
    if known and max(known) > (1 + TOLERANCE) * min(known):
        read = ", ".join("?" if count is None else f"{count:,}" for count in counts)
        differences.append(f"words read ({read})")
    unknown = [run.name for run in networks if run.config is None or run.log.words is None]
    rates = [rate for rate in settings.get(RATE, []) if rate is not None]
    return Comparability(differences, unknown, rates, len(networks))
