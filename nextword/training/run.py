"""A training run, from configuration to model folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from nextword.config import Config, load_config
from nextword.device import hardware_trouble
from nextword.errors import TrainingError
from nextword.storage.run_folder import run_to_resume
from nextword.training.callbacks import Callback
from nextword.training.network_run import NetworkRun
from nextword.training.ngram_run import NgramRun
from nextword.training.result import TrainingResult

ADVICE = (
    "lower training.batch_size, windows.length, model.hidden_size or vocabulary.max_size, or set "
    "training.device to another; what was saved is kept"
)
"""What helps where memory or a device is too small."""

__all__ = ["TrainingResult", "train"]


def train(
    config: Config | Mapping[str, object] | None = None,
    *,
    run: str | None = None,
    resume: bool = False,
    callback: Callback | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainingResult:
    """Train a next-word predictor and keep it under ``runs/``.

    Args:
        config: a :class:`~nextword.config.Config`, or dotted keys such as
            ``{"text.path": "book.txt", "model.kind": "gru"}``; the shipped text by default. In a
            resume, the keys are set on top of what the run began with.
        run: the run's name; derived from the text by default. In a resume also a run folder's
            path.
        resume: go on with the run ``run``, the newest by default, from where it was saved last.
            What may change then is said in docs/reliability.md.
        watcher: is told what happens.
        should_stop: asked after each step; true saves, measures and ends the run.

    Raises:
        NextwordError: the text, the configuration or the run folder will not do.
    """
    if not isinstance(config, Config):
        begun = run_to_resume(run).config if resume else None
        config = load_config(begun, dict(config or {}))
    threads = torch.get_num_threads()
    try:
        # a caller's own draws are not disturbed by ours
        with torch.random.fork_rng():
            if config.model.kind == "ngram":
                return NgramRun(config, run, resume, callback or Callback()).train()
            return NetworkRun(config, run, resume, callback or Callback(), should_stop).train()
    except (RuntimeError, MemoryError) as error:
        trouble = hardware_trouble(error)
        if trouble is None:
            raise
        raise TrainingError(f"{trouble}; {ADVICE}") from error
    finally:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
