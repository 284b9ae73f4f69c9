"""A folder that was verified is trusted until one of its files changes, and no longer."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nextword.storage import verified
from nextword.storage.verified import is_verified, mark_verified, signature

NAMES = ("a", "b", "missing")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTWORD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Makes the clock of later calls some seconds later, as if one had waited."""
    now = time.time_ns

    def later(seconds: float) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: now() + int(seconds * 1e9))

    return later


@pytest.fixture
def folder(tmp_path: Path, wait: Callable[[float], None]) -> Path:
    """A folder that was verified a while after it was written."""
    folder = tmp_path / "model"
    make_folder(folder)
    wait(10)
    verify(folder)
    return folder


def make_folder(folder: Path) -> None:
    folder.mkdir()
    (folder / "a").write_text("one")
    (folder / "b").write_text("two")


def verify(folder: Path, names: tuple[str, ...] = NAMES) -> None:
    mark_verified(folder, names, signature(folder, names))


def test_a_verified_folder_is_remembered_under_any_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_verified(folder, NAMES)
    monkeypatch.chdir(folder)
    assert is_verified(Path(), NAMES)
    (tmp_path / "link").symlink_to(folder)
    assert is_verified(tmp_path / "link", NAMES)


def test_other_files_and_other_folders_are_not(folder: Path, tmp_path: Path) -> None:
    assert not is_verified(folder, ("a", "b"))
    assert not is_verified(folder, (*NAMES, "more"))
    shutil.copytree(folder, tmp_path / "copy")
    assert not is_verified(tmp_path / "copy", NAMES)
    assert not is_verified(tmp_path / "nowhere", NAMES)


def changed_in_place(folder: Path) -> None:
    (folder / "a").write_text("ONE")


def changed_with_its_time_put_back(folder: Path) -> None:
    before = (folder / "a").stat()
    (folder / "a").write_text("ONE")
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(folder: Path) -> None:
    shutil.copy2(folder / "a", folder / "new")
    (folder / "new").replace(folder / "a")


def removed(folder: Path) -> None:
    (folder / "b").unlink()


def added(folder: Path) -> None:
    (folder / "missing").touch()


def folder_replaced(folder: Path) -> None:
    shutil.copytree(folder, folder.with_name("new"))
    shutil.rmtree(folder)
    folder.with_name("new").rename(folder)


@pytest.mark.parametrize(
    "change",
    [
        changed_in_place,
        changed_with_its_time_put_back,
        replaced,
        removed,
        added,
        folder_replaced,
    ],
)
def test_any_change_ends_the_trust(folder: Path, change: Callable[[Path], None]) -> None:
    time.sleep(0.02)  # longer than the file system's clock stands still
    change(folder)
    assert not is_verified(folder, NAMES)


def test_a_change_while_the_files_were_read_is_noticed(
    tmp_path: Path, wait: Callable[[float], None]
) -> None:
    folder = tmp_path / "model"
    make_folder(folder)
    wait(10)
    before = signature(folder, NAMES)
    time.sleep(0.02)
    changed_in_place(folder)
    mark_verified(folder, NAMES, before)
    wait(20)
    assert not is_verified(folder, NAMES)


@pytest.mark.parametrize("age", [-1000, 0, 1.5, 3])
def test_files_that_have_only_just_changed_are_not_trusted_yet(
    tmp_path: Path, wait: Callable[[float], None], age: float
) -> None:
    folder = tmp_path / "model"
    make_folder(folder)
    wait(age)
    before = signature(folder, NAMES)
    wait(10)  # however long the verification takes
    mark_verified(folder, NAMES, before)
    assert is_verified(folder, NAMES) == (age > 2)


def test_a_time_of_change_that_was_set_back_is_still_recent(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    make_folder(folder)
    for name in ("a", "b"):
        os.utime(folder / name, (1, 1))
    verify(folder)
    assert not is_verified(folder, NAMES)  # ctime is that of the change of times


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "verified").iterdir())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 50_000, b" " * (1 << 20) + b"{}"]
)
def test_a_damaged_entry_trusts_nothing_and_is_replaced(
    folder: Path, cache: Path, content: bytes
) -> None:
    (entry,) = entries(cache)
    entry.write_bytes(content)
    assert not is_verified(folder, NAMES)
    verify(folder)
    assert is_verified(folder, NAMES)


@pytest.mark.parametrize("key", ["schema", "nextword", "folder", "files"])
def test_every_part_of_an_entry_counts(folder: Path, cache: Path, key: str) -> None:
    (entry,) = entries(cache)
    content = json.loads(entry.read_text())
    entry.write_text(json.dumps({**content, key: "another"}))
    assert not is_verified(folder, NAMES)
    del content[key]
    entry.write_text(json.dumps(content))
    assert not is_verified(folder, NAMES)


def test_another_version_verifies_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "__version__", "9.9.9")
    assert not is_verified(folder, NAMES)


def test_nothing_in_the_folder_itself_makes_it_trusted(folder: Path, cache: Path) -> None:
    shutil.copytree(cache, folder / "cache")
    shutil.copytree(cache / "verified", folder / "verified")
    shutil.rmtree(cache)
    assert not is_verified(folder, NAMES)


def test_an_unusable_cache_is_no_error(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(cache)
    cache.write_text("not a folder")
    verify(folder)
    assert not is_verified(folder, NAMES)
    assert capsys.readouterr() == ("", "")


def test_entries_of_folders_that_are_gone_are_removed(
    folder: Path, cache: Path, tmp_path: Path, wait: Callable[[float], None]
) -> None:
    others = [tmp_path / f"other-{number}" for number in range(5)]
    for other in others:
        make_folder(other)
        wait(10)
        verify(other)
    (cache / "verified" / "junk.json").write_text("{")
    assert len(entries(cache)) == 7
    for other in others[1:]:
        shutil.rmtree(other)
    verify(folder)
    assert len(entries(cache)) == 2
    assert is_verified(folder, NAMES) and is_verified(others[0], NAMES)


def test_a_file_name_that_is_no_text_is_remembered(
    tmp_path: Path, wait: Callable[[float], None]
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        make_folder(folder)
    except OSError:
        pytest.skip("this file system takes no such names")
    wait(10)
    verify(folder)
    assert is_verified(folder, NAMES)


def test_asking_imports_nothing_heavy(folder: Path) -> None:
    code = (
        "import sys, pathlib; from nextword.storage.verified import is_verified\n"
        f"assert is_verified(pathlib.Path(sys.argv[1]), {NAMES})\n"
        "heavy = {'platformdirs', 'numpy', 'pydantic', 'torch'} & {*sys.modules}\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, folder], check=True)
