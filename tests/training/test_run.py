"""A run from configuration to model folder: what it leaves, how it goes on, what it refuses."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from nextword import __version__, load_model, train
from nextword.config.load import load_config
from nextword.config.schema import Config
from nextword.errors import ConfigError, ModelError, NextwordError, TextError, TrainingError
from nextword.inference.decoder import Decoder
from nextword.models.layers import WordVectors
from nextword.storage.run_folder import RunFolder
from nextword.storage.tensors import read_tensors
from nextword.text.prepare import prepare_text
from nextword.training import network
from nextword.training.callbacks import Callback, StepReport, ValidationReport
from nextword.training.trainer import Trainer

if TYPE_CHECKING:
    from tests.training.conftest import Messages

STEPS = 26
"""Of an epoch of the tiny text."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def short(tiny_settings: dict[str, object]) -> dict[str, object]:
    """One epoch with two validations."""
    return {**tiny_settings, "training.epochs": 1, "training.validations": 2}


def after(steps: int) -> Callable[[], bool]:
    """A ``should_stop`` that is asked before each step and lets so many pass."""
    left = iter([False] * steps)
    return lambda: next(left, True)


class Crash(Exception):
    """Stands for a lost power supply."""


class CrashAt(Callback):
    """Crashes after a step, or in the validation that follows it."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, report: StepReport) -> None:
        if report.progress.step == self.step:
            raise Crash

    def on_validation(self, report: ValidationReport) -> None:
        pass


def reports(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    read = [json.loads(line, parse_constant=refuse) for line in lines]
    return [report for report in read if report["kind"] == kind]


def saved_progress(run: Path) -> dict[str, Any]:
    progress = json.loads(read_tensors(run / "state" / "state.safetensors")[1]["progress"])
    return {key: value for key, value in progress.items() if "seconds" not in key}


def timeless_log(run: Path) -> list[dict[str, Any]]:
    """Every line of the log, without the times."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    timed = ("seconds", "saving_share", "tokens_per_second")
    return [
        {k: v for k, v in line.items() if not k.endswith(timed) and k != "run"} for line in lines
    ]


def assert_same_end(one: Path, other: Path) -> None:
    """The same weights, averages, random numbers, model and log, bit for bit."""
    assert timeless_log(one) == timeless_log(other)
    for file in (one / "model").iterdir():
        assert file.read_bytes() == (other / "model" / file.name).read_bytes(), file.name
    assert not list(other.rglob(".*.tmp"))
    left, right = (load_file(run / "state" / "state.safetensors") for run in (one, other))
    assert left.keys() == right.keys()
    for key in left:
        assert torch.equal(left[key], right[key]), key
    assert saved_progress(one) == saved_progress(other)


def test_a_run_learns_its_text(tiny_run: SimpleNamespace) -> None:
    result = tiny_run.result
    assert result.steps == 10 * STEPS and not result.stopped
    # a sentence's words follow from its first ones; what is left is which sentence comes
    assert result.valid_perplexity < 2
    assert result.test_perplexity < 2
    assert result.tokens_per_second == pytest.approx(
        10 * (len(prepared(tiny_run).parts["train"].ids) - 1) / result.seconds, rel=0.01
    )


def prepared(run: SimpleNamespace) -> Any:
    config = load_config(run.path / "config.yaml")
    return prepare_text(config.text, config.vocabulary)


def test_a_run_folder_holds_what_the_contract_says(tiny_run: SimpleNamespace) -> None:
    files = {str(file.relative_to(tiny_run.path)) for file in tiny_run.path.rglob("*.*")}
    assert files == {
        "config.yaml",
        "metrics.jsonl",
        "run.json",
        "model/README.md",
        "model/config.json",
        "model/mixture.json",
        "model/model.safetensors",
        "model/spacing.json",
        "model/tokenizer.json",
        "state/state.safetensors",
    }
    assert set(tiny_run.result.as_dict()) == {
        "run",
        "steps",
        "words",
        "seconds",
        "saving_share",
        "tokens_per_second",
        "valid_perplexity",
        "test_perplexity",
        "network_valid_perplexity",
        "network_test_perplexity",
        "valid_perplexity_error",
        "test_perplexity_error",
    }
    card = (tiny_run.path / "model" / "README.md").read_text(encoding="utf-8")
    assert "Trained on: tiny.txt (" in card and "lstm" in card
    assert str(tiny_run.home.parent) not in card  # a model may be published, a home may not


