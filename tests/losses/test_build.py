"""The loss that the settings describe."""

import numpy as np
import pytest

from nextword.config.schema import TrainingConfig
from nextword.losses.build import build_loss
from nextword.losses.sampled import SampledLoss
from nextword.losses.softmax import ExactLoss


@pytest.mark.parametrize(
    ("loss", "words", "kind"),
    [
        ("sampled", 31, SampledLoss),
        ("sampled", 30, ExactLoss),  # a sample of half of the words does not pay
        ("sampled", 3, ExactLoss),
        ("exact", 31, ExactLoss),
    ],
)
def test_a_sample_is_taken_of_a_large_vocabulary_only(loss: str, words: int, kind: type) -> None:
    training = TrainingConfig.model_validate({"loss": loss, "sampled_head": 10, "sampled_tail": 5})
    assert type(build_loss(training, np.ones(words, dtype=np.int64))) is kind
