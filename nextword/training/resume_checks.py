"""Which settings may change when a run is resumed."""

from __future__ import annotations

from nextword.config import Config
from nextword.errors import ConfigError
from nextword.storage.run_folder import RunFolder

CHANGEABLE_KEYS = frozenset(
    {
        "text.path",
        "text.train",
        "text.valid",
        "text.test",
        *(
            f"training.{name}"
            for name in (
                "epochs",
                "minutes",
                "learning_rate",
                "clip_norm",
                "validations",
                "patience",
                "save_every",
                "device",
                "precision",
                "threads",
                "prompts",
                "tensorboard",
            )
        ),
        *(f"mixture.{name}" for name in ("ngram", "cache", "cache_size")),
    }
)
"""Keys that affect only the steps to come; of a text, its path but not its content."""


def refuse_changes(folder: RunFolder, begun: Config, now: Config, text_changed: bool) -> None:
    """Check that a resumed run keeps its network, its words and their order.

    Args:
        folder: the run.
        begun: its configuration, resolved.
        now: that of the resume, resolved.
        text_changed: whether the text differs from that of the run's ``run.json``.

    Raises:
        ConfigError: another setting or the text changed; names every one.
    """
    before, after = dict(begun.leaves()), dict(now.leaves())
    changed = [
        f"{key} (was {before[key]!r}, now {after[key]!r})"
        for key in before
        if key not in CHANGEABLE_KEYS and before[key] != after[key]
    ]
    if text_changed or _parts(begun) != _parts(now):
        changed.insert(0, "the text")
    if changed:
        raise ConfigError(
            f"{folder.path}: {', '.join(changed)} changed since the run began; resume it without "
            "the change, or retrain under another --run"
        )


def _parts(config: Config) -> list[bool]:
    """Which files a text has, wherever they are."""
    text = config.text
    return [name is None for name in (text.path, text.train, text.valid, text.test)]
