"""What ships is found beside a checkout, and nothing else is."""

from pathlib import Path

import pytest

from nextword.resources import find_resource, resource_names


def test_the_shipped_text_is_found() -> None:
    text = find_resource("data", "napoleon.txt")
    assert text is not None
    assert "Napoleon" in text.read_text(encoding="utf-8")
    assert "napoleon.txt" in resource_names("data")


@pytest.mark.parametrize("name", ["none.txt", "../pyproject.toml", "", "..", "/etc/hostname"])
def test_anything_else_is_not(name: str) -> None:
    assert find_resource("data", name) is None


def test_a_neighbour_in_site_packages_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "theirs.txt").touch()
    monkeypatch.setattr("nextword.resources._PACKAGE", tmp_path / "nextword")
    assert find_resource("data", "theirs.txt") is None
    (tmp_path / "pyproject.toml").touch()
    assert find_resource("data", "theirs.txt") == tmp_path / "data" / "theirs.txt"
