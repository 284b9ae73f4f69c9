"""What a run came to: the figures of its best model on the held-out parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nextword.inference.decoder import Decoder, gather_targets, score_stream
from nextword.inference.loaded_model import LoadedModel
from nextword.model import Model
from nextword.text.dataset import TextPart
from nextword.training.prompts import ARTICLE_PROMPT, default_prompts
from nextword.training.trainer import Progress

HELD_OUT = ("valid", "test")
PROMPT_WORDS = 50_000
"""A prompt is looked for in so many words at most."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to; the fields up to ``path`` are ``train --json``'s."""

    run: str
    steps: int
    words: int
    """Words learned from, each time they were read."""
    seconds: float
    """Time in training, validation and saving included, over all resumes."""
    saving_share: float
    """Share of that time in which the training stood still to be saved."""
    tokens_per_second: float
    valid_perplexity: float | None
    """Of what predicts, by the exact softmax, in one stream; None where nothing was held out."""
    test_perplexity: float | None
    network_valid_perplexity: float | None
    """Of the network alone, where n-grams are mixed with it; else the same."""
    network_test_perplexity: float | None
    path: Path
    """The run folder."""
    prompt: str
    """Something that it can be asked about."""
    stopped: bool
    """Whether it was stopped before its end; a resume would go on."""
    predictor: Model
    """The best model, ready to be asked."""

    def as_dict(self) -> dict[str, Any]:
        """The contract of ``nextword train --json``."""
        names = [field.name for field in fields(self)]
        return {name: getattr(self, name) for name in names[: names.index("path")]}


def conclude(
    path: Path,
    best: LoadedModel,
    parts: Mapping[str, TextPart],
    progress: Progress,
    stopped: bool,
) -> TrainingResult:
    """Measure the best model of a run on what was held out.

    Args:
        path: the run folder.
        best: its model.
        parts: the parts of the text.
        progress: where the training ended.
        stopped: whether that was before its end.
    """
    found = {
        part: perplexities(best.decoder(), parts[part], len(best.tokenizer))
        for part in HELD_OUT
        if part in parts
    }
    (valid, network_valid), (test, network_test) = (
        found.get(part, (None, None)) for part in HELD_OUT
    )
    held_out = parts.get("valid", parts["train"]).ids[:PROMPT_WORDS]
    prompts = default_prompts(best.tokenizer, held_out, wanted=1)
    return TrainingResult(
        run=path.name,
        steps=progress.step,
        words=progress.words,
        seconds=round(progress.seconds, 3),
        saving_share=round(progress.saving_seconds / max(progress.seconds, 1e-9), 5),
        tokens_per_second=round(progress.words / max(progress.seconds, 1e-9), 1),
        valid_perplexity=valid,
        test_perplexity=test,
        network_valid_perplexity=network_valid,
        network_test_perplexity=network_test,
        path=path,
        prompt=prompts[0] if prompts else ARTICLE_PROMPT,
        stopped=stopped,
        predictor=Model(best),
    )


def perplexities(decoder: Decoder, part: TextPart, vocabulary_size: int) -> tuple[float, float]:
    """Perplexity of a held-out part in one stream, and that of the network alone."""
    nats, alone = 0.0, 0.0
    for seen in score_stream(decoder, part.ids, vocabulary_size):
        nats -= float(seen.target_log_probabilities.double().sum())
        network = gather_targets(decoder.unmixed(seen.log_probabilities), seen.targets)
        alone -= float(network.double().sum())
    words = max(len(part.ids), 1)
    return math.exp(min(nats / words, 700.0)), math.exp(min(alone / words, 700.0))
