"""A run's folder: claimed once, at the start, and given back if nothing came of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nextword import train
from nextword.config.load import load_config
from nextword.config.schema import Config
from nextword.errors import ConfigError, TextError
from nextword.storage.run_folder import RunFolder, run_folder
from nextword.training.callbacks import Callback
from nextword.training.network import prepare
from nextword.training.run_context import RunContext, text_stem, with_text


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


class Lines(Callback):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_message(self, line: str) -> None:
        self.lines.append(line)


def test_the_text_that_ships_is_taken_only_where_it_is_meant(home: Path) -> None:
    lines: list[str] = []
    meant = load_config(overrides={"text.path": "data/napoleon.txt"}, environ={})
    path = with_text(meant, lines.append).text.path
    assert isinstance(path, str) and Path(path).exists()
    assert lines == [
        "data/napoleon.txt: no such file here, so the text of that name that ships is taken"
    ]
    other = load_config(overrides={"text.path": "napoleon.txt"}, environ={})
    with pytest.raises(TextError, match=r"napoleon\.txt: no such file.*data/napoleon\.txt"):
        train(other)
    (home / "data").mkdir()
    (home / "data" / "napoleon.txt").write_text("own")
    assert with_text(meant, lines.append).text.path == str(home / "data" / "napoleon.txt")
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("plain.txt", "plain"),
        ("A\\B songs.txt", "AB songs"),
        ("a\x1b[1m\nb.txt", "a[1mb"),
        ("--help.txt", "help"),
        (".hidden.txt", "text"),
        ("   .txt", "text"),
        ("\u202ea:b*.txt", "ab"),
        ("é" * 120 + ".txt", "é" * 40),
        ("-", "text"),
    ],
)
def test_a_run_is_named_after_its_text_without_what_no_name_may_hold(name: str, stem: str) -> None:
    config = load_config(overrides={"text.path": name}, environ={})
    assert text_stem(config) == stem
    assert run_folder(f"{stem}-lstm").path.name == f"{stem}-lstm"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example("AC\\DC lyrics")
@example(".../\0")
def test_a_name_made_from_any_text_is_one_that_a_run_may_have(text: str) -> None:
    stem = text_stem(load_config(overrides={"text.path": text}, environ={}))
    assert run_folder(stem).path.parent == Path("runs") and len(stem.encode()) <= 80
    if text.isalnum() and len(text.encode()) <= 80:
        assert stem == text


def test_the_first_lines_say_how_the_text_was_read(config: Config) -> None:
    callback = Lines()
    with RunContext(config, "a", callback=callback) as run:
        run.read_text()
        before = len(callback.lines)
        run.read_text()
    assert any(line.startswith("it begins: ") for line in callback.lines[:before])
    assert any(line.startswith("paragraphs: ") for line in callback.lines[:before])
    # also where the text is in the cache
    assert [line for line in callback.lines[:before] if not line.startswith("preparing")] == (
        callback.lines[before:]
    )
