"""Open settings follow from the text and the budget; set ones stay."""

import math

import pytest

from nextword.config.load import load_config
from nextword.config.schema import Config
from nextword.training.auto_settings import resolve


def resolved(words: int, **given: object) -> Config:
    overrides = {key.replace("__", "."): value for key, value in given.items()}
    return resolve(load_config(overrides=overrides, environ={}), words)


@pytest.mark.parametrize(
    ("words", "epochs", "batch_size"),
    [
        (500, 20.0, 8),
        (10_000, 16.0, 8),
        (20_000, 8.0, 8),
        (40_000, 8.0, 8),
        (80_000, 5.0, 8),
        (400_000, 4.0, 16),
        (600_000, 4.0, 32),
        (10**7, 4.0, 32),
    ],
)
def test_a_small_text_is_read_more_often_in_smaller_batches(
    words: int, epochs: float, batch_size: int
) -> None:
    training = resolved(words).training
    assert (training.epochs, training.batch_size) == (epochs, batch_size)


def test_more_epochs_get_more_dropout() -> None:
    rates = [resolved(10**5, training__epochs=passes).model.dropout for passes in (1, 3, 8, 12, 40)]
    assert rates == sorted(rates) and rates[0] < rates[-1]
    # a small text is overfit sooner
    sizes = [resolved(n, training__epochs=6).model.dropout for n in (10**4, 10**5, 10**6)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1]


@pytest.mark.parametrize(
    ("speed", "measured"),
    [
        (5_000, [(256, 256), (256, 128), (128, 128)]),
        (15_000, [(256, 256), (256, 128)]),
        (55_000, [(256, 256), (512, 256)]),
        (100_000, [(256, 256), (512, 256)]),
    ],
)
def test_what_this_machine_can_read_in_the_time_decides_the_size(
    speed: int, measured: list[tuple[int, int]]
) -> None:
    """The size that is measured last is chosen, or the usual one if a large one is too slow."""
    seen: list[tuple[int, int]] = []

    def reach(config: Config) -> float:
        model = config.model
        seen.append((model.hidden_size, model.embedding_size))
        slower = math.pow(model.hidden_size / 256, 1.5) * math.pow(model.embedding_size / 256, 0.5)
        return 60 * speed / slower

    config = load_config(overrides={"training.minutes": 1}, environ={})
    model = resolve(config, 10**6, reach).model
    assert seen == measured
    chosen = (256, 256) if speed == 55_000 else measured[-1]
    assert (model.hidden_size, model.embedding_size) == chosen


def test_sizes_that_are_given_stay_however_little_time_there_is() -> None:
    def resolved_in_a_moment(**given: object) -> tuple[int, int]:
        settings = {"training.minutes": 1, **given}
        config = load_config(overrides=settings, environ={})
        model = resolve(config, 10**6, lambda _: 1_000).model
        return model.hidden_size, model.embedding_size

    assert resolved_in_a_moment() == (128, 128)
    assert resolved_in_a_moment(**{"model.hidden_size": 700}) == (700, 256)
    assert resolved_in_a_moment(**{"model.embedding_size": 300}) == (128, 300)
    # published vectors have the size that they have
    assert resolved_in_a_moment(**{"model.vectors": "glove.txt"}) == (128, 256)


def test_a_short_text_that_can_be_read_often_enough_gets_the_usual_size() -> None:
    config = load_config(overrides={"training.minutes": 1}, environ={})
    assert resolve(config, 20_000, lambda _: 10**6).model.hidden_size == 256


@pytest.mark.parametrize(("words", "batch_size"), [(50_000, 8), (250_000, 16), (500_000, 32)])
def test_little_time_is_spent_on_more_and_smaller_steps(words: int, batch_size: int) -> None:
    config = load_config(overrides={"training.minutes": 1}, environ={})
    training = resolve(config, 10**6, lambda _: words).training
    assert training.batch_size == batch_size
    assert words / (training.batch_size * config.windows.length) > 100
    given = load_config(overrides={"training.minutes": 1, "training.batch_size": 32}, environ={})
    assert resolve(given, 10**6, lambda _: words).training.batch_size == 32


def test_more_words_in_the_time_get_more_dropout() -> None:
    config = load_config(overrides={"training.minutes": 1, "model.hidden_size": 256}, environ={})
    rates = [resolve(config, 10**6, lambda _, n=n: n * 10**6).model.dropout for n in (1, 5, 30)]  # type: ignore[misc]
    assert rates == sorted(rates) and rates[0] < rates[-1]


def test_a_time_budget_ends_before_a_short_text_is_overfit() -> None:
    def passes(words: int, **given: object) -> float:
        return resolved(words, training__minutes=60, **given).training.epochs

    limits = [passes(words) for words in (2_000, 10_000, 20_000, 60_000, 10**6)]
    assert limits == [20, 16, 8, 12, 60]
    assert passes(20_000, training__epochs=100.0) == 100
    # dropout follows from the words that are read, not from the minutes
    assert resolved(20_000, training__minutes=60).model.dropout == resolved(20_000).model.dropout


def test_much_text_gets_a_larger_network_with_smaller_steps() -> None:
    small, large = resolved(10**5), resolved(10**7)
    assert large.model.hidden_size > small.model.hidden_size
    assert large.training.learning_rate < small.training.learning_rate


def test_a_network_without_gates_and_plain_descent_get_rates_of_their_own() -> None:
    usual = resolved(10**5).training.learning_rate
    rnn = {"model__kind": "rnn"}
    assert resolved(10**5, **rnn).training.learning_rate < usual
    assert resolved(10**5, **rnn, model__activation="sigmoid").training.learning_rate == usual
    wide = resolved(10**5, **rnn, model__hidden_size=1024).training.learning_rate
    assert wide == pytest.approx(resolved(10**5, **rnn).training.learning_rate / 4)
    assert resolved(10**5, training__optimizer="sgd").training.learning_rate > usual


def test_what_is_set_stays_even_at_its_default() -> None:
    given = {
        "training.epochs": 0.5,
        "training.batch_size": 32,
        "training.learning_rate": 0.012,
        "training.optimizer": "sgd",
        "model.hidden_size": 256,
        "model.dropout": 0.3,
    }
    config = load_config(overrides=given, environ={})
    assert resolve(config, 10**7) == config
    # what was resolved once, as a run writes it, is not resolved again
    once = resolved(10**5)
    again = Config.model_validate(once.model_dump())
    assert resolve(again, 10**7) == once
