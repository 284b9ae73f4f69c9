"""A run's configuration as it is shown to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nextword.config.schema import Config


def shared_config(config: Config) -> Config:
    """A configuration for others: files by their names alone, and nothing of the machine."""
    text = {key: _named(getattr(config.text, key)) for key in ("path", "train", "valid", "test")}
    vectors = _named(config.model.vectors)
    # numbers of threads that follow from what else a machine does would round differently
    threads = config.training.threads or config.about.get("threads", 0)
    return config.model_copy(
        update={
            "text": config.text.model_copy(update=text),
            "model": config.model.model_copy(update={"vectors": vectors}),
            "training": config.training.model_copy(update={"threads": threads}),
            "about": {},
        }
    )


def _named(path: Any) -> Any:
    if isinstance(path, list):
        return [_named(each) for each in path]
    return path if path is None or path == "-" else Path(path).name
