"""Sessions kept by what they have read answer as new ones do, bit for bit."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.config.schema import ModelConfig
from nextword.inference.cache import CacheSettings
from nextword.inference.decoder import Part
from nextword.inference.loaded_model import LoadedModel, LoadedNetwork, LoadedNgrams
from nextword.inference.mixture import Mixture
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.session import Session
from nextword.inference.states import BLOCK, StateCache
from nextword.inference.threads import one_blas_thread
from nextword.ngram.model import NgramModel
from nextword.text.vocabulary import END_ID

PLENTY = 1 << 30


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with one_blas_thread():
        yield


@pytest.fixture(scope="module", params=["ngram", "lstm", "gru", "rnn", "feedforward"])
def begin(
    request: pytest.FixtureRequest, untrained: Callable[..., TorchNetwork]
) -> Callable[[], Session]:
    """Opens a session of a model as the server does."""
    network = untrained(kind="gru" if request.param == "ngram" else request.param)
    size = len(network.tokenizer)
    ngram = NgramModel.fit(np.random.default_rng(5).integers(0, size, 300), size, order=3)
    loaded: LoadedModel
    if request.param == "ngram":
        config = ModelConfig(kind="ngram", order=3).model_dump(mode="json")
        loaded = LoadedNgrams(ngram, network.tokenizer, config, network.counts)
    else:
        weights = {name: array.copy() for name, array in network.arrays().items()}
        in_numpy = LoadedNetwork(weights, network.tokenizer, network.settings, network.counts)
        loaded = in_numpy.with_mixture(Mixture(ngram, CacheSettings(size=30)))
    return lambda: Session(loaded, loaded.session_adapt)


def answer(session: Session) -> tuple[bytes, ...]:
    """All that a session predicts, to the last bit."""
    parts = [part.probabilities for part in session.parts()]
    return tuple(array.tobytes() for array in (session.probabilities(), *parts))


def cold(begin: Callable[[], Session], ids: list[int]) -> tuple[bytes, ...]:
    return answer(StateCache(begin, PLENTY).after(ids))


words = st.lists(st.integers(0, 13), max_size=70)


@settings(max_examples=15)
@given(text=words, visits=st.lists(st.tuples(st.integers(0, 70), words), max_size=8))
def test_cached_answers_are_cold_ones_whatever_was_read_before(
    begin: Callable[[], Session], text: list[int], visits: list[tuple[int, list[int]]]
) -> None:
    states = StateCache(begin, PLENTY)
    for cut, other in visits:  # beginnings of the text, and texts that leave it
        ids = text[:cut] + other
        assert answer(states.after(ids)) == cold(begin, ids)
    assert answer(states.after(text)) == cold(begin, text)


def test_a_text_is_the_same_typed_word_by_word_or_read_at_once(
    begin: Callable[[], Session],
) -> None:
    ids = np.random.default_rng(1).integers(0, 14, 3 * BLOCK + 5).tolist()
    states = StateCache(begin, PLENTY)
    for length in range(len(ids) + 1):
        session = states.after(ids[:length])
    assert answer(session) == cold(begin, ids)
    plain = begin()
    plain.read_ids(ids)
    np.testing.assert_allclose(session.probabilities(), plain.probabilities(), atol=1e-5)


def test_answers_stay_the_same_after_their_sessions_were_dropped(
    begin: Callable[[], Session],
) -> None:
    draw = random.Random(2)
    text = [draw.randrange(14) for _ in range(60)]
    states = StateCache(begin, 5 * begin().nbytes)
    wanted = {cut: cold(begin, text[:cut]) for cut in range(len(text))}
    for _ in range(100):
        cut = draw.randrange(len(text))
        assert answer(states.after(text[:cut])) == wanted[cut]
        assert states.nbytes <= 5 * begin().nbytes and len(states) <= 5


def test_threads_get_the_answers_of_one(begin: Callable[[], Session]) -> None:
    draw = random.Random(3)
    text = [draw.randrange(14) for _ in range(50)]
    asked = [text[: draw.randrange(50)] + [draw.randrange(14)] for _ in range(120)]
    states = StateCache(begin, 20 * begin().nbytes)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda ids: answer(states.after(ids)), asked))
    assert answers == [cold(begin, ids) for ids in asked]


def test_the_same_text_is_answered_by_the_same_session(begin: Callable[[], Session]) -> None:
    states = StateCache(begin, PLENTY)
    first = states.after([2, 3, 4])
    assert states.after([2, 3, 4]) is first and states.after([2, 3, 5]) is not first
    assert (states.hits, states.misses) == (1, 2)
    # letters that narrow the choice cost no new distribution
    distributions = first._last()
    first.predict(3, "t")
    assert states.after([2, 3, 4])._last() is distributions


def test_a_long_text_does_not_keep_a_session_for_every_block(
    begin: Callable[[], Session],
) -> None:
    states = StateCache(begin, PLENTY)
    states.after([2] * (100 * BLOCK))
    assert 5 <= len(states) <= 12
    # but enough to go on after a change in the middle
    states.after([2] * (50 * BLOCK) + [3])
    assert (states.hits, states.misses) == (0, 2)


def test_the_memory_of_all_sessions_is_counted(begin: Callable[[], Session]) -> None:
    states = StateCache(begin, PLENTY)
    kept = [states.after([2, 3, 4][:length]) for length in (1, 2, 3)]
    assert states.nbytes == sum(session.nbytes for session in kept)
    assert states.nbytes > 3 * 14 * 4


def test_shares_and_parts_make_up_the_mixture(begin: Callable[[], Session]) -> None:
    session = begin()
    session.read_ids([2, END_ID, 4, 5, 4])
    parts: list[Part] = session.parts()
    assert sum(part.share for part in parts) == pytest.approx(1, abs=1e-6)
    mixed = sum(part.share * part.probabilities for part in parts)
    np.testing.assert_allclose(mixed, session.probabilities(), atol=1e-6)
    names = [part.name for part in parts]
    assert names == (["ngrams"] if len(parts) == 1 else ["network", "ngrams", "cache"])
