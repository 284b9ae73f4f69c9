"""A training run, from configuration to model folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from nextword.config.load import load_config
from nextword.config.schema import Config
from nextword.errors import ConfigError, TrainingError
from nextword.inference.loaded_model import LoadedNgrams
from nextword.inference.model_folder import save_model
from nextword.machine import hardware_trouble
from nextword.ngram.model import NgramModel
from nextword.storage.run_folder import RunFolder, run_to_resume
from nextword.training.callbacks import Callback, Progress
from nextword.training.network import train_network
from nextword.training.result import TrainingResult, conclude, model_card
from nextword.training.run_context import RunContext

ADVICE = (
    "lower training.batch_size, windows.length, model.hidden_size or vocabulary.max_size, or set "
    "training.device to another; what was saved is kept"
)
"""Remedies where memory or a device is too small."""


def count_ngrams(run: RunContext, should_stop: Callable[[], bool]) -> TrainingResult:
    """Count the n-grams of the text, keep them, and measure; cannot be stopped early."""
    text, config = run.read_text(), run.config
    run.write_config(text)
    ids, order = text.parts["train"].ids, config.model.order
    run.callback.on_progress("counting n-grams", 0, 0)
    model = NgramModel.fit(ids, len(text.tokenizer), order)
    progress = Progress(step=order, words=len(ids), seconds=run.clock())
    sizes = ", ".join(f"{count:,}" for count in model.ngram_counts())
    run.say(f"n-grams of 1 to {order} words: {sizes}")
    settings = config.model.model_dump(mode="json")
    loaded = LoadedNgrams(model, text.tokenizer, settings, text.vocabulary.counts)
    save_model(run.folder.model, loaded, model_card(config, text, loaded))
    return conclude(run, loaded, text.parts, progress, stopped=False)


class Learner(NamedTuple):
    """How a kind of model is trained."""

    train: Callable[[RunContext, Callable[[], bool]], TrainingResult]
    resumable: bool
    """Whether a stopped training can be continued."""


NETWORK = Learner(train_network, resumable=True)
LEARNERS: dict[str, Learner] = {"ngram": Learner(count_ngrams, resumable=False)}
"""By ``model.kind``; a kind that is not listed is trained as a network."""


def train(
    config: Config | Mapping[str, object] | None = None,
    *,
    run: str | None = None,
    resume: bool = False,
    callback: Callback | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    started: float | None = None,
    full: bool = False,
) -> TrainingResult:
    """Train a next-word predictor and keep it under ``runs/``.

    Args:
        config: a :class:`~nextword.config.Config`, or dotted keys such as
            ``{"text.path": "book.txt", "model.kind": "gru"}``; the shipped text by default. In a
            resume, the keys are set on top of the run's configuration.
        run: the run's name; derived from the text by default. In a resume also a run folder's
            path.
        resume: continue the run ``run``, the newest by default, from its last save.
            docs/reliability.md lists the settings that may change.
        callback: receives messages, steps and validations.
        should_stop: asked before each step; true saves, measures and ends the run.
        started: :func:`time.monotonic` when the user's wait began, which ``training.minutes``
            limits; now by default.
        full: take the final figures from all held-out text, whatever time it takes.

    Raises:
        NextwordError: the text, the configuration or the run folder cannot be used.
    """
    resumed: RunFolder | None = None
    if not isinstance(config, Config):
        resumed = run_to_resume(run) if resume else None
        config = load_config(None if resumed is None else resumed.config, dict(config or {}))
    learner = LEARNERS.get(config.model.kind, NETWORK)
    if resume and not learner.resumable:
        raise ConfigError(
            f"a run of kind {config.model.kind} cannot be resumed; retrain it without --resume"
        )
    if resume and resumed is None:
        resumed = run_to_resume(run)
    threads = torch.get_num_threads()
    try:
        # the caller's random numbers stay as they are
        with (
            torch.random.fork_rng(),
            RunContext(config, run, resumed, callback, started, full) as context,
        ):
            return learner.train(context, should_stop)
    except (RuntimeError, MemoryError) as error:
        trouble = hardware_trouble(error)
        if trouble is None:
            raise
        raise TrainingError(f"{trouble}; {ADVICE}") from error
    finally:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
