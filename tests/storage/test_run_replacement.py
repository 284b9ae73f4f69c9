"""A run made at once: whole or not there, and never over something that must stay."""

from pathlib import Path

import pytest

from nextword.errors import ConfigError, NextwordError
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import RunFolder, run_folder
from nextword.storage.run_replacement import check_replaceable, replacing_run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(name: str, content: str = "old") -> RunFolder:
    """A run with a model, whose configuration holds some content."""
    run = run_folder(name)
    run.model.mkdir(parents=True)
    run.weights.touch()
    run.config.write_text(content)
    return run


def replace(target: RunFolder, force: bool = True) -> None:
    with replacing_run(target, force) as run:
        run.config.write_text("new")


def folders() -> set[str]:
    """What lies under ``runs/``, temporary folders included."""
    return {path.name for path in Path("runs").iterdir()}


def test_a_run_is_made_or_replaced() -> None:
    for target in (run_folder("a"), make("b")):
        replace(target)
        assert target.config.read_text() == "new"
    assert folders() == {"a", "b"}


def test_a_run_stays_without_force() -> None:
    target = make("a")
    with pytest.raises(ConfigError, match="exists already; choose another name, or add --force"):
        replace(target, force=False)
    assert target.config.read_text() == "old" and folders() == {"a"}


def test_what_is_no_run_stays_even_with_force() -> None:
    target = run_folder("a")
    target.path.mkdir(parents=True)
    (target.path / "novel.txt").write_text("mine")
    with pytest.raises(ConfigError, match="exists and is not a run"):
        replace(target)
    with pytest.raises(ConfigError, match="exists and is not a run"):
        check_replaceable(target, force=True)
    assert (target.path / "novel.txt").read_text() == "mine" and folders() == {"a"}


def test_a_run_in_training_stays() -> None:
    target = make("a")
    with (
        RunLock(target, lambda line: None),
        pytest.raises(ConfigError, match="another training is running"),
    ):
        replace(target)
    assert target.config.read_text() == "old" and folders() == {"a"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_unfinished_run_leaves_nothing(error: BaseException) -> None:
    target = make("a")
    with (
        pytest.raises((NextwordError, KeyboardInterrupt)),
        replacing_run(target, force=True) as run,
    ):
        run.config.write_text("half")
        raise error
    assert target.config.read_text() == "old" and folders() == {"a"}


def test_the_old_run_comes_back_where_the_new_one_cannot_take_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import os

    target, rename = make("a"), os.rename

    def refuse_new(source: Path, place: Path) -> None:
        if Path(source).name == "new":
            raise OSError(5, "Input/output error")
        rename(source, place)

    monkeypatch.setattr("nextword.storage.run_replacement.os.rename", refuse_new)
    with pytest.raises(NextwordError, match="Input/output error"):
        replace(target)
    assert target.config.read_text() == "old" and folders() == {"a"}
