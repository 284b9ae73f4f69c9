"""The picture of a training, whatever it logged."""

import numpy as np
import pytest

from nextword.plotting.runs import training_figure
from nextword.plotting.style import page_svg
from nextword.storage.metrics_log import LoggedStep, LoggedValidation, RunLog

pytest.importorskip("matplotlib", reason="pictures are an extra")


def step(number: int, **told: float | None) -> LoggedStep:
    return LoggedStep(kind="train", step=number, words=100 * number, seconds=0.1 * number, **told)


def look(number: int, perplexity: float, words: int | None) -> LoggedValidation:
    return LoggedValidation(kind="valid", step=number, words=words, perplexity=perplexity)


def test_a_training_is_drawn_over_the_words_it_read() -> None:
    steps = [
        step(1, loss=2.0, learning_rate=0.1, gradient_norm=1.0),
        step(2, loss=None, learning_rate=0.2, gradient_norm=None),
        step(3, loss=1.0, learning_rate=0.3, gradient_norm=3.0),
    ]
    looks = [look(1, 9.0, 100), look(2, 8.0, None), look(3, 7.0, 300)]
    perplexity, rate, gradient = training_figure(RunLog(steps, looks)).axes
    batches, validation = perplexity.lines
    assert np.asarray(batches.get_xdata()).tolist() == [100, 300]
    assert np.asarray(batches.get_ydata()).tolist() == pytest.approx([7.389, 2.718], rel=1e-3)
    assert np.asarray(validation.get_xydata()).tolist() == [[100, 9.0], [300, 7.0]]
    assert np.asarray(rate.lines[0].get_xydata()).tolist() == [[100, 0.1], [300, 0.3]]
    assert np.asarray(gradient.lines[0].get_ydata()).tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    "log",
    [
        RunLog(validations=[look(1, 9.0, 100)]),
        RunLog(validations=[look(1, 1e17, 10**17), look(2, 1e-300, None)]),
        RunLog(steps=[step(1)]),
        RunLog(steps=[step(1, loss=1e17), step(2, loss=-1e17, learning_rate=0.0)]),
    ],
)
def test_odd_logs_are_drawn_too(log: RunLog) -> None:
    drawn = page_svg(lambda: training_figure(log), "odd", "a picture")
    assert drawn.startswith("<svg ") and drawn.rstrip().endswith("</svg>")
