"""A training run, from configuration to model folder."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nextword.config import Config, dump_config, load_config
from nextword.device import advice_when_busy, choose_device
from nextword.errors import ConfigError
from nextword.evaluation.stream import mean_loss
from nextword.files import write_atomically
from nextword.losses.sampled import SampledLoss
from nextword.losses.softmax import ExactLoss, Loss
from nextword.models.build import build_model
from nextword.models.folder import LoadedModel, load_model_folder, save_model, save_weights
from nextword.prediction.predictor import Predictor
from nextword.runs import run_to_begin, run_to_resume
from nextword.text.encoded import EncodedText, prepare_text
from nextword.training.automatic import resolve
from nextword.training.batches import build_batches
from nextword.training.card import model_card
from nextword.training.prompts import default_prompts
from nextword.training.source import stem, with_text
from nextword.training.start import start_from_vectors
from nextword.training.state import restore_state, save_state
from nextword.training.trainer import Progress, StepReport, Trainer
from nextword.training.watcher import Watcher
from nextword.version import __version__

VALIDATION_STREAMS = 16
"""Pieces in which the validation part is read while training, at most; final figures use one."""
WORDS_PER_STREAM = 2_000
"""Shorter pieces would make the figure worse than it is: each begins with an empty memory."""
VALIDATION_WORDS = 50_000
"""Words of the validation part that are looked at while training, at most."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to; the fields up to ``test_perplexity`` are ``train --json``'s."""

    run: str
    steps: int
    seconds: float
    """Time in training, validation included, over all resumes."""
    tokens_per_second: float
    valid_perplexity: float | None
    """Exact, one stream, of the best model; None where nothing was held out."""
    test_perplexity: float | None
    path: Path
    """The run folder."""
    stopped: bool
    """Whether it was stopped before its end; a resume would go on."""
    predictor: Predictor
    """The best model, ready to be asked."""

    def as_dict(self) -> dict[str, Any]:
        """The contract of ``nextword train --json``."""
        names = ("run", "steps", "seconds", "tokens_per_second")
        figures = ("valid_perplexity", "test_perplexity")
        return {name: getattr(self, name) for name in (*names, *figures)}