def test_the_configuration_is_kept_resolved(
    tiny_run: SimpleNamespace, tiny_settings: dict[str, object]
) -> None:
    config = load_config(tiny_run.path / "config.yaml", environ={})
    given = load_config(overrides=tiny_settings, environ={})
    assert config == given
    record = RunFolder(tiny_run.path).read_record()
    assert (record.nextword, record.torch) == (__version__, torch.__version__)
    assert record.text_sha256 == prepared(tiny_run).sha256
    assert record.vocabulary_size == len(tiny_run.result.model.words)
    assert record.threads == 1


def test_open_settings_and_paths_are_resolved_in_it(
    home: Path, short: dict[str, object], tiny_text: Path
) -> None:
    Path("here.txt").write_bytes(tiny_text.read_bytes())
    settings = {**short, "text.path": "here.txt"}
    del settings["training.batch_size"]
    result = train(settings, should_stop=after(1))
    config = load_config(result.path / "config.yaml")
    assert config.training.batch_size == 8
    assert config.text.path == str(home / "here.txt")
    assert result.run == "here-lstm"
    assert train(settings, should_stop=after(1)).run == "here-lstm-2"


def test_the_log_records_the_training(tiny_run: SimpleNamespace) -> None:
    steps, validations = reports(tiny_run.path, "train"), reports(tiny_run.path, "valid")
    assert [validation["step"] for validation in validations] == [65, 130, 195, 260]
    assert validations[-1]["perplexity"] < validations[0]["perplexity"]
    assert validations[0]["loss"] == pytest.approx(math.log(validations[0]["perplexity"]))
    assert 100 <= len(steps) <= 260
    assert np.mean([s["loss"] for s in steps[-9:]]) < 0.2 * np.mean([s["loss"] for s in steps[:9]])
    assert all(s["learning_rate"] > 0 and s["gradient_norm"] > 0 for s in steps)
    (result,) = reports(tiny_run.path, "result")
    assert result == {"kind": "result", **tiny_run.result.as_dict()}
    shown = validations[-1]["samples"]["Napoleon was the Emperor of"]
    assert shown[0]["word"] == "France" and len(shown) == 3


def test_the_figures_are_those_of_reading_word_by_word(
    tiny_run: SimpleNamespace, mean_surprisal: Callable[[Decoder, np.ndarray], float]
) -> None:
    loaded = load_model(tiny_run.path).loaded
    for name in ("valid", "test"):
        part = prepared(tiny_run).parts[name]
        measured = math.exp(mean_surprisal(loaded.decoder(), part.ids))
        wanted = getattr(tiny_run.result, f"{name}_perplexity")
        assert measured == pytest.approx(wanted, rel=1e-5)


