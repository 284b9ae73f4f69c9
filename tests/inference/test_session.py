"""A session reads a text bit by bit; forks of it read on by themselves."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from nextword.config.schema import ModelConfig
from nextword.inference import ADAPTATIONS, Adapt
from nextword.inference.cache import CacheSettings
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.inference.mixture import Mixture
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.session import Session
from nextword.ngram.model import NgramModel

START, FIRST, SECOND = "a b a c a b " * 4, "d e f d e " * 5, "j i\n\nh zebra " * 5


def assert_same(one: Session, other: Session) -> None:
    """Both would predict the same, but for rounding."""
    for first, second in (
        (one.probabilities(), other.probabilities()),
        (one.log_probabilities(), other.log_probabilities()),
    ):
        np.testing.assert_allclose(first, second, atol=1e-5, rtol=1e-5)


@pytest.fixture(params=["ngram", *(f"gru, {adapt}" for adapt in ADAPTATIONS)])
def opened(
    request: pytest.FixtureRequest, make_network: Callable[..., TorchNetwork], ngram: NgramModel
) -> Callable[[], Session]:
    """Opens a session of some model that adapts, or does not."""
    network = make_network(kind="gru")
    kind, _, adapt = request.param.partition(", ")
    loaded: LoadedModel = network.with_mixture(Mixture(ngram, CacheSettings(size=20)))
    if kind == "ngram":
        settings = ModelConfig(kind="ngram", order=3).model_dump(mode="json")
        loaded = LoadedNgrams(ngram, network.tokenizer, settings, network.counts)
    adapts: Adapt = adapt or "none"
    return lambda: Session(loaded, adapts)


def test_a_session_begins_after_the_end_of_a_paragraph(opened: Callable[[], Session]) -> None:
    fresh, after = opened(), opened()
    wanted = fresh.probabilities()
    assert wanted.dtype == np.float32 and wanted.shape == (12,)
    assert wanted.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(np.exp(fresh.log_probabilities()), wanted, rtol=1e-5)
    assert after.read("") == []
    assert_same(fresh, after)


def test_forks_read_different_texts_and_do_not_disturb_each_other(
    opened: Callable[[], Session],
) -> None:
    session, alone = opened(), [opened(), opened()]
    for each in (session, *alone):
        each.read(START)
    forks = [session.fork(), session.fork()]
    for first, second in zip(FIRST.split("f"), SECOND.split("zebra"), strict=False):
        # they take turns
        for fork, other, text in zip(forks, alone, (first, second), strict=True):
            fork.read(text)
            other.read(text)
            assert_same(fork, other)
    untouched = opened()
    untouched.read(START)
    assert_same(session, untouched)
    assert not np.allclose(forks[0].probabilities(), forks[1].probabilities(), atol=1e-3)


@pytest.mark.parametrize("asked", [True, False])
def test_a_fork_is_where_the_session_was_whether_or_not_it_was_asked(
    opened: Callable[[], Session], asked: bool
) -> None:
    session, alone = opened(), opened()
    for each in (session, alone):
        each.read(START)
    if asked:
        session.probabilities()
    fork = session.fork()
    session.read(FIRST)
    assert_same(fork, alone)
    assert fork.predict(3) == alone.predict(3)


def test_a_session_reads_on_behind_its_fork(opened: Callable[[], Session]) -> None:
    session, alone = opened(), opened()
    session.read(START)
    session.fork().read(SECOND)
    session.read(FIRST)
    alone.read(START)
    alone.read(FIRST)
    assert_same(session, alone)


def test_unknown_words_are_those_that_each_fork_read(opened: Callable[[], Session]) -> None:
    session = opened()
    session.read("a xylophone")
    fork = session.fork()
    assert fork.read("a zebra") == ["zebra"]
    assert [match.typed for match in session.unmatched] == ["xylophone"]
    assert [match.typed for match in fork.unmatched] == ["zebra"]


def test_many_words_at_once_are_the_same_text(opened: Callable[[], Session], size: int) -> None:
    ids: NDArray[np.int64] = np.random.default_rng(3).integers(1, size, 600)
    whole, pieces = opened(), opened()
    whole.read_ids(ids.tolist())
    for piece in np.split(ids, [1, 300, 301]):
        pieces.read_ids(piece.tolist())
    assert_same(whole, pieces)
