"""Products use one thread while a model reads; a long text is spread over the cores, in order."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController, threadpool_limits

from nextword.inference import scoring
from nextword.inference.cache import CacheSettings
from nextword.inference.decoder import CHUNK_TOKENS, Distributions, Readout
from nextword.inference.mixture import Mixture
from nextword.inference.pytorch import TorchNetwork
from nextword.inference.scoring import BLOCK_TOKENS, score_stream
from nextword.inference.threads import one_blas_thread
from nextword.ngram.model import NgramModel

Ids = NDArray[np.int64]
MakeNetwork = Callable[..., TorchNetwork]
USUAL = 3
"""Threads of products before a model reads."""
WAIT = 30
"""Seconds after which what should happen at once has failed."""


def blas_threads() -> set[int]:
    """The threads that products use."""
    libraries = ThreadpoolController().select(user_api="blas").info()
    return {library["num_threads"] for library in libraries}


@pytest.fixture(autouse=True)
def several_threads() -> Iterator[None]:
    """A process whose products use several threads, and do so again in the end."""
    before = {*threading.enumerate()}
    with threadpool_limits(USUAL, user_api="blas"):
        if blas_threads() != {USUAL}:
            pytest.skip("this NumPy's products use a number of threads that cannot be set")
        yield
        assert blas_threads() == {USUAL}
        assert {*threading.enumerate()} <= before


def test_products_use_one_thread_until_the_end() -> None:
    with one_blas_thread():
        assert blas_threads() == {1}
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {USUAL}


def test_an_error_restores_the_threads() -> None:
    with pytest.raises(KeyError), one_blas_thread(), one_blas_thread():
        raise KeyError
    assert blas_threads() == {USUAL}


def test_the_number_restored_is_that_of_the_moment() -> None:
    for number in (2, USUAL):
        with threadpool_limits(number, user_api="blas"):
            with one_blas_thread():
                assert blas_threads() == {1}
            assert blas_threads() == {number}


def test_the_last_to_leave_restores_the_threads() -> None:
    first, second = one_blas_thread(), one_blas_thread()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        assert blas_threads() == {1}
        # whoever came first may leave first
        one.submit(first.__exit__, None, None, None).result()
        assert blas_threads() == {1}
        other.submit(second.__exit__, None, None, None).result()
        assert blas_threads() == {USUAL}


def test_many_threads_come_and_go() -> None:
    start = threading.Barrier(8, timeout=WAIT)

    def come_and_go(number: int) -> set[int]:
        start.wait()
        seen: set[int] = set()
        for _ in range(20):
            with one_blas_thread():
                seen |= blas_threads()
        return seen

    with ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(come_and_go, range(8))) == {1}
    assert blas_threads() == {USUAL}


@pytest.fixture
def text(size: int) -> Ids:
    """A text of several chunks, the last of them short."""
    words = 2 * CHUNK_TOKENS + BLOCK_TOKENS + 5
    return np.random.default_rng(7).integers(0, size, words)


@pytest.fixture
def stream(make_network: MakeNetwork, text: Ids, size: int) -> Callable[..., Iterator[object]]:
    """Begins to score that text with a measure."""
    network = make_network()
    return lambda measure: score_stream(network.network_decoder().read, text, size, measure)


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the number of cores that may be used."""
    return lambda number: monkeypatch.setattr(scoring, "usable_cores", lambda: number)


def test_a_text_is_measured_with_one_thread_to_a_product(
    stream: Callable[..., Iterator[object]],
) -> None:
    for seen in stream(lambda distributions, targets, here: blas_threads()):
        assert seen == {1}


def test_results_come_in_the_order_of_the_text_whichever_is_ready_first(
    stream: Callable[..., Iterator[object]], text: Ids, cores: Callable[[int], None]
) -> None:
    cores(2)
    others_are_done = threading.Event()
    last = 2 * scoring.BLOCKS_AHEAD - 1

    def measure(distributions: Distributions, targets: Ids, here: slice) -> Ids:
        if here.start == 0:
            assert others_are_done.wait(WAIT)
        elif here.start == last * BLOCK_TOKENS:
            others_are_done.set()
        return np.arange(len(text))[here]

    np.testing.assert_array_equal(np.concatenate(list(stream(measure))), np.arange(len(text)))


def test_no_more_is_read_ahead_than_the_threads_can_soon_measure(
    make_network: MakeNetwork, size: int, cores: Callable[[int], None]
) -> None:
    cores(2)
    decoder = make_network().network_decoder()
    read, plain = [0], decoder.read

    def counted(ids: Ids) -> Readout[Distributions]:
        read[0] += len(ids)
        return plain(ids)

    text = np.zeros(100 * CHUNK_TOKENS, dtype=np.int64)
    results = score_stream(counted, text, size, lambda *block: len(block[1]))
    measured = next(results)
    ahead = BLOCK_TOKENS * (2 * scoring.BLOCKS_AHEAD + 1)
    assert read[0] <= ahead + CHUNK_TOKENS
    assert measured + sum(results) == read[0] == len(text)


@pytest.mark.parametrize("place", [0, BLOCK_TOKENS, CHUNK_TOKENS + 3 * BLOCK_TOKENS])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_an_error_of_a_measure_comes_out_after_the_results_before_it(
    stream: Callable[..., Iterator[object]], cores: Callable[[int], None], place: int, number: int
) -> None:
    cores(number)

    def measure(distributions: Distributions, targets: Ids, here: slice) -> slice:
        if here.start == place:
            raise KeyError(place)
        return here

    found = []
    with pytest.raises(KeyError, match=str(place)):
        for here in stream(measure):
            found.append(here)
    assert found == [slice(i, i + BLOCK_TOKENS) for i in range(0, place, BLOCK_TOKENS)]


def test_an_error_of_the_reading_comes_out(make_network: MakeNetwork, text: Ids, size: int) -> None:
    decoder = make_network().network_decoder()
    plain = decoder.read

    def failing(ids: Ids) -> Readout[Distributions]:
        if len(ids) < CHUNK_TOKENS:
            raise KeyError("the last chunk")
        return plain(ids)

    with pytest.raises(KeyError, match="the last chunk"):
        list(score_stream(failing, text, size, lambda *block: 0))


def test_a_stream_that_is_left_early_leaves_nothing_behind(
    stream: Callable[..., Iterator[object]],
) -> None:
    results = stream(lambda *block: 0)
    assert next(results) == 0
    assert blas_threads() == {1}
    del results  # which closes it, and the fixture looks for what is left


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "feedforward"])
def test_the_number_of_cores_changes_no_result(
    make_network: MakeNetwork,
    ngram: NgramModel,
    text: Ids,
    size: int,
    cores: Callable[[int], None],
    kind: str,
) -> None:
    mixed = make_network(kind=kind).with_mixture(Mixture(ngram, CacheSettings(size=200)))

    def measure(distributions: Distributions, targets: Ids, here: slice) -> NDArray[np.float32]:
        return distributions.probabilities

    found = []
    for number in (1, 2, 7):
        cores(number)
        found.append(
            np.concatenate(list(score_stream(mixed.decoder("cache").read, text, size, measure)))
        )
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