def test_the_best_model_is_kept_not_the_last(
    short: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    validations = iter([3.0, 1.0, 2.0, 4.0])
    monkeypatch.setattr(network, "mean_loss", lambda *given: next(validations, 0.5))
    weights: list[torch.Tensor] = []

    class Keep(Callback):
        def on_train_begin(self, trainer: Trainer) -> None:
            self.trainer = trainer

        def on_validation(self, report: ValidationReport) -> None:
            weights.append(self.trainer.model.output.weight.detach().clone())

    result = train({**short, "training.validations": 4}, run="a", callback=Keep())
    assert torch.equal(load_model(result.path).loaded.network.output.weight, weights[1])
    assert not torch.equal(weights[1], weights[3])


VARIANTS: list[dict[str, object]] = [
    {"model.dropout": 0.3, "vocabulary.min_count": 1, "training.sampled_head": 5},
    {"model.kind": "gru", "windows.carry_state": False, "training.accumulate": 2},
    {"model.kind": "rnn", "model.activation": "sigmoid", "training.schedule": "plateau"},
    {"model.kind": "feedforward", "windows.stride": 6, "training.optimizer": "sgd"},
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    short: dict[str, object], variant: dict[str, object]
) -> None:
    settings = {**short, "training.sampled_tail": 8, **variant}
    whole = train(settings, run="whole")
    halted = train(settings, run="halted", should_stop=after(7))
    assert halted.stopped and halted.steps == 7
    resumed = train(run="halted", resume=True, should_stop=after(4))
    assert resumed.stopped and resumed.steps == 11
    # and once beyond the first validation, where there is a best model to come back to
    resumed = train(run="halted", resume=True, should_stop=after(whole.steps - 12))
    assert resumed.stopped and resumed.steps == whole.steps - 1
    resumed = train(settings, run="halted", resume=True)
    assert not resumed.stopped and resumed.steps == whole.steps
    assert_same_end(whole.path, resumed.path)
    assert resumed.valid_perplexity == whole.valid_perplexity


@pytest.mark.parametrize("step", [1, 10, STEPS // 2, STEPS])
def test_a_run_that_crashed_goes_on_from_its_last_save(short: dict[str, object], step: int) -> None:
    settings = {**short, "model.dropout": 0.3, "training.save_every": 1e-9}
    whole = train(settings, run="whole")
    with pytest.raises(Crash):
        train(settings, run="crashed", callback=CrashAt(step))
    assert_same_end(whole.path, train(run="crashed", resume=True).path)


def test_a_run_that_crashed_in_a_validation_validates_again(
    short: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**short, "training.save_every": 1e-9}
    whole = train(settings, run="whole")

    def crash(*given: object) -> float:
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(network, "mean_loss", crash)
        train({**settings, "training.validations": 1}, run="crashed")
    resumed = train({"training.validations": 2}, run="crashed", resume=True)
    assert resumed.steps == STEPS
    assert resumed.valid_perplexity == whole.valid_perplexity


def test_a_run_that_crashed_before_its_first_save_goes_on_from_its_beginning(
    short: dict[str, object],
) -> None:
    whole = train(short, run="whole")
    with pytest.raises(Crash):
        train(short, run="crashed", callback=CrashAt(5))
    assert_same_end(whole.path, train(run="crashed", resume=True).path)


def test_a_run_stopped_before_its_first_step_has_a_model(short: dict[str, object]) -> None:
    result = train(short, run="a", should_stop=lambda: True)
    assert result.stopped and result.steps == 0
    assert len(load_model("a").predict("the", k=5)) == 5
    assert train(run="a", resume=True).steps == STEPS


def test_a_finished_run_resumed_is_as_it_was_and_more_epochs_go_on(
    short: dict[str, object],
) -> None:
    first = train(short, run="a")
    before = load_file(first.path / "model" / "model.safetensors")
    again = train(run="a", resume=True)
    assert again.steps == STEPS and not again.stopped
    assert again.valid_perplexity == first.valid_perplexity
    after_again = load_file(first.path / "model" / "model.safetensors")
    assert all(torch.equal(before[key], after_again[key]) for key in before)
    longer = train({"training.epochs": 3}, run="a", resume=True)
    assert longer.steps == 3 * STEPS
    assert reports(longer.path, "valid")[-1]["step"] == 3 * STEPS
    assert longer.valid_perplexity is not None and first.valid_perplexity is not None
    assert longer.valid_perplexity < 0.9 * first.valid_perplexity
    assert load_config(longer.path / "config.yaml").training.epochs == 3


def test_without_a_name_the_newest_run_is_resumed(short: dict[str, object]) -> None:
    train(short, run="older")
    train(short, run="newer", should_stop=after(3))
    resumed = train(resume=True)
    assert (resumed.run, resumed.steps) == ("newer", STEPS)


def test_what_cannot_be_begun_or_resumed_is_refused(short: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="runs/none: nothing to resume there"):
        train(short, run="none", resume=True)
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(load_config(overrides=short), run="none", resume=True)
    with pytest.raises(ModelError, match="no run under runs/"):
        train(resume=True)
    train(short, run="a", should_stop=after(1))
    files = {file: file.read_bytes() for file in Path("runs").rglob("*.*")}
    with pytest.raises(ConfigError, match="runs/a: exists already"):
        train(short, run="a")
    for name in ("../a", "a/b", ".a"):
        with pytest.raises(ConfigError, match="plain name"):
            train(short, run=name)
    with pytest.raises(ConfigError, match=r"model\.hidden_sizes"):
        train({"model.hidden_sizes": 3})
    with pytest.raises(TextError, match="nowhere.txt"):
        train({"text.path": "nowhere.txt"}, run="b")
    with pytest.raises(ConfigError, match="device"):
        train({**short, "training.device": "cuda:9"}, run="b")
    assert {file: file.read_bytes() for file in Path("runs").rglob("*.*")} == files
    assert [path.name for path in Path("runs").iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model.activation": "relu"}, "model.activation"),
        ({"model.layers": 2}, "model.layers"),
        ({"windows.length": 6}, "windows.length"),
        ({"vocabulary.max_size": 20}, "vocabulary.max_size"),
        ({"training.batch_size": 4}, "training.batch_size"),
        ({"text.lowercase": True}, "text.lowercase"),
    ],
)
def test_a_resume_with_another_network_or_text_is_refused(
    short: dict[str, object], change: dict[str, object], named: str
) -> None:
    train({**short, "model.kind": "rnn"}, run="a", should_stop=after(2))
    with pytest.raises(NextwordError, match=rf"runs/a: {named} \(was .* cannot change in a resume"):
        train(change, run="a", resume=True)
    assert train(run="a", resume=True).steps == STEPS


def test_a_resume_on_a_text_that_was_edited_is_refused(
    short: dict[str, object], tiny_text: Path
) -> None:
    Path("own.txt").write_bytes(tiny_text.read_bytes())
    train({**short, "text.path": "own.txt"}, run="a", should_stop=after(2))
    Path("own.txt").write_bytes(tiny_text.read_bytes().replace(b"cat", b"dog"))
    with pytest.raises(ConfigError, match="the text cannot change in a resume"):
        train(run="a", resume=True)


def test_the_callers_random_numbers_are_left_alone(short: dict[str, object]) -> None:
    torch.manual_seed(42)
    before = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())
    train({**short, "model.dropout": 0.5}, run="a")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), repr(np.random.get_state())) == before[1:]


