"""The user's cache folder, for files that save time and can be made again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def default_cache() -> Path:
    """``$NEXTWORD_CACHE_DIR``, else the system's cache folder: ``~/.cache/nextword`` on Linux."""
    if folder := os.environ.get("NEXTWORD_CACHE_DIR"):
        return Path(folder)
    parent = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if sys.platform == "linux" and os.path.isabs(parent):
        return Path(parent) / "nextword"  # as platformdirs, whose import takes 5 ms
    import platformdirs

    return platformdirs.user_cache_path("nextword", appauthor=False)
