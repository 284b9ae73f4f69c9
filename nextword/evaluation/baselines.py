"""What a model is set beside: simpler ones that learned from the same words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nextword.evaluation.held_out import training_part
from nextword.inference.decoder import Decoder
from nextword.inference.decoders import NgramDecoder
from nextword.inference.loaded_model import LoadedModel
from nextword.ngram.model import NgramModel

Opener = Callable[[], Decoder]
"""Makes a reading at the beginning of a text."""


def simpler_models(loaded: LoadedModel, folder: Path) -> dict[str, Opener]:
    """Unigrams, n-grams and the network alone, the simplest first, over the model's vocabulary.

    Args:
        loaded: the model that they are set beside.
        folder: its folder, inside the run that knows what it learned from.

    Raises:
        ModelError: the run or its text is not there any more.
    """
    size = len(loaded.tokenizer)
    training_ids = training_part(folder, loaded.tokenizer)
    unigram = NgramModel.fit(training_ids, size, 1)
    found = {"unigram": _counted(unigram, loaded)}
    if loaded.has_network:
        ngram = loaded.mixture.ngram or NgramModel.fit(training_ids, size, loaded.config.order)
        found[f"Kneser-Ney {ngram.order}-gram"] = _counted(ngram, loaded)
    if loaded.mixture.ngram is not None:
        found["network alone"] = loaded.alone().decoder
    return found


def _counted(model: NgramModel, beside: LoadedModel) -> Opener:
    return lambda: NgramDecoder(model, beside.device)
