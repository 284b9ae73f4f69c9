"""Counting n-grams as a run: there are no steps, so there is nothing to resume."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from nextword.inference.loaded_model import LoadedNgrams
from nextword.inference.model_folder import save_model
from nextword.ngram.model import NgramModel
from nextword.training.callbacks import Progress
from nextword.training.result import TrainingResult, conclude, model_card
from nextword.training.run_context import RunContext


def count_ngrams(run: RunContext, should_stop: Callable[[], bool]) -> TrainingResult:
    """Count the n-grams of the text, keep them, and measure; cannot be stopped early."""
    text, config = run.read_text(), run.config
    run.write_config(text)
    ids, order = text.parts["train"].ids, config.model.order
    started = time.perf_counter()
    model = NgramModel.fit(ids, len(text.tokenizer), order)
    progress = Progress(step=order, words=len(ids), seconds=time.perf_counter() - started)
    sizes = ", ".join(f"{count:,}" for count in model.ngram_counts())
    run.say(f"n-grams of 1 to {order} words: {sizes}")
    counts = torch.from_numpy(text.vocabulary.counts)
    loaded = LoadedNgrams(model, text.tokenizer, config.model, counts)
    save_model(run.folder.model, loaded, model_card(config, text, loaded))
    return conclude(run, loaded, text.parts, progress, stopped=False)
