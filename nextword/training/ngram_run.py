"""The counting of n-grams as a run: there are no steps, so there is nothing to resume."""

from __future__ import annotations

import time

import torch

from nextword.config import Config
from nextword.errors import ConfigError
from nextword.inference.loaded_model import LoadedNgrams
from nextword.inference.model_folder import save_model
from nextword.ngram.model import NgramModel
from nextword.storage.lock import RunLock
from nextword.storage.run_folder import begin_run, run_to_begin
from nextword.text.prepare import prepare_text
from nextword.training.callbacks import Callback
from nextword.training.model_card import model_card
from nextword.training.resolve_text import stem, with_text
from nextword.training.result import TrainingResult, conclude
from nextword.training.run_files import describe_text, write_config
from nextword.training.trainer import Progress


class NgramRun:
    """A run of ``model.kind: ngram``."""

    def __init__(self, config: Config, name: str | None, resume: bool, callback: Callback) -> None:
        if resume:
            raise ConfigError(
                "an n-gram model is counted in one go; train it anew without --resume"
            )
        self.callback = callback
        self.config = with_text(config)
        self.name, self.stem = name, f"{stem(self.config)}-ngram"
        self.folder = run_to_begin(name, self.stem)
        self.text = prepare_text(self.config.text, self.config.vocabulary, report=callback.say)
        callback.say(describe_text(self.text))

    def train(self) -> TrainingResult:
        """Count, keep and measure."""
        self.folder = begin_run(self.name, self.stem)
        with RunLock(self.folder, self.callback.say):
            run_to_begin(self.folder.path.name, self.stem)  # another may have just ended here
            return self._train()

    def _train(self) -> TrainingResult:
        write_config(self.folder, self.config, self.text)
        ids, order = self.text.parts["train"].ids, self.config.model.order
        started = time.perf_counter()
        model = NgramModel.fit(ids, len(self.text.tokenizer), order)
        progress = Progress(step=order, words=len(ids), seconds=time.perf_counter() - started)
        sizes = ", ".join(f"{count:,}" for count in model.ngram_counts())
        self.callback.say(f"n-grams of 1 to {order} words: {sizes}")
        counts = torch.from_numpy(self.text.vocabulary.counts)
        loaded = LoadedNgrams(model, self.text.tokenizer, self.config.model, counts)
        save_model(self.folder.model, loaded, model_card(self.config, loaded, self.text))
        result = conclude(self.folder.path, loaded, self.text.parts, progress, stopped=False)
        self.folder.log.append("result", **result.as_dict())
        return result
