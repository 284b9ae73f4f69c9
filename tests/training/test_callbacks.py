"""Events for TensorBoard, read back as TensorBoard reads them."""

import builtins
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nextword.errors import NextwordError
from nextword.training.run import train


@pytest.fixture
def short(
    tiny_settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    monkeypatch.chdir(tmp_path)
    return {**tiny_settings, "training.epochs": 2, "training.tensorboard": True}


def events(run: Path) -> Any:
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
    read.Reload()
    return read


def scalars(read: Any, name: str) -> dict[int, float]:
    return {event.step: event.value for event in read.Scalars(name)}


def test_the_events_agree_with_the_log(short: dict[str, object]) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra")
    result = train(short, run="a")
    read = events(result.path)
    lines = [json.loads(line) for line in (result.path / "metrics.jsonl").read_text().splitlines()]
    logged = {line["step"]: line for line in lines if line["kind"] == "train"}
    for name, key in (("loss", "loss"), ("learning rate", "learning_rate")):
        values = scalars(read, f"training/{name}")
        assert sorted(values) == list(range(1, result.steps + 1))
        for step, line in logged.items():
            assert values[step] == pytest.approx(line[key], rel=1e-6)
    validations = [line for line in lines if line["kind"] == "valid"]
    values = scalars(read, "validation/perplexity")
    assert values == {
        line["step"]: pytest.approx(line["perplexity"], rel=1e-6) for line in validations
    }
    prompts = {f"predictions/{prompt}/text_summary" for prompt in validations[0]["samples"]}
    assert prompts and prompts <= set(read.Tags()["tensors"])


def after(count: int) -> Callable[[], bool]:
    """Stops a training after so many steps."""
    steps: list[int] = []

    def asked() -> bool:
        steps.append(1)
        return len(steps) > count

    return asked


def test_a_resume_goes_on_where_the_state_was_saved(
    short: dict[str, object], tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra")
    run = train(short, run="a", should_stop=after(5)).path
    shutil.copytree(run / "state", tmp_path / "saved")
    train(run="a", resume=True, should_stop=after(3))
    # as after a crash: the steps since the state was saved are taken again
    shutil.rmtree(run / "state")
    shutil.move(tmp_path / "saved", run / "state")
    result = train(run="a", resume=True)
    steps = [event.step for event in events(result.path).Scalars("training/loss")]
    assert steps == list(range(1, result.steps + 1))


def test_the_same_network_is_trained_with_and_without(short: dict[str, object]) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is an extra")
    results = [
        train({**short, "training.tensorboard": on}, run=name)
        for on, name in ((True, "a"), (False, "b"))
    ]
    weights = [(result.path / "model/model.safetensors").read_bytes() for result in results]
    assert weights[0] == weights[1] and not (results[1].path / "tensorboard").exists()


def test_a_missing_tensorboard_is_reported_before_anything_is_made(
    short: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NextwordError, match=r"pip install 'nextword\[tensorboard\]'"):
        train(short, run="a")
    assert not Path("runs").exists()
