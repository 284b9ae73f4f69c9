"""Baselines: simpler models that learned from the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nextword.evaluation.held_out import training_part
from nextword.inference.decoder import Decoder
from nextword.inference.mixture import Mixture
from nextword.inference.model_folder import LoadedModel
from nextword.inference.ngram import NgramDecoder
from nextword.ngram.model import NgramModel

Opener = Callable[[], Decoder]
"""Makes a decoder at the beginning of a text."""


def simpler_models(loaded: LoadedModel, folder: Path) -> dict[str, Opener]:
    """Unigrams, n-grams and the network alone, the simplest first, over the model's vocabulary.

    Args:
        loaded: the model to compare with.
        folder: its model folder, inside a run whose text is still there.

    Raises:
        ModelError: the run or its text is missing.
    """
    size = len(loaded.tokenizer)
    training_ids = training_part(folder, loaded.tokenizer)
    baselines = {"unigram": _opener(NgramModel.fit(training_ids, size, 1), loaded)}
    if loaded.has_network:
        ngram = loaded.mixture.ngram or NgramModel.fit(training_ids, size, loaded.config.order)
        baselines[f"Kneser-Ney {ngram.order}-gram"] = _opener(ngram, loaded)
    if loaded.mixture.ngram is not None:
        baselines["network alone"] = replace(loaded, mixture=Mixture()).decoder
    return baselines


def _opener(ngram: NgramModel, loaded: LoadedModel) -> Opener:
    return lambda: NgramDecoder(ngram, loaded.device)
