"""Which registry a user's words name."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextword.errors import ConfigError
from nextword.hub.directory import DirectoryRegistry
from nextword.hub.hugging_face import HubRepository
from nextword.hub.location import open_registry


@pytest.mark.parametrize("location", ["ann/war-and_peace.2", "hf://ann/war-and_peace.2"])
def test_repositories(location: str) -> None:
    registry = open_registry(location)
    assert isinstance(registry, HubRepository)
    assert (registry.location, registry.name) == ("hf://ann/war-and_peace.2", "war-and_peace.2")


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/srv/models/tolstoy", Path("/srv/models/tolstoy")),
        ("./tolstoy", Path("tolstoy")),
        ("../models/tolstoy", Path("../models/tolstoy")),
        ("~/tolstoy", Path.home() / "tolstoy"),
        ("file:///srv/war%20and%20peace", Path("/srv/war and peace")),
        ("file://localhost/srv/tolstoy", Path("/srv/tolstoy")),
        ("file:tolstoy", Path("tolstoy")),
        ("file:///C:/models", Path("C:/models")),
    ],
)
def test_directories(location: str, path: Path) -> None:
    registry = open_registry(location)
    assert isinstance(registry, DirectoryRegistry)
    assert registry.path == path


@pytest.mark.parametrize(
    "location",
    [
        "",
        "tolstoy",
        "a/b/c",
        "ann/",
        "hf://",
        "hf://ann",
        "hf://ann/a@main",
        "https://huggingface.co/ann/tolstoy",
        "ann/wär",
        "ann/-x",
        "file://server/share",
        "file:",
        "file:///a%00b",
    ],
)
def test_what_is_neither_is_refused(location: str) -> None:
    with pytest.raises(ConfigError, match="write (user/name|file:///PATH)"):
        open_registry(location)


@pytest.mark.parametrize("name", ["models/tolstoy", "models"])
def test_a_path_that_exists_is_not_taken_for_a_repository(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models/tolstoy").mkdir(parents=True)
    with pytest.raises(ConfigError, match=f"write \\./{name}( or hf://models/tolstoy)?$"):
        open_registry(name)


def test_a_location_can_be_given_again() -> None:
    for location in ("./tolstoy", "/srv/tolstoy", "hf://ann/tolstoy"):
        assert open_registry(open_registry(location).location).location == location
