"""Where the cache is."""

import os
import sys
from pathlib import Path

import platformdirs
import pytest

from nextword.storage.cache_folder import default_cache


def test_the_cache_folder_is_the_users_choice_or_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("NEXTWORD_CACHE_DIR", str(tmp_path / "own"))
    assert default_cache() == tmp_path / "own"
    monkeypatch.setenv("NEXTWORD_CACHE_DIR", "")
    if sys.platform == "linux":
        assert default_cache() == tmp_path / "xdg" / "nextword"
    else:
        assert "nextword" in default_cache().parts


@pytest.mark.parametrize("configured", [None, "", "/somewhere", "relative", "/ends/in/slash/"])
def test_the_systems_cache_is_what_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, configured: str | None
) -> None:
    monkeypatch.delenv("NEXTWORD_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if configured is not None:
        monkeypatch.setitem(os.environ, "XDG_CACHE_HOME", configured)
    assert default_cache() == platformdirs.user_cache_path("nextword", appauthor=False)
