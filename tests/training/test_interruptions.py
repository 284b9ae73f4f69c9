"""Whatever stops a training: a signal, a full disk, damage, too little memory; nothing is lost."""

import errno
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nextword import load_model, train
from nextword.errors import ConfigError, ModelError, NextwordError, TrainingError
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import RunFolder
from nextword.training import checkpoint, network
from nextword.training.callbacks import Callback, StepReport

STATE, WEIGHTS = Path("state/state.safetensors"), Path("model/model.safetensors")
STEPS = 26
Settings = dict[str, object]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        checkpoint, "MAX_SAVING_SHARE", 1.0
    )  # so that every step of a short run is saved
    return tmp_path


@pytest.fixture
def short(tiny_settings: Settings) -> Settings:
    """One epoch with two validations, saved at every step."""
    return {
        **tiny_settings,
        "training.epochs": 1,
        "training.validations": 2,
        "training.save_every": 1e-9,
        "model.dropout": 0.3,
    }


def after(steps: int) -> Callable[[], bool]:
    left = iter([False] * steps)
    return lambda: next(left, True)


class At(Callback):
    """Does something after a step."""

    def __init__(self, step: int, do: Callable[[], object]) -> None:
        self.step, self.do = step, do

    def on_step(self, report: StepReport) -> None:
        if report.progress.step == self.step:
            self.do()


class Crash(Exception):
    """Stands for a lost power supply."""


def crash() -> None:
    raise Crash


def validations(run: Path) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines if line["kind"] == "valid"]


def contents(run: Path) -> dict[str, bytes]:
    return {str(f.relative_to(run)): f.read_bytes() for f in run.rglob("*") if f.is_file()}


