"""How a training that is stopped from outside ends: exit codes, one line, nothing lost."""

import json
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.cli.console import Console
from nextword.cli.train import stopping_on_signals
from nextword.config.load import dump_config, load_config
from nextword.training import checkpoint
from nextword.training.callbacks import StepReport

Cli = Callable[..., SimpleNamespace]
STEPS = 26


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        checkpoint, "MAX_SAVING_SHARE", 1.0
    )  # so that every step of a short run is saved
    return tmp_path


@pytest.fixture
def config(tiny_settings: dict[str, object], home: Path) -> Path:
    short = {**tiny_settings, "training.epochs": 1, "training.validations": 2}
    path = home / "tiny.yaml"
    path.write_text(dump_config(load_config(overrides={**short, "training.save_every": 1e-9})))
    return path


def after_step(patch: pytest.MonkeyPatch, step: int, do: Callable[[], object]) -> None:
    on_step = Console.on_step

    def and_do(self: Console, report: StepReport) -> None:
        on_step(self, report)
        if report.progress.step == step:
            do()

    patch.setattr(Console, "on_step", and_do)


def resumed_steps(cli: Cli, *args: str) -> int:
    called = cli("train", "--resume", *args, "--json")
    assert called.code == 0, called.err
    steps = json.loads(called.out)["steps"]
    assert isinstance(steps, int)
    return steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_ends_at_once_with_its_own_code(
    cli: Cli, config: Path, number: signal.Signals
) -> None:
    def twice() -> None:
        signal.raise_signal(number)
        signal.raise_signal(number)

    with pytest.MonkeyPatch.context() as patch:
        after_step(patch, 9, twice)
        called = cli("train", "--config", config, "--run", "a", "--json")
    assert (called.code, called.out) == (128 + number, "")
    assert called.err.endswith("Stopped.\n") and "Traceback" not in called.err
    # the state of the last save: that of the step before
    assert '"step": 8' in Path("runs/a/state/state.safetensors").read_bytes()[:4000].decode(
        "utf-8", "ignore"
    ).replace("\\", "")
    assert resumed_steps(cli, "--run", "a") == STEPS


def test_a_hangup_that_is_to_be_ignored_is_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping_on_signals() as request:
            signal.raise_signal(signal.SIGHUP)
            assert not request()
            signal.raise_signal(signal.SIGTERM)
            assert request.signal == signal.SIGTERM
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_gone_ends_no_training(
    cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*given: object, **named: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("tqdm.tqdm.write", gone)
    monkeypatch.setattr("tqdm.tqdm.update", gone)
    called = cli("train", "--config", config, "--run", "a", "--json")
    assert called.code == 0
    assert json.loads(called.out)["steps"] == STEPS


def test_a_full_disk_is_one_line_and_the_last_good_state_is_there(cli: Cli, config: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, hard))

    try:
        with pytest.MonkeyPatch.context() as patch:
            after_step(patch, 5, fill)
            called = cli("train", "--config", config, "--run", "a", "--json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (called.code, called.out) == (1, "")
    last = called.err.splitlines()[-1]
    assert last.startswith("Error: runs/a/state/state.safetensors: cannot be written (File too")
    assert "Traceback" not in called.err
    assert resumed_steps(cli, "--run", "a") == STEPS


def test_too_little_memory_is_one_line(cli: Cli, config: Path) -> None:
    def fail() -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1 GiB")

    with pytest.MonkeyPatch.context() as patch:
        after_step(patch, 15, fail)
        called = cli("train", "--config", config, "--run", "a")
        patch.setattr("nextword.model.load_model_folder", lambda path: fail())
        asked = cli("predict", "the", "--model", "runs/a")
    assert called.code == 1
    assert called.err.splitlines()[-1].startswith(
        "Error: out of memory (2.00 GiB more were wanted); lower training.batch_size"
    )
    assert asked.code == 1
    assert asked.err == (
        "Error: out of memory (2.00 GiB more were wanted); "
        "try another --device, or a smaller model\n"
    )


def test_a_run_elsewhere_is_resumed_by_its_path(cli: Cli, config: Path, home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        after_step(patch, 4, lambda: signal.raise_signal(signal.SIGINT))
        assert cli("train", "--config", config, "--run", "a", "--json").code == 130
    place = home / "elsewhere" / "b"
    place.parent.mkdir()
    Path("runs/a").rename(place)
    with pytest.MonkeyPatch.context() as patch:
        after_step(patch, 6, lambda: signal.raise_signal(signal.SIGINT))
        called = cli("train", "--resume", "--run", place, "--json")
    assert called.err.endswith(f"continue with: nextword train --resume --run {place}\n")
    assert not Path("runs/b").exists()
    assert resumed_steps(cli, "--run", str(place)) == STEPS


def test_what_saving_took_is_in_the_log_and_not_on_the_screen(cli: Cli, config: Path) -> None:
    called = cli("train", "--config", config, "--run", "a")
    result = json.loads(Path("runs/a/metrics.jsonl").read_text().splitlines()[-1])
    assert result["kind"] == "result" and 0 < result["saving_share"] < 1
    assert "saving" not in called.out