def train(
    config: Config | Mapping[str, object] | None = None,
    *,
    run: str | None = None,
    resume: bool = False,
    watcher: Watcher | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainingResult:
    """Train a next-word predictor and keep it under ``runs/``.

    Args:
        config: a :class:`~nextword.config.Config`, or dotted keys such as
            ``{"text.path": "book.txt", "model.kind": "gru"}``; the shipped text by default. In a
            resume, the keys are set on top of what the run began with.
        run: the run's name; derived from the text by default.
        resume: go on with the run ``run``, the newest by default, from where it was saved last.
        watcher: is told what happens.
        should_stop: asked after each step; true saves, measures and ends the run.

    Raises:
        NextwordError: the text, the configuration or the run folder will not do.
    """
    if not isinstance(config, Config):
        begun = run_to_resume(run).config if resume else None
        config = load_config(begun, dict(config or {}))
    # a caller's own draws are not disturbed by ours
    with torch.random.fork_rng():
        return Run(config, run, resume, watcher or Watcher(), should_stop).train()


class Run:
    """The parts of one run, made in the order in which they need each other."""

    def __init__(
        self,
        config: Config,
        name: str | None,
        resume: bool,
        watcher: Watcher,
        should_stop: Callable[[], bool],
    ) -> None:
        self.watcher = watcher
        self.config = with_text(config)
        fresh = f"{stem(self.config)}-{self.config.model.kind}"
        self.folder = run_to_resume(name) if resume else run_to_begin(name, fresh)
        self.device = choose_device(self.config.training.device)
        if self.config.training.threads:
            torch.set_num_threads(self.config.training.threads)
        self.text = prepare_text(self.config.text, self.config.vocabulary, report=watcher.say)
        advice = advice_when_busy(torch.get_num_threads()) if self.device.type == "cpu" else None
        if advice is not None and not self.config.training.threads:
            self.watcher.say(advice)
        watcher.say(_describe_text(self.text))
        self.config = resolve(self.config, len(self.text.parts["train"].ids))
        training = self.config.training
        torch.manual_seed(training.seed)
        self.loaded = self._fresh_model()
        held_out = self.text.parts.get("valid")
        self.valid = None if held_out is None else held_out.ids[:VALIDATION_WORDS]
        self.prompts = training.prompts or default_prompts(
            self.text.tokenizer, (held_out or self.text.parts["train"]).ids[:VALIDATION_WORDS]
        )
        self.trainer = Trainer(
            self.loaded.model,
            _loss(self.config, self.loaded.counts),
            build_batches(self.text.parts["train"].ids, self.config),
            training,
            self.device,
            self._validate,
            self,
            should_stop,
        )
        self.saved_at = time.monotonic()
        if resume:
            self._refuse_changes()
            restore_state(self.folder.state, self.trainer)

    def _refuse_changes(self) -> None:
        """A resume goes on with the same network, on the same words in the same order."""
        begun = load_config(self.folder.config, environ={})
        same = {
            "the text": begun.about.get("text_sha256") == self.text.sha256
            and _reading(begun) == _reading(self.config),
            "vocabulary": begun.vocabulary == self.config.vocabulary,
            "windows": begun.windows == self.config.windows,
            "model": begun.model == self.config.model,
            "training.batch_size": begun.training.batch_size == self.config.training.batch_size,
        }
        changed = [name for name, unchanged in same.items() if not unchanged]
        if changed:
            raise ConfigError(
                f"{self.folder.path}: {', '.join(changed)} changed since the run began; resume it "
                "without the change, or train anew under another --run"
            )

    def _fresh_model(self) -> LoadedModel:
        model = build_model(self.config.model, len(self.text.tokenizer))
        counts = torch.from_numpy(self.text.vocabulary.counts)
        model.output.start_from_counts(counts)
        if self.config.model.vectors:
            self.watcher.say(
                start_from_vectors(model, self.config.model, self.text.tokenizer.words)
            )
        return LoadedModel(model.to(self.device), self.text.tokenizer, self.config.model, counts)

    def train(self) -> TrainingResult:
        self._write_config()
        if not self.folder.state.exists():
            save_state(self.folder.state, self.trainer)  # whatever happens, a resume is possible
        self.watcher.say(_describe_model(self.loaded, self.config, self.trainer))
        self.watcher.began(self.trainer)
        try:
            finished = self.trainer.run()
        finally:
            self.watcher.ended()
        progress = self.trainer.progress
        save_state(self.folder.state, self.trainer)
        if not finished and (progress.best_step < progress.step or not progress.validations):
            self.trainer.measure()
        return self._result(stopped=not finished)

    def _result(self, stopped: bool) -> TrainingResult:
        best = load_model_folder(self.folder.model)
        best.model.to(self.device)
        perplexities = {
            part: math.exp(min(mean_loss(best.model, self.text.parts[part].ids), 700.0))
            for part in ("valid", "test")
            if part in self.text.parts
        }
        progress = self.trainer.progress
        result = TrainingResult(
            run=self.folder.path.name,
            steps=progress.step,
            seconds=round(progress.seconds, 3),
            tokens_per_second=round(progress.words / max(progress.seconds, 1e-9), 1),
            valid_perplexity=perplexities.get("valid"),
            test_perplexity=perplexities.get("test"),
            path=self.folder.path,
            stopped=stopped,
            predictor=Predictor(best),
        )
        self._log("result", **result.as_dict())
        return result

    def _validate(self) -> float:
        """Nats a word on the validation part; on the text itself where nothing is held out."""
        ids = self.text.parts["train"].ids[:VALIDATION_WORDS] if self.valid is None else self.valid
        streams = min(VALIDATION_STREAMS, max(1, len(ids) // WORDS_PER_STREAM))
        return mean_loss(self.loaded.model, ids, streams)

    def stepped(self, report: StepReport) -> None:
        self.watcher.stepped(report)
        every = max(1, report.total_steps // 200)
        if report.progress.step % every == 0:
            self._log(
                "train",
                **asdict(report.progress),
                loss=report.loss,
                learning_rate=report.learning_rate,
                gradient_norm=report.gradient_norm,
            )
        if time.monotonic() - self.saved_at >= self.config.training.save_every:
            save_state(self.folder.state, self.trainer)
            self.saved_at = time.monotonic()

    def validated(self, progress: Progress, loss: float, improved: bool) -> None:
        if improved and (self.folder.model / "model.safetensors").exists():
            save_weights(self.folder.model, self.loaded.model, self.loaded.counts)
        elif improved or not self.folder.model.exists():
            card = model_card(self.config, self.loaded.model, self.text)
            save_model(self.folder.model, self.loaded, card)
        perplexity = math.exp(min(loss, 700.0))
        predictor = Predictor(self.loaded)
        samples = {prompt: predictor.predict(prompt, k=3) for prompt in self.prompts}
        self._log(
            "valid",
            **asdict(progress),
            loss=loss,
            perplexity=perplexity,
            samples={prompt: [asdict(p) for p in found] for prompt, found in samples.items()},
        )
        self.watcher.validated(progress, perplexity, samples)

    def _write_config(self) -> None:
        about: dict[str, str | int | float] = {
            "nextword": __version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
            "text_sha256": self.text.sha256,
            "vocabulary_size": len(self.text.tokenizer),
        }
        resolved = self.config.model_copy(update={"about": about})
        write_atomically(self.folder.config, dump_config(resolved))

    def _log(self, kind: str, **values: Any) -> None:
        line = {"kind": kind, **values}
        finite = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in line.items()
        }
        with self.folder.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(finite, ensure_ascii=False) + "\n")


def _reading(config: Config) -> dict[str, Any]:
    """How a text is read, wherever it lies."""
    return config.text.model_dump(exclude={"path", "train", "valid", "test"})


def _loss(config: Config, counts: Tensor) -> Loss:
    training = config.training
    if training.loss == "exact":
        return ExactLoss()
    return SampledLoss(training.sampled_head, training.sampled_tail, counts)


def _describe_text(text: EncodedText) -> str:
    part = text.parts["train"]
    unknown = 100 * part.unknown / max(len(part.ids), 1)
    return (
        f"{text.source}: {len(part.ids):,} words to train on, vocabulary {len(text.tokenizer):,} "
        f"({unknown:.1f} % of the words unknown); {text.held_out}"
    )


def _describe_model(loaded: LoadedModel, config: Config, trainer: Trainer) -> str:
    model = config.model
    name = f"{model.kind} ({model.activation})" if model.kind == "rnn" else model.kind
    minutes = config.training.minutes
    length = f"{trainer.total_steps:,} steps" if minutes is None else f"{minutes:g} minutes"
    return (
        f"{name}, {model.layers} x {model.hidden_size}, "
        f"{loaded.model.parameter_count():,} parameters, {length} on {trainer.device}"
    )