def test_a_look_taken_at_an_early_stop_changes_nothing_after_a_resume(
    short: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That validation is the best of all, and must be forgotten all the same."""

    def train_with(losses: list[float], run: str, **how: Any) -> Path:
        left = iter(losses)
        monkeypatch.setattr(network, "mean_loss", lambda *given: next(left))
        return train(short, run=run, **how).path

    whole = train_with([2.0, 3.0], "whole")
    for name, stop, seen in (("late", 17, [2.0]), ("early", 5, [])):
        halted = train_with([*seen, 1.0], name, should_stop=after(stop))
        assert validations(halted)[-1] == (stop, 1.0)
        stopped_with = (halted / WEIGHTS).read_bytes()
        train_with([2.0, 3.0][len(seen) :], name, resume=True)
        assert validations(halted) == validations(whole) == [(13, 2.0), (26, 3.0)]
        assert (halted / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes() != stopped_with


def test_the_log_repeats_no_line_after_a_crash(short: Settings) -> None:
    settings = {**short, "training.save_every": 1000}
    with pytest.raises(Crash):
        train(settings, run="a", callback=At(20, crash))
    log = Path("runs/a/metrics.jsonl")
    assert len(log.read_text().splitlines()) == 20
    with log.open("a") as file:
        file.write('{"kind": "tra')  # torn
    train(run="a", resume=True)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "train"] == list(range(1, STEPS + 1))
    assert [line["kind"] for line in lines].count("result") == 1


def test_a_run_elsewhere_goes_on_where_it_is(short: Settings, home: Path) -> None:
    train(short, run="a", should_stop=after(3))
    elsewhere = home / "other" / "place"
    shutil.copytree("runs/a", elsewhere)
    before = contents(Path("runs/a"))
    result = train(run=str(elsewhere), resume=True)
    assert (result.path, result.steps) == (elsewhere, STEPS)
    assert contents(Path("runs/a")) == before
    # of a run of that name and a folder of that name, it is the run
    shutil.copytree(elsewhere, home / "a")
    assert train(run="a", resume=True, should_stop=after(2)).path == Path("runs/a")


def test_a_run_that_ended_before_its_first_save_can_begin_again(
    short: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_state", lambda *given: crash())
        with pytest.raises(Crash):
            train(short, run="a")
    assert Path("runs/a/config.yaml").exists()
    with pytest.raises(ConfigError, match="start it without --resume"):
        train(run="a", resume=True)
    assert train(short, run="a").steps == STEPS
    Path("runs/b").mkdir()
    Path("runs/b/letter.txt").touch()
    with pytest.raises(ConfigError, match="runs/b: exists already"):
        train(short, run="b")


def test_a_second_training_in_the_same_run_is_refused(short: Settings) -> None:
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(ConfigError, match="runs/a: another training is running") as caught:
            train(run="a", resume=True)
        refused.append(str(caught.value))

    assert train(short, run="a", callback=At(4, second)).steps == STEPS
    assert len(refused) == 1
    with RunLock(RunFolder(Path("runs/a")), print):
        pass


def test_a_disk_that_fills_up_in_a_save_leaves_the_last_good_state(
    short: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(short, run="whole")
    sync = os.fsync
    for number, left in enumerate((1, 4, 7, 8)):
        count = iter(range(left))

        def full(handle: int, count: Any = count) -> None:
            if next(count, None) is None:
                raise OSError(errno.ENOSPC, "No space left on device")
            sync(handle)

        def fill(full: Any = full) -> None:
            monkeypatch.setattr(os, "fsync", full)

        name = f"full{number}"
        with pytest.raises(NextwordError, match=r"cannot be written \(No space left") as caught:
            train(short, run=name, callback=At(9, fill))
        assert str(caught.value).startswith(f"runs/{name}/") and "\n" not in str(caught.value)
        monkeypatch.setattr(os, "fsync", sync)
        assert not list(Path("runs", name).rglob(".*.tmp"))
        resumed = train(run=name, resume=True)
        assert (resumed.path / WEIGHTS).read_bytes() == (whole.path / WEIGHTS).read_bytes()
        assert resumed.valid_perplexity == whole.valid_perplexity


def test_a_log_that_cannot_be_written_is_one_line(short: Settings) -> None:
    def spoil() -> None:
        Path("runs/a/metrics.jsonl").unlink()
        Path("runs/a/metrics.jsonl").mkdir()

    with pytest.raises(NextwordError, match=r"runs/a/metrics\.jsonl: cannot be written"):
        train(short, run="a", callback=At(3, spoil))


def test_a_place_for_runs_that_cannot_be_written_is_one_line(short: Settings) -> None:
    Path("runs").write_text("in the way")
    with pytest.raises(NextwordError, match="runs/a: cannot be written"):
        train(short, run="a")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 16
    path.write_bytes(content)


@pytest.mark.parametrize("name", [STATE, WEIGHTS, Path("state/best.safetensors")])
def test_damage_is_told_before_a_resume_and_changes_nothing(short: Settings, name: Path) -> None:
    path = train(short, run="a", should_stop=after(17)).path
    flip(path / name)
    before = contents(path)
    if name == WEIGHTS:  # the weights of the last validation, which a resume replaces anyway
        assert train(run="a", resume=True).steps == STEPS
        flip(path / name)
        before = contents(path)
    with pytest.raises(ModelError, match=f"{name}: is damaged"):
        train(run="a", resume=True)
    after_refusal = contents(path)
    assert after_refusal == before
    if name == WEIGHTS:
        with pytest.raises(ModelError, match="damaged"):
            load_model(path)


def test_the_model_of_another_run_is_refused_in_a_resume(short: Settings) -> None:
    path = train(short, run="a", should_stop=after(15)).path
    other = train({**short, "model.hidden_size": 8}, run="b")
    (path / "state" / "best.safetensors").unlink()
    shutil.rmtree(path / "model")
    shutil.copytree(other.path / "model", path / "model")
    with pytest.raises(ModelError, match="is of another run"):
        train(run="a", resume=True)


def test_an_edited_configuration_is_noticed(short: Settings) -> None:
    path = train(short, run="a", should_stop=after(2)).path / "config.yaml"
    path.write_text(path.read_text().replace("hidden_size: 24", "hidden_size: 28"))
    with pytest.raises(ConfigError, match=r"model\.hidden_size \(was 24, now 28\) cannot change"):
        train(run="a", resume=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory; lower"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to"), "out of memory; lower"),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't "
                "allocate memory: you tried to allocate 80000000000 bytes. Error code 12"
            ),
            r"out of memory \(80000000000 bytes more were wanted\); lower",
        ),
        (
            RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel"),
            r"the device failed \(CUDA error: an illegal memory access .*; lower",
        ),
    ],
)
def test_too_little_memory_is_one_line_that_says_what_to_lower(
    short: Settings, error: Exception, said: str
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(TrainingError, match=said) as caught:
        train(short, run="a", callback=At(6, fail))
    message = str(caught.value)
    assert (
        "training.batch_size" in message and "model.hidden_size" in message and "\n" not in message
    )
    assert train(run="a", resume=True).steps == STEPS


def test_memory_that_is_really_not_there(short: Settings) -> None:
    def fail() -> None:
        torch.empty(1 << 58, dtype=torch.uint8)

    with pytest.raises(TrainingError, match="out of memory"):
        train(short, run="a", callback=At(2, fail))


def test_a_bug_is_not_taken_for_the_hardware(short: Settings) -> None:
    def fail() -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        train(short, run="a", callback=At(2, fail))


def test_what_saving_took_is_told(short: Settings) -> None:
    result = train(short, run="a")
    last = json.loads(Path("runs/a/metrics.jsonl").read_text().splitlines()[-1])
    assert last["saving_share"] == result.saving_share > 0
    lines = [json.loads(line) for line in io.StringIO(Path("runs/a/metrics.jsonl").read_text())]
    spent = [line["saving_seconds"] for line in lines if line["kind"] == "train"]
    assert spent == sorted(spent) and 0 < spent[0] < spent[-1]
