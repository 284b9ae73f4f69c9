"""Which text a configuration means, by a path that holds from any folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nextword.config import Config
from nextword.errors import TextError
from nextword.resources import find_resource

SHIPPED_TEXT = "napoleon.txt"
"""What is trained on where no text is named."""


def with_text(config: Config) -> Config:
    """The configuration with the text it means, by a path that holds from anywhere."""
    text = config.text
    if text.train is not None:
        named = {"train": text.train, "valid": text.valid, "test": text.test}
        update: dict[str, Any] = {part: _absolute(path) for part, path in named.items() if path}
    else:
        path = text.path if text.path is not None else str(_shipped_text())
        update = {
            "path": [_absolute(p) for p in path] if isinstance(path, list) else _absolute(path)
        }
    return config.model_copy(update={"text": text.model_copy(update=update)})


def _shipped_text() -> Path:
    path = find_resource("data", SHIPPED_TEXT)
    if path is None:
        raise TextError(f"{SHIPPED_TEXT}: the shipped text is missing; install nextword again")
    return path


def _absolute(path: str) -> str:
    if path == "-" or Path(path).exists():
        return path if path == "-" else str(Path(path).resolve())
    found = (
        find_resource("data", Path(path).name)
        if Path(path).parent in (Path(), Path("data"))
        else None
    )
    return path if found is None else str(found)


def stem(config: Config) -> str:
    """A short name for the text, after its first file."""
    source = config.text.train or config.text.path
    first = source[0] if isinstance(source, list) else source
    return "text" if first in (None, "-") else Path(str(first)).name.split(".")[0] or "text"
