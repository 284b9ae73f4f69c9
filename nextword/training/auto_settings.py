"""Settings that follow from the text and the budget where the configuration leaves them open.

The constants were tuned on validation text, of a novel and of newspaper text, between 20 thousand
and 900 thousand words; docs/training.md has the measurements.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import TypeVar

from nextword.config.schema import Config, ModelConfig, Section, TrainingConfig
from nextword.models.registry import NETWORKS

Filled = TypeVar("Filled", bound=Section)

TARGET_WORDS = 400_000
"""Words to read in training, up to which a small text is repeated, at most 8 times."""
TINY_TARGET_WORDS = 160_000
"""Fewest words to read; a tiny text may be repeated up to 20 times for it."""
EPOCHS = (4.0, 8.0, 20.0)
"""Fewest epochs, most for a small text, most for a tiny one."""
MIN_STEPS = 300
"""Optimizer steps to aim at in an epoch, or in all the time there is; smaller batches give more."""
BATCH_SIZES = (8, 16, 32)
USUAL_SIZE, LARGE_SIZE = (256, 256), (512, 256)
"""Units, and numbers in a word vector."""
QUICK_SIZES = ((256, 128), (128, 128))
"""For less time than the usual size needs, the larger one first."""
LEAST_WORDS = {(128, 128): 0, (256, 128): 1_200_000, USUAL_SIZE: 3_000_000, LARGE_SIZE: 1_300_000}
"""Words that a network of each size must have time to read to be better than a smaller one."""
TIMED_WORDS, TIMED_EPOCHS = 5000, 60.0
"""Limit on the epochs of a time budget, beyond which a text is overfit: one per so many words of
the text, and so many at most."""
PEAK_RATES = {"adamw": 0.012, "sgd": 1.0}
LIKELY_SLOWDOWN = 1.5
"""The larger network is slower by this factor at least."""
LARGE_TEXT = 300_000
"""A text of half as many words is overfit in half as many epochs, and so on."""
DROPOUTS = ((3.0, 0.1), (8.0, 0.2), (18.0, 0.3), (60.0, 0.4), (float("inf"), 0.5))
"""Epochs, for a network of the usual size, up to which a dropout is enough."""


def resolve(
    config: Config, training_words: int, reach: Callable[[Config], float] | None = None
) -> Config:
    """The configuration with every open setting filled in.

    Args:
        config: the configuration; settings that were given stay.
        training_words: words in the training part.
        reach: words that a network of a configuration can learn from in the time that there is,
            measured; not needed without a budget of time.
    """
    given = config.training
    epochs = _epochs(training_words, given.minutes is not None)

    def trained(words: float) -> TrainingConfig:
        batch_size = _batch_size(words, config.windows.length)
        return _filled(given, epochs=epochs, batch_size=batch_size)

    training = trained(training_words)
    config = config.model_copy(update={"training": training})
    model, to_read = _sized(config, training_words * training.epochs, reach)
    if reach is not None:
        training = trained(min(training_words, to_read))
    # a wider network overfits in fewer epochs
    effective_epochs = to_read / training_words * model.hidden_size / USUAL_SIZE[0]
    effective_epochs *= max(1.0, LARGE_TEXT / training_words)
    model = _filled(model, dropout=_dropout(effective_epochs))
    training = _filled(training, learning_rate=_peak_rate(training.optimizer, model))
    return config.model_copy(update={"training": training, "model": model})


def _sized(
    config: Config, most: float, reach: Callable[[Config], float] | None
) -> tuple[ModelConfig, float]:
    """The model with its sizes, and the words that it will have learned from.

    Args:
        config: its training resolved, except for the learning rate.
        most: words to learn from at most.
        reach: see :func:`resolve`.
    """

    def words(hidden: int, embedding: int) -> tuple[ModelConfig, float]:
        # published vectors have the size that they have
        sizes = {} if config.model.vectors else {"embedding_size": embedding}
        model = _filled(config.model, hidden_size=hidden, **sizes)
        if reach is None:
            return model, most
        return model, min(most, reach(config.model_copy(update={"model": model})))

    given = config.model.model_fields_set
    if {"hidden_size", "dropout"} <= given:
        return config.model, most  # nothing is left to decide
    if "hidden_size" in given:
        return words(*USUAL_SIZE)
    found = words(*USUAL_SIZE)
    if found[1] < min(most, LEAST_WORDS[USUAL_SIZE]):
        for sizes in QUICK_SIZES:
            found = words(*sizes)
            if found[1] >= LEAST_WORDS[sizes]:
                break
        return found
    if found[1] < LEAST_WORDS[LARGE_SIZE] * (1 if reach is None else LIKELY_SLOWDOWN):
        return found
    larger = words(*LARGE_SIZE)
    return larger if larger[1] >= LEAST_WORDS[LARGE_SIZE] else found


def _filled(section: Filled, **values: object) -> Filled:
    """The section with the values of keys that were not given."""
    open_keys = values.keys() - section.model_fields_set
    return section.model_copy(update={key: values[key] for key in open_keys})


def _epochs(training_words: int, timed: bool) -> float:
    """Epochs worth their time, or the most that a time budget may be spent on."""
    fewest, most, most_tiny = EPOCHS
    tiny = min(TINY_TARGET_WORDS / training_words, most_tiny)
    if timed:
        longest = min(max(training_words / TIMED_WORDS, most), TIMED_EPOCHS)
        return max(longest, tiny)
    return min(max(TARGET_WORDS / training_words, fewest), max(tiny, most))


def _batch_size(training_words: float, length: int) -> int:
    """The largest batch that leaves enough steps over some words."""
    sizes = [size for size in BATCH_SIZES if training_words / (size * length) >= MIN_STEPS]
    return max(sizes, default=BATCH_SIZES[0])


def _dropout(epochs: float) -> float:
    limits = [limit for limit, _ in DROPOUTS]
    return DROPOUTS[bisect.bisect_left(limits, epochs)][1]


def _peak_rate(optimizer: str, model: ModelConfig) -> float:
    rate = PEAK_RATES[optimizer] * NETWORKS[model.kind].rate_factor(model)
    return float(f"{rate:.6g}")  # a short number for config.yaml
