"""Which folder a name, a path or nothing at all stands for."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nextword.errors import ConfigError, ModelError
from nextword.storage.files import write_json
from nextword.storage.integrity import with_checksum
from nextword.storage.run_folder import (
    RunFolder,
    find_model,
    find_run,
    fresh_name,
    newest_run,
    run_folder,
    run_to_begin,
    run_to_resume,
)
from nextword.storage.run_record import RunRecord


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_run(name: str, changed: float, model: bool = True) -> Path:
    """A run folder whose files all changed ``changed`` seconds after the epoch."""
    run = run_folder(name)
    files = [run.config, run.metrics] + [run.model / "model.safetensors"] * model
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (changed, changed))
    return run.path


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a\0b"])
def test_a_run_never_lies_outside_the_runs(name: str) -> None:
    with pytest.raises(ConfigError, match="plain name"):
        run_folder(name)


def test_no_advice_goes_in_a_circle() -> None:
    """What one message advises is not what another one refuses."""
    make_run("a", 1)
    with pytest.raises(ConfigError, match="its state is gone: .* retrain under another --run"):
        run_to_resume("a")
    with pytest.raises(ConfigError, match="exists already; choose another --run$"):
        run_to_begin("a", "a")
    begun = make_run("b", 1, model=False)
    (begun / "metrics.jsonl").unlink()
    with pytest.raises(ConfigError, match="nothing to resume there; start it without --resume"):
        run_to_resume("b")
    run_to_begin("b", "b")
    Path("runs/b/other").touch()
    with pytest.raises(ConfigError, match="no state to resume; train under another --run"):
        run_to_resume("b")
    state = run_folder("a").state
    state.parent.mkdir()
    state.touch()
    assert run_to_resume("a").path == Path("runs/a")
    with pytest.raises(ConfigError, match="another --run, or continue it with --resume"):
        run_to_begin("a", "a")


def test_a_fresh_name_is_the_first_that_is_free() -> None:
    assert fresh_name("book") == "book"
    make_run("book", 1)
    assert fresh_name("book") == "book-2"
    Path("runs/book-2").mkdir()
    assert fresh_name("book") == "book-3"


def test_the_newest_run_is_the_one_whose_files_changed_last() -> None:
    make_run("aaa", 300)
    old = make_run("zzz", 100)
    Path("runs/no-run").mkdir()
    Path("runs/a-file").touch()
    assert newest_run().path == Path("runs/aaa")
    os.utime(old / "metrics.jsonl", (400, 400))
    assert newest_run().path == old
    make_run("begun", 500, model=False)
    assert newest_run().path == Path("runs/begun")


def test_no_run_at_all_says_how_to_get_one() -> None:
    for call in (newest_run, lambda: find_run(None), lambda: find_model(None)):
        with pytest.raises(ModelError, match="nextword train"):
            call()
    Path("runs").mkdir()
    with pytest.raises(ModelError, match="nextword train"):
        newest_run()


def test_a_run_is_found_by_name_by_path_and_from_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("mine", 1)
    assert find_run(Path("mine")).path == Path("runs/mine")
    assert find_run(Path("runs/mine")).path == Path("runs/mine")
    monkeypatch.chdir("/")
    assert find_run(home / "runs" / "mine").path == home / "runs" / "mine"
    with pytest.raises(ModelError, match="theirs is not a run folder"):
        find_run(Path("theirs"))


def test_a_model_is_found_in_its_run_and_by_itself(home: Path) -> None:
    run = make_run("mine", 1)
    for path in (None, Path("mine"), run, run / "model", home / run / "model"):
        found = find_model(path)
        assert found.resolve() == (home / run / "model").resolve()
    (run / "model").rename(home / "alone")
    assert find_model(Path("alone")) == Path("alone")


def test_what_is_no_model_is_said_plainly() -> None:
    make_run("begun", 1, model=False)
    Path("empty").mkdir()
    with pytest.raises(ModelError, match="has no model yet"):
        find_model(Path("begun"))
    with pytest.raises(ModelError, match="has no model yet"):
        find_model(None)
    with pytest.raises(ModelError, match="empty: holds neither a run nor a model"):
        find_model(Path("empty"))
    with pytest.raises(ModelError, match="nowhere: no such"):
        find_model(Path("nowhere"))


def write_some_record(folder: Path) -> RunFolder:
    run = RunFolder(folder)
    run.write_record(
        RunRecord.of_this_machine(torch="2.4", threads=2, text_sha256="ab" * 32, vocabulary_size=50)
    )
    return run


def test_what_a_run_was_trained_with_comes_back(tmp_path: Path) -> None:
    record = write_some_record(tmp_path / "mine").read_record()
    assert (record.torch, record.threads, record.vocabulary_size) == ("2.4", 2, 50)
    assert record.text_sha256 == "ab" * 32
    assert record.machine and record.processors >= 1 and record.python.startswith("3.")


def test_a_flipped_bit_of_a_record_is_noticed(tmp_path: Path) -> None:
    run = write_some_record(tmp_path / "mine")
    whole = run.read_record()
    good = run.record.read_bytes()
    for place in range(len(good)):
        run.record.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
        try:
            assert run.read_record() == whole
        except ModelError as error:
            assert str(error).startswith(f"{run.record}: ") and "\n" not in str(error)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("threads", 0),
        ("threads", "2"),
        ("vocabulary_size", True),
        ("text_sha256", "AB"),
        ("machine", None),
        ("nextword", ...),
    ],
)
def test_a_record_that_says_nonsense_is_one_line(tmp_path: Path, key: str, value: Any) -> None:
    run = write_some_record(tmp_path / "mine")
    content = {**json.loads(run.record.read_bytes()), key: value}
    del content["crc32"]
    if value is ...:
        del content[key]
    write_json(run.record, with_checksum(content))
    with pytest.raises(ModelError, match=f"run.json: {key}: ") as caught:
        run.read_record()
    assert "\n" not in str(caught.value)


def test_a_run_without_its_record_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"run\.json: cannot be read"):
        RunFolder(tmp_path).read_record()


def test_finding_a_model_imports_nothing_that_costs_more_than_the_search() -> None:
    make_run("mine", 1)
    code = (
        "import sys, pathlib\n"
        "from nextword.storage.run_folder import find_model, known_runs, run_of_model\n"
        "run_of_model(find_model(None)); find_model(pathlib.Path('mine')); known_runs()\n"
        "heavy = {'pydantic', 'yaml', 'torch', 'safetensors', 'numpy', 'tempfile', 'difflib'}\n"
        "heavy |= {'nextword.config', 'nextword.storage.metrics_log'}\n"
        "assert not heavy & {*sys.modules}, heavy & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
