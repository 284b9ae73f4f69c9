"""A model that is replaced on disk is noticed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="needs the extra: nextword[serve]")

from nextword.server.limits import Limits
from nextword.server.live_model import LiveModel


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def live(folder: Path, said: list[str]) -> LiveModel:
    return LiveModel(folder, Limits(), said.append)


@pytest.fixture
def replace(folder: Path, kinds: Path) -> Callable[[str], None]:
    """Puts the model of another run in the folder."""

    def put(run: str) -> None:
        for file in folder.iterdir():
            file.unlink()
        shutil.copytree(kinds / "runs" / run / "model", folder, dirs_exist_ok=True)

    return put


def test_a_model_stays_while_its_files_do(live: LiveModel) -> None:
    engine = live.engine
    assert not live.refresh() and live.engine is engine


def test_another_model_answers_once_it_is_whole(
    live: LiveModel, replace: Callable[[str], None], said: list[str], folder: Path
) -> None:
    old = live.engine
    replace("counted")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:100])
    assert not live.refresh() and live.engine is old
    assert old.predict("the", 3).predictions  # its files may be gone
    assert not live.refresh() and len(said) == 1  # the same broken files are not read again
    (folder / "model.safetensors").write_bytes(weights)
    assert live.refresh() and live.engine is not old
    assert live.engine.loaded.title.endswith("-gram") and live.engine.predict("the", 3).predictions
    assert len(said) == 2 and "\n" not in "".join(said)


def test_files_are_looked_at_once_a_second_at_most_and_by_another_thread(
    live: LiveModel, replace: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1e9
    monkeypatch.setattr("nextword.server.live_model.time.monotonic", lambda: now)
    replace("counted")
    checking = live.check()
    assert checking is not None and live.check() is None
    assert checking.result(60) and live.engine.loaded.title.endswith("-gram")
    now += 1.01
    again = live.check()
    assert again is not None and not again.result(60)
    live.close()
