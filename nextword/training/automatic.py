"""Settings that follow from the text where the configuration leaves them open."""

from __future__ import annotations

from nextword.config import Config

WORDS_TO_READ = 400_000
"""A small text is read again and again until about so many words have been read."""
EPOCHS = (4.0, 20.0)
"""Fewest and most passes that are chosen."""
STEPS = 400
"""A pass over a small text should move the weights often enough; smaller batches see to it."""
BATCH_SIZES = (8, 16, 32)


def resolve(config: Config, training_words: int) -> Config:
    """The configuration with every open setting filled in.

    Args:
        config: as given; what is set stays.
        training_words: words of the training part.
    """
    training = config.training
    fewest, most = EPOCHS
    update: dict[str, object] = {}
    if training.epochs is None:
        update["epochs"] = min(max(WORDS_TO_READ / training_words, fewest), most)
    if training.batch_size is None:
        fitting = [
            size for size in BATCH_SIZES if training_words / (size * config.windows.length) >= STEPS
        ]
        update["batch_size"] = max(fitting, default=BATCH_SIZES[0])
    return config.model_copy(update={"training": training.model_copy(update=update)})
