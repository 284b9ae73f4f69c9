"""The training of a network as a run: its parts made, watched, saved and measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict

import torch
from torch import Tensor

from nextword.config import Config
from nextword.device import choose_device, choose_threads
from nextword.errors import ModelError
from nextword.evaluation.stream import mean_loss
from nextword.inference.loaded_model import LoadedModel, LoadedNetwork
from nextword.inference.model_folder import (
    WEIGHTS,
    load_model_folder,
    save_mixture,
    save_model,
    save_weights,
)
from nextword.losses.sampled import SampledLoss
from nextword.losses.softmax import ExactLoss, Loss
from nextword.model import Model
from nextword.models.registry import build_network
from nextword.storage.files import remove_leftovers, write_atomically
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import begin_run, run_to_begin, run_to_resume
from nextword.storage.tensors import read_tensors
from nextword.text.prepare import prepare_text
from nextword.training.auto_settings import resolve
from nextword.training.batches import build_batches
from nextword.training.callbacks import Callback, CallbackList
from nextword.training.checkpoint import Notes, SavedState, read_state
from nextword.training.fit_mixture import fit_mixture
from nextword.training.init_embeddings import start_from_text, start_from_vectors
from nextword.training.model_card import model_card
from nextword.training.prompts import default_prompts
from nextword.training.resolve_text import stem, with_text
from nextword.training.result import TrainingResult, conclude
from nextword.training.resume_checks import refuse_changes
from nextword.training.run_files import describe_text, write_config
from nextword.training.saving import Saver
from nextword.training.tensorboard import EventWriter, check_tensorboard
from nextword.training.trainer import Progress, StepReport, Trainer

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
        callback: Callback,
        should_stop: Callable[[], bool],
    ) -> None:
        self.callback = callback
        self.config = with_text(config)
        self.name, self.stem = name, f"{stem(self.config)}-{self.config.model.kind}"
        self.folder = run_to_resume(name) if resume else run_to_begin(name, self.stem)
        self.lock = RunLock(self.folder, callback.say)
        if resume:
            self.lock.take()
        try:
            self._prepare(read_state(self.folder.state) if resume else None, should_stop)
        except BaseException:
            self.lock.release()
            raise

    def _prepare(self, saved: SavedState | None, should_stop: Callable[[], bool]) -> None:
        """Read the text, build the network, and put it where it was saved."""
        self.resumed = notes = None if saved is None else saved.notes
        if self.config.training.tensorboard:
            check_tensorboard()
        self.device = choose_device(self.config.training.device)
        threads = None if notes is None else notes.threads
        choose_threads(self.config.training.threads, threads, self.callback.say)
        self.text = prepare_text(self.config.text, self.config.vocabulary, report=self.callback.say)
        self.callback.say(describe_text(self.text))
        self.config = resolve(self.config, len(self.text.parts["train"].ids))
        if notes is not None:
            text_changed = self.folder.read_record().text_sha256 != self.text.sha256
            refuse_changes(self.folder, notes.config, self.config, text_changed)
        training = self.config.training
        torch.manual_seed(training.seed)
        started = time.perf_counter()
        self.loaded = self._fresh_model(saved)
        held_out = self.text.parts.get("valid")
        self.valid = None if held_out is None else held_out.ids[:VALIDATION_WORDS]
        if held_out is None:
            self.callback.say("perplexities are those of the training text itself")
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
        self.saver = Saver(self.folder, self.trainer, self._notes, training.save_every)
        if saved is not None:
            saved.restore(self.trainer)

    def _notes(self) -> Notes:
        return Notes(self.config, torch.get_num_threads(), self.folder.log.size())

    def _fresh_model(self, saved: SavedState | None) -> LoadedModel:
        model = build_network(self.config.model, len(self.text.tokenizer))
        counts = torch.from_numpy(self.text.vocabulary.counts)
        model.output.start_from_counts(counts)
        settings = self.config.model
        if saved is not None:
            saved.freeze(model)  # the weights come later; what they started from is not needed
        elif settings.vectors:
            self.callback.say(start_from_vectors(model, settings, self.text.tokenizer.words))
        elif settings.start == "cooccurrence" and settings.input == "embedding":
            seed = self.config.training.seed
            start_from_text(model, settings, self.text.parts["train"].ids, seed)
        return LoadedNetwork(model.to(self.device), self.text.tokenizer, self.config.model, counts)

    def train(self) -> TrainingResult:
        """Train to the end, or until it is told to stop, and measure."""
        if self.resumed is None:
            self.folder = self.saver.folder = self.lock.folder = begin_run(self.name, self.stem)
            self.lock.take()
        try:
            if self.resumed is None:
                run_to_begin(self.folder.path.name, self.stem)  # another may have just ended here
            return self._train()
        finally:
            self.lock.release()

    def _train(self) -> TrainingResult:
        for place in (self.folder.path, self.folder.model, self.folder.state.parent):
            remove_leftovers(place)
        if self.resumed is not None:
            self._go_on(self.resumed)
        write_config(self.folder, self.config, self.text)
        if self.resumed is None:
            self.saver.save()  # whatever happens, a resume is possible
        self.callback.say(_describe_model(self.loaded, self.config, self.trainer))
        if self.config.training.tensorboard:
            self.callback = CallbackList(self.callback, EventWriter(self.folder.path))
        self.callback.began(self.trainer)
        try:
            finished = self.trainer.run()
        finally:
            self.callback.ended()
        progress = self.trainer.progress
        self.saver.save()
        if not finished and (progress.best_step < progress.step or not progress.validations):
            self._look_before_leaving()
        return self._result(stopped=not finished)

    def _go_on(self, notes: Notes) -> None:
        """Put the best model and the log, too, where they were when the state was saved."""
        weights = self.folder.model / WEIGHTS
        if self.folder.best.exists():
            read_tensors(self.folder.best, ModelError)  # refused here if damaged
            write_atomically(weights, self.folder.best.read_bytes())
            self.folder.best.unlink()
        if self.trainer.progress.validations:
            # now, not after hours of training, is the time to hear that it is damaged
            best, own = load_model_folder(self.folder.model), self.loaded
            if (best.tokenizer.words, best.config) != (own.tokenizer.words, own.config):
                raise ModelError(f"{weights}: is of another run; put this run's own in its place")
        self.folder.log.truncate(notes.logged)

    def _look_before_leaving(self) -> None:
        """Keep what has been learned since the last look as a model, for the time being.

        A run that was never stopped takes no such look, so the best model of the regular ones is
        kept for the resume.
        """
        weights = self.folder.model / WEIGHTS
        if weights.exists():
            write_atomically(self.folder.best, weights.read_bytes())
        self.trainer.measure()

    def _result(self, stopped: bool) -> TrainingResult:
        best = load_model_folder(self.folder.model).to(self.device)
        mixture = fit_mixture(best, self.text, self.config, self.callback.say)
        save_mixture(self.folder.model, mixture)
        best = best.with_mixture(mixture)
        progress = self.trainer.progress
        result = conclude(self.folder.path, best, self.text.parts, progress, stopped)
        self.folder.log.append("result", **result.as_dict())
        return result

    def _validate(self) -> float:
        """Nats a word on the validation part; on the text itself where nothing is held out."""
        ids = self.text.parts["train"].ids[:VALIDATION_WORDS] if self.valid is None else self.valid
        streams = min(VALIDATION_STREAMS, max(1, len(ids) // WORDS_PER_STREAM))
        return mean_loss(self.loaded.network, ids, streams)

    def stepped(self, report: StepReport) -> None:
        self.callback.stepped(report)
        every = max(1, report.total_steps // 200)
        if report.progress.step % every == 0:
            self.folder.log.append(
                "train",
                **asdict(report.progress),
                loss=report.loss,
                learning_rate=report.learning_rate,
                gradient_norm=report.gradient_norm,
            )
        self.saver.save_if_due()

    def validated(self, progress: Progress, loss: float, improved: bool) -> None:
        # the first look keeps a model whatever it finds
        if improved or progress.validations == 1:
            with self.saver.pausing():
                self._save_model()
        perplexity = math.exp(min(loss, 700.0))
        predictor = Model(self.loaded)
        samples = {prompt: predictor.predict(prompt, k=3) for prompt in self.prompts}
        self.folder.log.append(
            "valid",
            **asdict(progress),
            loss=loss,
            perplexity=perplexity,
            samples={prompt: [asdict(p) for p in found] for prompt, found in samples.items()},
        )
        self.callback.validated(progress, perplexity, samples)

    def _save_model(self) -> None:
        if (self.folder.model / WEIGHTS).exists():
            save_weights(self.folder.model, self.loaded)
        else:
            card = model_card(self.config, self.loaded, self.text)
            save_model(self.folder.model, self.loaded, card)


def _loss(config: Config, counts: Tensor) -> Loss:
    training = config.training
    if training.loss == "exact":
        return ExactLoss()
    return SampledLoss(training.sampled_head, training.sampled_tail, counts)


def _describe_model(loaded: LoadedModel, config: Config, trainer: Trainer) -> str:
    model = config.model
    length = f"{trainer.total_steps:,} steps"
    if config.training.minutes is not None:
        length = f"{config.training.budget}, whichever is over first,"
    return (
        f"{model.title}, {model.layers} x {model.hidden_size}, "
        f"{loaded.parameter_count():,} parameters, {length} on {trainer.device}"
    )
