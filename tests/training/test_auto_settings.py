"""Open settings follow from the text and the budget; set ones stay."""

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


@pytest.mark.parametrize(("speed", "size"), [(1_000, 256), (10_000, 256), (100_000, 512)])
def test_what_this_machine_can_read_in_the_time_decides_the_size(speed: int, size: int) -> None:
    measured: list[int] = []

    def reach(config: Config) -> float:
        measured.append(config.model.hidden_size)
        return 60 * speed * 256 / config.model.hidden_size

    config = load_config(overrides={"training.minutes": 1}, environ={})
    assert resolve(config, 10**6, reach).model.hidden_size == size
    # a network that is surely too large for the time is not even tried
    assert measured == ([256, 512] if size == 512 else [256])
    wide = load_config(overrides={"training.minutes": 1, "model.hidden_size": 700}, environ={})
    assert resolve(wide, 10**6, reach).model.hidden_size == 700


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
