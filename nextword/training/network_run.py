"""The training of a network as a run: its parts made, watched, saved and measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from nextword.config import Config, load_config
from nextword.device import advice_when_busy, choose_device
from nextword.errors import ConfigError
from nextword.evaluation.stream import mean_loss
from nextword.losses.sampled import SampledLoss
from nextword.losses.softmax import ExactLoss, Loss
from nextword.model_folder import (
    LoadedModel,
    load_model_folder,
    save_mixture,
    save_model,
    save_weights,
)
from nextword.models.build import build_model
from nextword.prediction.predictor import Predictor
from nextword.runs import run_to_begin, run_to_resume
from nextword.text.encoded import prepare_text
from nextword.training.automatic import resolve
from nextword.training.batches import build_batches
from nextword.training.card import model_card
from nextword.training.mixing import fit_mixture
from nextword.training.prompts import default_prompts
from nextword.training.record import describe_text, log, write_config
from nextword.training.result import TrainingResult, conclude
from nextword.training.source import stem, with_text
from nextword.training.start import start_from_text, start_from_vectors
from nextword.training.state import restore_state, save_state
from nextword.training.trainer import Progress, StepReport, Trainer
from nextword.training.watcher import Watcher

VALIDATION_STREAMS = 16
"""Pieces in which the validation part is read while training, at most; final figures use one."""
WORDS_PER_STREAM = 2_000
"""Shorter pieces would make the figure worse than it is: each begins with an empty memory."""
VALIDATION_WORDS = 50_000
"""Words of the validation part that are looked at while training, at most."""


class NetworkRun:
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
        watcher.say(describe_text(self.text))
        self.config = resolve(self.config, len(self.text.parts["train"].ids))
        training = self.config.training
        torch.manual_seed(training.seed)
        started = time.perf_counter()
        self.loaded = self._fresh_model()
        held_out = self.text.parts.get("valid")
        self.valid = None if held_out is None else held_out.ids[:VALIDATION_WORDS]
        self.prompts = training.prompts or default_prompts(
            self.text.tokenizer, (held_out or self.text.parts["train"]).ids[:VALIDATION_WORDS]
        )
        self.trainer = Trainer(
            self.loaded.network,
            _loss(self.config, self.loaded.counts),
            build_batches(self.text.parts["train"].ids, self.config),
            training,
            self.device,
            self._validate,
            self,
            should_stop,
        )
        # the start vectors take their part of a time budget
        self.trainer.progress.seconds = time.perf_counter() - started
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
        settings = self.config.model
        if settings.vectors:
            self.watcher.say(start_from_vectors(model, settings, self.text.tokenizer.words))
        elif settings.start == "cooccurrence" and settings.input == "embedding":
            seed = self.config.training.seed
            start_from_text(model, settings, self.text.parts["train"].ids, seed)
        return LoadedModel(model.to(self.device), self.text.tokenizer, self.config.model, counts)

    def train(self) -> TrainingResult:
        write_config(self.folder, self.config, self.text)
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
        best = load_model_folder(self.folder.model).to(self.device)
        mixture = fit_mixture(best, self.text, self.config, self.watcher.say)
        save_mixture(self.folder.model, mixture)
        best = replace(best, mixture=mixture)
        progress = self.trainer.progress
        result = conclude(self.folder.path, best, self.text.parts, progress, stopped)
        log(self.folder, "result", **result.as_dict())
        return result

    def _validate(self) -> float:
        """Nats a word on the validation part; on the text itself where nothing is held out."""
        ids = self.text.parts["train"].ids[:VALIDATION_WORDS] if self.valid is None else self.valid
        streams = min(VALIDATION_STREAMS, max(1, len(ids) // WORDS_PER_STREAM))
        return mean_loss(self.loaded.network, ids, streams)

    def stepped(self, report: StepReport) -> None:
        self.watcher.stepped(report)
        every = max(1, report.total_steps // 200)
        if report.progress.step % every == 0:
            log(
                self.folder,
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
            card = model_card(self.config, self.loaded, self.text)
            save_model(self.folder.model, self.loaded, card)
        perplexity = math.exp(min(loss, 700.0))
        predictor = Predictor(self.loaded)
        samples = {prompt: predictor.predict(prompt, k=3) for prompt in self.prompts}
        log(
            self.folder,
            "valid",
            **asdict(progress),
            loss=loss,
            perplexity=perplexity,
            samples={prompt: [asdict(p) for p in found] for prompt, found in samples.items()},
        )
        self.watcher.validated(progress, perplexity, samples)


def _reading(config: Config) -> dict[str, Any]:
    """How a text is read, wherever it lies."""
    return config.text.model_dump(exclude={"path", "train", "valid", "test"})


def _loss(config: Config, counts: Tensor) -> Loss:
    training = config.training
    if training.loss == "exact":
        return ExactLoss()
    return SampledLoss(training.sampled_head, training.sampled_tail, counts)


def _describe_model(loaded: LoadedModel, config: Config, trainer: Trainer) -> str:
    model = config.model
    name = f"{model.kind} ({model.activation})" if model.kind == "rnn" else model.kind
    minutes = config.training.minutes
    length = f"{trainer.total_steps:,} steps" if minutes is None else f"{minutes:g} minutes"
    return (
        f"{name}, {model.layers} x {model.hidden_size}, "
        f"{loaded.model.parameter_count():,} parameters, {length} on {trainer.device}"
    )
