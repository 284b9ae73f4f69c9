"""One pass over a text: the probability of each token, given those before it.

The model reads in the main thread. The distributions are computed in as many threads as there are
cores, a block of positions at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nextword.inference.decoder import D, Decoder, Distributions, Ids, Readout, tokens_per_chunk
from nextword.inference.threads import one_blas_thread
from nextword.machine import usable_cores
from nextword.text.spelling import spelling_surprisals
from nextword.text.tokenized import TokenizedText
from nextword.text.vocabulary import END_ID, SPECIAL_WORDS, UNKNOWN_ID

MAX_SURPRISAL = 1e30
"""Nats of a token to which a model gives no probability at all, so that sums stay finite."""
BLOCK_TOKENS = 64
"""Positions whose distributions are computed at once; so many stay in the processor's cache."""
BLOCKS_AHEAD = 4
"""Blocks per thread that may wait for their distributions while the model reads on."""

T = TypeVar("T")


def score_stream(
    read: Callable[[Ids], Readout[D]],
    ids: NDArray[np.integer],
    vocabulary_size: int,
    measure: Callable[[D, Ids, slice], T],
) -> Iterator[T]:
    """Let a model predict every token of a text; each is a target exactly once.

    The first token is predicted from the end of a paragraph.

    Args:
        read: reads on, as :meth:`.Decoder.read` does from the beginning of a text.
        ids: ``(tokens,)``.
        vocabulary_size: size of the distributions.
        measure: receives a block of positions: their distributions, their targets ``(positions,)``
            and where they are in the text. Called in several threads at once.

    Yields:
        The results of ``measure`` in the text's order.

    Raises:
        ModelError: the model gives NaN.
    """
    framed = np.concatenate([[END_ID], ids]).astype(np.int64)
    chunk_size = tokens_per_chunk(vocabulary_size)
    block_size = min(BLOCK_TOKENS, chunk_size)
    threads = usable_cores()
    running: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads)

    def finished(pending: int) -> Iterator[T]:
        """Results until so many blocks, at most, are pending."""
        while len(running) > pending:
            yield running.popleft().result()

    def measure_block(readout: Readout[D], rows: slice, here: slice) -> T:
        return measure(readout.distributions(rows), framed[1:][here], here)

    try:
        with one_blas_thread():
            for start in range(0, len(ids), chunk_size):
                chunk = framed[start : min(start + chunk_size, len(ids))]
                readout = read(chunk)
                for first in range(0, len(chunk), block_size):
                    rows = slice(first, min(first + block_size, len(chunk)))
                    here = slice(start + rows.start, start + rows.stop)
                    running.append(pool.submit(measure_block, readout, rows, here))
                    yield from finished(BLOCKS_AHEAD * threads)
            yield from finished(0)
    finally:
        pool.shutdown(cancel_futures=True)


class _Block(NamedTuple):
    """How a model predicted a block of positions; arrays ``(positions,)``."""

    surprisals: NDArray[np.float32]
    ranks: NDArray[np.int64]
    best: NDArray[np.int64]
    confidences: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TokenScores:
    """How a model predicted every token of a text.

    All are arrays ``(tokens,)`` in the text's order: two models of the same tokens can be compared
    position by position.
    """

    ids: NDArray[np.int64]
    """The target tokens."""
    surprisals: NDArray[np.float32]
    """Minus the log-probability of each target in nats, at most :data:`MAX_SURPRISAL`; all unknown
    words are one event."""
    ranks: NDArray[np.int32]
    """One more than the number of likelier words."""
    best: NDArray[np.int32]
    """The most likely word."""
    confidences: NDArray[np.float32]
    """Its probability."""
    spellings: NDArray[np.float64]
    """Nats to spell an unknown word (:mod:`nextword.text.spelling`); 0 for all others."""
    lengths: NDArray[np.int64]
    """Letters of each word as the text has it; 0 for an end."""
    spaced: NDArray[np.bool_]
    """Whether a space follows."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the vocabulary has the word; it has the end of a paragraph."""
        known: NDArray[np.bool_] = self.ids != UNKNOWN_ID
        return known

    @property
    def characters(self) -> NDArray[np.int64]:
        """Letters and the space after; an end is one character."""
        characters: NDArray[np.int64] = self.lengths + self.spaced + (self.ids == END_ID)
        return characters


Watch = Callable[[NDArray[np.bool_], slice], object]
"""Receives which words were likelier than the target, ``(positions, vocabulary)``, and where the
positions are in the text; called in several threads at once."""


def score_tokens(
    decoder: Decoder,
    text: TokenizedText,
    vocabulary: Sequence[str],
    watch: Watch | None = None,
    progress: Callable[[int], object] | None = None,
) -> TokenScores:
    """Score every token of a text.

    Args:
        decoder: fresh, at the beginning of a text.
        text: what is scored.
        vocabulary: words by their ids.
        watch: for metrics that need the ranking of all words.
        progress: called with the number of tokens just scored.

    Raises:
        ModelError: the model gives NaN.
    """
    blocks: list[_Block] = []
    for block in score_stream(decoder.read, text.ids, len(vocabulary), partial(_measure, watch)):
        blocks.append(block)
        if progress is not None:
            progress(len(block.ranks))
    columns = [np.concatenate(column) for column in zip(*blocks, strict=True)]
    surprisals, ranks, best, confidences = columns or [np.empty(0)] * 4
    spellings, lengths = _spelling(text, vocabulary)
    return TokenScores(
        ids=text.ids.astype(np.int64),
        surprisals=surprisals.astype(np.float32),
        ranks=ranks.astype(np.int32),
        best=best.astype(np.int32),
        confidences=confidences.astype(np.float32),
        spellings=spellings,
        lengths=lengths,
        spaced=text.spaced,
    )


def _measure(
    watch: Watch | None, distributions: Distributions, targets: Ids, here: slice
) -> _Block:
    scores = distributions.scores
    positions = np.arange(len(targets))
    likelier = scores > scores[positions, targets][:, None]
    if watch is not None:
        watch(likelier, here)
    best = scores.argmax(1)
    return _Block(
        surprisals=np.minimum(-distributions.log_probabilities_of(targets), MAX_SURPRISAL),
        ranks=1 + np.count_nonzero(likelier, axis=1),
        best=best,
        confidences=distributions.probabilities[positions, best],
    )


def _spelling(
    text: TokenizedText, vocabulary: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Nats to spell the unknown words, and the letters of all words."""
    known = vocabulary[len(SPECIAL_WORDS) :]
    lengths = np.array([0] * len(SPECIAL_WORDS) + [len(word) for word in known])[text.ids]
    lengths[text.ids == UNKNOWN_ID] = [len(word) for word in text.unknown_words]
    spellings = np.zeros(len(text.ids))
    # a literal <unk> has no spelling, so nothing is charged for it
    positions, words = text.spelled_unknown()
    spellings[positions] = spelling_surprisals(known, words)
    return spellings, lengths
