"""A run's folder: claimed once, at the start, and given back if nothing came of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from nextword import train
from nextword.config import Config, load_config
from nextword.errors import ConfigError, TextError
from nextword.storage.run_folder import RunFolder
from nextword.training.callbacks import Callback
from nextword.training.network import prepare
from nextword.training.run_context import RunContext


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def config(tiny_settings: dict[str, object]) -> Config:
    return load_config(overrides=tiny_settings, environ={})


def test_a_run_that_is_prepared_and_not_trained_leaves_nothing(config: Config) -> None:
    with RunContext(config, "a") as run:
        assert Path("runs/a").is_dir()
        prepared = prepare(run)
        assert prepared.trainer.progress.step == 0
        assert run.config == prepared.config
    assert not Path("runs").exists()


def test_a_failure_in_preparation_removes_only_what_the_run_made(config: Config) -> None:
    with pytest.raises(TextError, match="nowhere"):
        train({"text.path": "nowhere.txt"}, run="a")
    assert not Path("runs").exists()
    Path("runs/empty").mkdir(parents=True)
    with pytest.raises(TextError, match="nowhere"):
        train({"text.path": "nowhere.txt", "model.kind": "ngram"}, run="a")
    with pytest.raises(TextError, match="nowhere"):
        train({"text.path": "nowhere.txt"}, run="empty")
    assert [path.name for path in Path("runs").iterdir()] == ["empty"]
    with pytest.raises(KeyError), RunContext(config, "a"):
        Path("runs/a/letter.txt").touch()
        raise KeyError
    assert Path("runs/a/letter.txt").exists()


def test_a_run_exists_once_its_configuration_is_written(config: Config) -> None:
    with pytest.raises(KeyError), RunContext(config, "a") as run:
        run.write_config(run.read_text())
        raise KeyError
    assert RunFolder(Path("runs/a")).exists
    assert RunFolder(Path("runs/a")).read_record().text_sha256


def test_a_run_in_preparation_is_taken(config: Config) -> None:
    with RunContext(config, "a"):
        with pytest.raises(ConfigError, match="runs/a: another training is running"):
            RunContext(config, "a")
        assert Path("runs/a").is_dir()
    with RunContext(config, "a"):
        pass


def test_trainings_that_begin_at_the_same_time_have_a_folder_each(config: Config) -> None:
    barrier = Barrier(4)

    def begin(_: int) -> str:
        barrier.wait()
        with RunContext(config) as run:
            barrier.wait()
            return run.folder.path.name

    with ThreadPoolExecutor(4) as pool:
        names = sorted(pool.map(begin, range(4)))
    assert names == ["tiny-lstm", "tiny-lstm-2", "tiny-lstm-3", "tiny-lstm-4"]


def test_the_log_is_cut_back_to_whole_lines(config: Config) -> None:
    with RunContext(config, "a", callback=Callback()) as run:
        assert run.folder.log.size() == 0
        run.log("train", loss=float("nan"), step=1)
        size = run.folder.log.size()
        run.log("train", loss=1.0, step=2)
        run.folder.log.truncate(size + 5)
        assert run.folder.metrics.read_text() == '{"kind": "train", "loss": null, "step": 1}\n'
        assert run.folder.log.size() == size