def test_the_seed_alone_decides_the_outcome(short: dict[str, object]) -> None:
    settings = {**short, "model.dropout": 0.5}
    torch.manual_seed(1)
    one = train(settings, run="one")
    torch.manual_seed(2)
    assert_same_end(one.path, train(settings, run="other").path)
    third = train({**settings, "training.seed": 3}, run="third")
    assert third.valid_perplexity != one.valid_perplexity


@pytest.mark.parametrize("freeze", [True, False])
def test_a_run_starts_from_glove_vectors(
    short: dict[str, object], freeze: bool, screen: Messages
) -> None:
    draw = np.random.default_rng(3)
    given = {word: draw.normal(size=8) for word in ("the", "cat", "mouse", "napoleon", "zebra")}
    lines = [f"{word} {' '.join(f'{x:.5f}' for x in row)}" for word, row in given.items()]
    Path("glove.txt").write_text("\n".join(lines) + "\n")
    settings = {
        **short,
        "model.vectors": "glove.txt",
        "model.freeze_vectors": freeze,
        "model.embedding_size": 8,
        "training.weight_decay": 0.5,
    }
    train(settings, run="a", callback=screen, should_stop=after(5))
    Path("glove.txt").unlink()
    result = train(run="a", resume=True)
    assert any("glove.txt: vectors for 4 of" in line for line in screen.lines)

    predictor = load_model("a")
    (layer,) = (m for m in predictor.loaded.network.modules() if isinstance(m, WordVectors))
    ids = [predictor.words.index(word) for word in ("the", "cat", "mouse", "Napoleon")]
    rows = layer.weight.detach()[ids]
    wanted = torch.tensor(np.array([given[w] for w in ("the", "cat", "mouse", "napoleon")]))
    # frozen vectors are those of the file, all made shorter by one factor
    factor = (rows / wanted.round(decimals=5)).flatten()
    assert bool((factor.std() < 1e-5 * factor.mean().abs()).item()) == freeze
    assert result.valid_perplexity is not None and result.valid_perplexity < 42


KINDS = [
    ("rnn", "tanh"),
    ("rnn", "sigmoid"),
    ("rnn", "relu"),
    ("lstm", "tanh"),
    ("gru", "tanh"),
    ("feedforward", "relu"),
]


@pytest.mark.parametrize(("kind", "activation"), KINDS)
@pytest.mark.parametrize("reads", ["embedding", "one_hot"])
def test_every_kind_trains_with_every_input(
    short: dict[str, object], kind: str, activation: str, reads: str
) -> None:
    settings = {
        **short,
        "model.kind": kind,
        "model.activation": activation,
        "model.input": reads,
        "model.layers": 2,
        "model.bias": activation != "tanh",
        "windows.stride": None if reads == "embedding" else 5,
        "training.epochs": 0.5,
        "training.learning_rate": 0.01,
    }
    try:
        result = train(settings, run="a")
    except TrainingError as error:
        # a state that nothing bounds may run away in so few steps
        assert (kind, activation) == ("rnn", "relu") and "diverged" in str(error)
        return
    assert result.valid_perplexity is not None
    assert 1 < result.valid_perplexity < len(result.model.words)
    assert load_model("a").predict("the", k=9) == result.model.predict("the", k=9)
    best = min(validation["perplexity"] for validation in reports(result.path, "valid"))
    # validation computes in the precision of the training
    assert best == pytest.approx(result.valid_perplexity, rel=3e-3)


