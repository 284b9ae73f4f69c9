"""Settings that follow from the text and the budget where the configuration leaves them open.

The constants were found on validation text, of a novel and of newspaper text, between 20 thousand
and 900 thousand words; docs/training.md has the figures.
"""

from __future__ import annotations

import bisect
import math
from typing import TypeVar

from nextword.config import Config, ModelConfig
from nextword.config.schema import Section
from nextword.models.registry import NETWORKS

Filled = TypeVar("Filled", bound=Section)

WORDS_TO_READ = 400_000
"""A small text is read again and again until about so many words have been read,"""
TINY_TO_READ = 160_000
"""but not more than eight times, unless so few words have been read by then that the weights have
hardly moved."""
EPOCHS = (4.0, 8.0, 20.0)
"""Fewest passes that are chosen, most of a small text, most of a tiny one."""
STEPS = 300
"""A pass over a small text should move the weights often enough; smaller batches see to it."""
BATCH_SIZES = (8, 16, 32)
HIDDEN_SIZES = (256, 512)
WORDS_A_MINUTE = (1_600_000, 750_000)
"""What two cores read in a minute with a network of each size, about; size and dropout of a
training with a budget in minutes rest on it."""
LARGE = 1_300_000
"""A network of the larger size is worth its time from so many words on."""
TIMED_WORDS, TIMED_EPOCHS = 5000, 60.0
"""A budget of time ends early once a text has been read so often that more would make it worse:
once for so many of its words, and so often at most."""
PEAK_RATES = {"adamw": 0.012, "sgd": 1.0}
LEAST_MINUTES = 0.15
"""A shorter training has no time to find start vectors in the text."""
LARGE_TEXT = 300_000
"""A text of half as many words is learned by heart in half as many passes, and so on."""
DROPOUTS = ((3.0, 0.1), (8.0, 0.2), (18.0, 0.3), (60.0, 0.4), (float("inf"), 0.5))
"""Passes, of a network of the smaller size, up to which a dropout is enough."""


def resolve(config: Config, training_words: int) -> Config:
    """The configuration with every open setting filled in.

    Args:
        config: as given; what is set stays.
        training_words: words of the training part.
    """
    training = _filled(
        config.training,
        epochs=_epochs(training_words, config.training.minutes is not None),
        batch_size=_batch_size(training_words, config.windows.length),
    )
    minutes = math.inf if training.minutes is None else training.minutes
    small, large = (
        min(training_words * training.epochs, minutes * words) for words in WORDS_A_MINUTE
    )
    model = _filled(config.model, hidden_size=HIDDEN_SIZES[large >= LARGE])
    if training.minutes is not None and training.minutes < LEAST_MINUTES:
        model = _filled(model, start="random")
    to_read = large if model.hidden_size >= HIDDEN_SIZES[1] else small
    # a wider network learns by heart in fewer passes
    passes = to_read / training_words * model.hidden_size / HIDDEN_SIZES[0]
    passes *= max(1.0, LARGE_TEXT / training_words)
    model = _filled(model, dropout=_dropout(passes))
    training = _filled(training, learning_rate=_peak_rate(training.optimizer, model))
    return config.model_copy(update={"training": training, "model": model})


def _filled(section: Filled, **values: object) -> Filled:
    """The section with those of the values that nobody has set."""
    open_keys = values.keys() - section.model_fields_set
    return section.model_copy(update={key: values[key] for key in open_keys})


def _epochs(training_words: int, timed: bool) -> float:
    """Passes over a text: what is worth their time, or what a budget of time may be spent on."""
    fewest, most, most_of_tiny = EPOCHS
    of_tiny = min(TINY_TO_READ / training_words, most_of_tiny)
    if timed:
        longest = min(max(training_words / TIMED_WORDS, most), TIMED_EPOCHS)
        return max(longest, of_tiny)
    return min(max(WORDS_TO_READ / training_words, fewest), max(of_tiny, most))


def _batch_size(training_words: int, length: int) -> int:
    fitting = [size for size in BATCH_SIZES if training_words / (size * length) >= STEPS]
    return max(fitting, default=BATCH_SIZES[0])


def _dropout(passes: float) -> float:
    limits = [limit for limit, _ in DROPOUTS]
    return DROPOUTS[bisect.bisect_left(limits, passes)][1]


def _peak_rate(optimizer: str, model: ModelConfig) -> float:
    rate = PEAK_RATES[optimizer] * NETWORKS[model.kind].rate_factor(model)
    return float(f"{rate:.6g}")  # a number that one can read and write
