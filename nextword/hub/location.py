"""Which registry a user's words name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nextword.errors import ConfigError
from nextword.hub.directory import DirectoryRegistry
from nextword.hub.hugging_face import HubRepository
from nextword.hub.registry import Registry

HUB = "hf://"
_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*")
_PATH = re.compile(r"[/\\~]|[A-Za-z]:[/\\]|\.{1,2}([/\\]|$)")
"""The beginning of a path that cannot be a repository."""
_DRIVE = re.compile(r"/[A-Za-z]:/")


def open_registry(location: str) -> Registry:
    """The registry that a user names.

    Args:
        location: ``user/name`` or ``hf://user/name`` for the Hub; ``file:...`` or a path that
            begins with ``/``, ``./``, ``../`` or ``~`` for a directory.

    Raises:
        ConfigError: it is neither, or could be both.
    """
    if location.startswith(HUB):
        return HubRepository(_repository(location.removeprefix(HUB)))
    if location.startswith("file:"):
        return DirectoryRegistry(_path_of_url(location))
    if _PATH.match(location):
        return DirectoryRegistry(Path(location).expanduser())
    if location and Path(location).exists():
        # a guess could publish what was meant for a disk
        other = f" or {HUB}{location}" if _REPOSITORY.fullmatch(location) else ""
        raise ConfigError(f"{location}: exists here; write ./{location}{other}")
    return HubRepository(_repository(location))


def _repository(name: str) -> str:
    if not _REPOSITORY.fullmatch(name):
        raise ConfigError(
            f"{name!r}: write user/name for a repository of the Hugging Face Hub, or a path that "
            "begins with / or ./ for a directory"
        )
    return name


def _path_of_url(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path or "\0" in path:
        raise ConfigError(f"{url}: write file:///PATH, of a directory on this machine")
    return Path(path[1:] if _DRIVE.match(path) else path)