def test_a_text_that_is_split_already(short: dict[str, object], tiny_text: Path) -> None:
    paragraphs = tiny_text.read_text().split("\n\n")
    for name, part in [("train", paragraphs[:80]), ("valid", paragraphs[80:])]:
        Path(f"{name}.txt").write_text("\n".join(part))
    settings = {key: value for key, value in short.items() if not key.startswith("text.")}
    settings |= {"text.train": "train.txt", "text.valid": "valid.txt"}
    result = train({**settings, "text.tokenizer": "whitespace"})
    assert result.run == "train-lstm"
    assert result.valid_perplexity is not None and 1 < result.valid_perplexity < 40
    assert result.test_perplexity is None
    (last,) = reports(result.path, "result")
    assert last["test_perplexity"] is None


def test_nothing_held_out_is_measured_on_the_training_part(short: dict[str, object]) -> None:
    result = train({**short, "text.holdout": {"valid": 0, "test": 0}}, run="a")
    assert result.valid_perplexity is result.test_perplexity is None
    assert 1 < reports(result.path, "valid")[-1]["perplexity"] < 40
    assert result.model.predict("Napoleon was the", k=1)


def test_a_training_that_runs_away_ends_with_advice_and_a_sound_model(
    short: dict[str, object],
) -> None:
    settings = {
        **short,
        "model.kind": "rnn",
        "model.activation": "relu",
        "training.epochs": 4,
        "training.optimizer": "sgd",
        "training.learning_rate": 100,
        "training.clip_norm": 0,
        "training.warmup_steps": 0,
        "training.validations": 1,
    }
    with pytest.raises(TrainingError, match=r"training\.learning_rate"):
        train(settings, run="a")
    assert all(torch.isfinite(each).all() for each in load_file_floats(Path("runs/a")))
    assert not Path("runs/a/model").exists()


def load_file_floats(run: Path) -> list[torch.Tensor]:
    tensors = load_file(run / "state" / "state.safetensors")
    return [tensor for tensor in tensors.values() if tensor.is_floating_point()]


def test_the_callback_receives_every_event_and_the_end_even_after_a_crash(
    short: dict[str, object],
) -> None:
    events: list[str] = []

    class Listen(Callback):
        def on_message(self, line: str) -> None:
            events.append(f"say {line}")

        def on_train_begin(self, trainer: Trainer) -> None:
            events.append(f"began {trainer.progress.step}")

        def on_step(self, report: StepReport) -> None:
            events.append("step")
            if len(events) > 60:
                raise Crash

        def on_validation(self, report: ValidationReport) -> None:
            assert report.perplexity > 1
            assert all(len(predictions) == 3 for predictions in report.samples.values())
            events.append(f"validation {sorted(report.samples)}")

        def on_train_end(self) -> None:
            events.append("end")

    train({**short, "training.prompts": ["the cat", "my"]}, run="a", callback=Listen())
    assert events.count("step") == STEPS
    assert events.count("validation ['my', 'the cat']") == 2
    assert events.index("began 0") < events.index("step")
    assert events[-2:] == ["end", "say measuring the best model on the held-out parts"]
    assert any("tiny.txt: " in line and "words to train on, vocabulary" in line for line in events)
    assert any("lstm, 1 x 24" in line and "26 steps on cpu" in line for line in events)
    with pytest.raises(Crash):
        train({**short, "training.epochs": 3}, run="b", callback=Listen())
    assert events[-1] == "end"


def test_a_configuration_object_serves_as_well_as_keys(short: dict[str, object]) -> None:
    config = load_config(overrides=short)
    assert isinstance(config, Config)
    one, other = train(config, run="one"), train(short, run="other")
    assert_same_end(one.path, other.path)


def test_threads_are_set_where_they_are_asked_for(
    short: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    train({**short, "training.threads": 3}, run="a", should_stop=after(1))
    assert 3 in asked
    asked.clear()
    train(short, run="b", should_stop=after(1))
    assert 3 not in asked


def test_a_resume_has_the_threads_of_its_run_and_the_caller_keeps_its_own(
    short: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1
    chosen: list[int] = []

    def choose(threads: int) -> None:
        nonlocal now
        now = threads
        chosen.append(threads)

    monkeypatch.setattr(torch, "get_num_threads", lambda: now)
    monkeypatch.setattr(torch, "set_num_threads", choose)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("nextword.device.spare_threads", lambda threads: threads)
    now = 2
    train({**short, "training.threads": 0}, run="a", should_stop=after(1))
    now = 4
    train(run="a", resume=True, should_stop=after(1))
    assert (chosen, now) == ([2, 4], 4)
