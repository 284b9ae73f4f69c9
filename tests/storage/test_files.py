"""A file is its old content or its new content, and a damaged one is one clear error."""

import os
import stat
from pathlib import Path

import pytest

from nextword.errors import ModelError, NextwordError
from nextword.storage.files import (
    check_own_files,
    read_json,
    remove_leftovers,
    replacing,
    write_atomically,
    write_json,
    write_output,
)


def test_a_file_is_made_with_its_folders_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "note.txt"
    write_atomically(path, "first, and longer")
    write_atomically(path, "zweite ü")
    assert path.read_bytes() == "zweite ü".encode()
    assert [file.name for file in path.parent.iterdir()] == ["note.txt"]


def test_a_file_has_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "note.txt", b"x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "note.txt").stat().st_mode) == 0o640


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NextwordError, match=r"note\.txt: cannot be written \(No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["note.txt"]


def test_an_interrupt_in_a_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"new")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["note.txt"]


def test_file_and_folder_are_on_the_disk_in_the_right_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    sync, replace = os.fsync, os.replace

    def noted_sync(handle: int) -> None:
        happened.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def noted_replace(source: str, target: Path) -> None:
        happened.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_atomically(tmp_path / "note.txt", "x")
    assert happened == ["file", "rename", "folder"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with replacing(tmp_path / "note.txt"):
        (left,) = tmp_path.iterdir()
    for name in ("note.tmp", ".hidden", left.name):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"note.txt", "note.tmp", ".hidden"}


def test_a_folder_that_cannot_be_made_is_an_error_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NextwordError, match="cannot be written"):
        write_atomically(tmp_path / "file" / "note.txt", "x")


def test_json_round_trip_keeps_letters_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"word": "naïve", "list": [1, 2.5, None]})
    assert "naïve" in path.read_text(encoding="utf-8")
    assert read_json(path) == {"word": "naïve", "list": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1', "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[1, 2]", "does not hold a JSON object"),
        (None, "cannot be read"),
    ],
)
def test_unusable_json_is_one_line_that_names_the_file(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        read_json(path, ModelError)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_of_a_folder_lies_in_it_and_is_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "own").touch()
    (folder / "link").symlink_to("own")
    names = ("own", "link", "absent")
    check_own_files(folder, names, ModelError)
    (tmp_path / "secret").touch()
    (folder / "absent").symlink_to("../secret")
    with pytest.raises(ModelError, match="absent: is a link out of its folder"):
        check_own_files(folder, names, ModelError)
    (folder / "absent").unlink()
    os.mkfifo(folder / "absent")
    with pytest.raises(ModelError, match="absent: is not a regular file"):
        check_own_files(folder, names, ModelError)


def test_what_a_user_names_is_written_behind_links_and_into_pipes(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write_output(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "new"
    write_output(tmp_path / "fresh" / "a.txt", "made")
    assert (tmp_path / "fresh" / "a.txt").read_text() == "made"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_output(tmp_path / "pipe", b"through")
    assert os.read(reader, 100) == b"through" and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    os.close(reader)
    with pytest.raises(NextwordError, match="cannot be written"):
        write_output(tmp_path, "into a folder")
