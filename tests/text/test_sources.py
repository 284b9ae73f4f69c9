"""Which files a text is made of: folders with empty files, closed input, texts that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextword.errors import TextError
from nextword.text.sources import text_files


def test_empty_files_of_a_folder_are_left_out_and_named(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text("words" if number == 3 else "")
    lines: list[str] = []
    assert [file.name for file in text_files(tmp_path, lines.append)] == ["3.txt"]
    (line,) = lines
    assert str(tmp_path / "0.txt") in line and line.endswith("and 2 more: empty, left out")


def test_a_folder_of_empty_files_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (tmp_path / "b.txt").touch()
    with pytest.raises(TextError, match="every file in the folder is empty"):
        text_files(tmp_path)
    with pytest.raises(TextError, match=r"a\.txt is empty"):
        text_files(tmp_path / "a.txt")


def test_closed_standard_input_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextword.text.sources._spooled", {})
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(TextError, match="standard input is closed; name a file"):
        text_files("-")


def test_the_text_that_ships_is_named_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (shipped,) = text_files("data/napoleon.txt")
    assert shipped.is_absolute() and shipped.exists()
    with pytest.raises(TextError, match=r"^napoleon\.txt: no such .* ships is data/napoleon\.txt"):
        text_files("napoleon.txt")
    with pytest.raises(TextError, match=r"napoleon\.txt: no such file or folder; check the path"):
        text_files("elsewhere/napoleon.txt")
    with pytest.raises(TextError, match=r"other\.txt: no such file or folder; check the path"):
        text_files("data/other.txt")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "napoleon.txt").write_text("own")
    assert text_files("data/napoleon.txt") == [Path("data/napoleon.txt")]
