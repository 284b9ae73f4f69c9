"""A directory as the registry: the same commands, whole revisions, and what is refused."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nextword.errors import NextwordError
from nextword.hub.directory import DirectoryRegistry
from nextword.hub.files import content_digest

Cli = Callable[..., SimpleNamespace]
Predictions = Callable[[str], list[Any]]


def pushed_revision(called: SimpleNamespace) -> str:
    """The revision that a push names."""
    assert called.code == 0, called.err
    return str(json.loads(called.out)["revision"])


def revisions(registry: Path) -> set[str]:
    """Whatever lies where the revisions are, half ones included."""
    return {path.name for path in (registry / "revisions").iterdir()}


@pytest.mark.parametrize(
    "form", ["./shelf/tolstoy", "{home}/shelf/tolstoy", "file://{home}/shelf/tolstoy"]
)
def test_a_model_comes_back_as_it_was_pushed(
    cli: Cli, home: Path, predictions: Predictions, form: str
) -> None:
    place = form.format(home=home)
    revision = pushed_revision(cli("push", "mixed", place, "--yes", "--json"))
    assert revisions(home / "shelf" / "tolstoy") == {revision}
    pulled = cli("pull", place, "--json")
    assert pulled.code == 0, pulled.err
    assert json.loads(pulled.out)["run"] == "tolstoy"
    assert predictions("tolstoy") == predictions("mixed")
    assert not [*home.glob("runs/.*")] and not any((home / "tmp").iterdir())


def test_a_revision_can_be_pinned_and_the_newest_is_the_one_pushed_last(
    cli: Cli, home: Path, predictions: Predictions
) -> None:
    first = pushed_revision(cli("push", "mixed", "./shelf", "--yes", "--json"))
    second = pushed_revision(cli("push", "tiny", "./shelf", "--yes", "--json"))
    assert cli("pull", "./shelf", "old", "--revision", first).code == 0
    assert cli("pull", "./shelf", "new").code == 0
    assert predictions("old") == predictions("mixed")
    assert predictions("new") == predictions("tiny")
    # the same model again is the same revision, and the newest
    assert pushed_revision(cli("push", "mixed", "./shelf", "--yes", "--json")) == first
    assert revisions(home / "shelf") == {first, second}
    assert cli("pull", "./shelf", "new", "--force").code == 0
    assert predictions("new") == predictions("mixed")


def test_a_revision_is_readable_for_others(cli: Cli, home: Path) -> None:
    revision = pushed_revision(cli("push", "mixed", "./shelf", "--yes", "--json"))
    (home / "plain").mkdir()
    usual = (home / "plain").stat().st_mode
    assert (home / "shelf" / "revisions" / revision).stat().st_mode == usual


@pytest.mark.parametrize("step", ["nextword.hub.files.shutil.copyfileobj", "os.rename"])
def test_a_full_disk_leaves_the_revision_before(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first = pushed_revision(cli("push", "mixed", "./shelf", "--yes", "--json"))

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(step, full)
        with pytest.raises(NextwordError, match="No space left on device.*free some space"):
            DirectoryRegistry(home / "shelf").publish(home / "runs" / "tiny" / "model")
        failed = cli("pull", "./shelf")
    assert failed.code == 1 and "free some space" in failed.err and failed.err.count("\n") == 1
    assert not Path("runs/shelf").exists() and not [*home.glob("runs/.*")]
    assert revisions(home / "shelf") == {first}
    assert (home / "shelf" / "latest").read_text() == f"{first}\n"


def test_an_interrupted_push_leaves_the_revision_before(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pushed_revision(cli("push", "mixed", "./shelf", "--yes", "--json"))
    copy = shutil.copyfileobj
    copied: list[int] = []

    def interrupted(*args: Any) -> None:
        copied.append(1)
        if len(copied) == 9:  # the third file of the second copy, the one in the directory
            raise KeyboardInterrupt
        copy(*args)

    monkeypatch.setattr("nextword.hub.files.shutil.copyfileobj", interrupted)
    stopped = cli("push", "tiny", "./shelf", "--yes")
    assert (stopped.code, stopped.out) == (130, "")
    assert revisions(home / "shelf") == {first}
    assert (home / "shelf" / "latest").read_text() == f"{first}\n"
    assert not any((home / "tmp").iterdir())


def test_a_damaged_revision_is_refused(cli: Cli, home: Path) -> None:
    revision = pushed_revision(cli("push", "tiny", "./shelf", "--yes", "--json"))
    card = home / "shelf" / "revisions" / revision / "README.md"
    card.write_text(card.read_text() + "more\n")
    refused = cli("pull", "./shelf")
    assert (refused.code, refused.out) == (1, "")
    assert "is damaged: its files do not match their SHA-256" in refused.err
    assert not Path("runs/shelf").exists()
    again = cli("push", "tiny", "./shelf", "--yes")
    assert again.code == 1 and "is damaged; remove it and push again" in again.err


def test_a_revision_without_a_model_is_refused(cli: Cli, home: Path) -> None:
    """Whose name is right for its files, and which is made by hand."""
    made = home / "shelf" / "revisions" / "made"
    made.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (made / name).write_bytes(b'{"format": "else"}')
    revision = content_digest(made)
    made.rename(made.with_name(revision))
    (home / "shelf" / "latest").write_text(revision)
    refused = cli("pull", "./shelf")
    assert refused.code == 1 and refused.err.count("\n") == 1
    assert "./shelf/config.json: is not a nextword model" in refused.err
    (made.with_name(revision) / "tokenizer.json").unlink()
    lacking = cli("pull", "./shelf")
    assert "holds no model: tokenizer.json is missing" in lacking.err


def test_links_and_other_files_of_a_revision_are_not_followed(cli: Cli, home: Path) -> None:
    revision = pushed_revision(cli("push", "tiny", "./shelf", "--yes", "--json"))
    folder = home / "shelf" / "revisions" / revision
    (folder / "modeling.py").write_text("import os; os.mkdir('harmed')")
    pulled = cli("pull", "./shelf", "a")
    assert pulled.code == 0
    assert pulled.err == "not fetched, since no part of a model: modeling.py\n"
    assert not [*Path("runs/a").rglob("*.py")]
    (home / "secret").write_text("of this machine")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(home / "secret")
    refused = cli("pull", "./shelf", "b")
    assert refused.code == 1 and "is a link out of its folder" in refused.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("pull", "./nothing"), 1, "nothing: no such directory"),
        (("pull", "./runs", "a"), 1, "runs: holds no pushed model"),
        (("pull", "./runs/tiny/model", "a"), 1, "holds no pushed model"),
        (("pull", "./shelf", "a", "--revision", "../../runs"), 1, "has no revision ../../runs"),
        (("pull", "./shelf", "a", "--revision", "0" * 64), 1, "has no revision 000"),
        (("pull", "./shelf", "tiny"), 2, "runs/tiny: exists already"),
        (("pull", "./shelf", "a/b"), 2, "plain name"),
        (("pull", "tiny"), 2, "user/name"),
        (("push", "tiny", "./runs", "--yes"), 1, "no directory that push made"),
        (("push", "tiny", "./shelf/latest", "--yes"), 1, "no directory that push made"),
        (("push", "nothing", "./shelf", "--yes"), 1, "nothing: no such run or model folder"),
        (("push", "./shelf/revisions", "./shelf", "--yes"), 1, "holds neither a run nor a model"),
        (("push", "tiny", "./shelf", "--yes", "--public"), 2, "go with a repository"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    cli: Cli, home: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    revision = pushed_revision(cli("push", "mixed", "./shelf", "--yes", "--json"))
    called = cli(*arguments)
    assert (called.code, called.out) == (code, "")
    assert message in called.err and "Traceback" not in called.err
    assert revisions(home / "shelf") == {revision}
    assert {path.name for path in Path("runs").iterdir()} == {"mixed", "tiny"}
