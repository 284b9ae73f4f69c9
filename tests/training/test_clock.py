"""The user's wait, and texts cut to fit into it."""

import time

import numpy as np
import pytest

from nextword.training.clock import PIECES, Clock, spread


def test_the_wait_goes_on_from_that_of_earlier_parts() -> None:
    clock = Clock(started=time.monotonic() - 5, before=100.0)
    first = clock()
    assert 105 <= first < 106
    time.sleep(0.01)
    assert clock() > first
    assert 0 <= Clock()() < 1


def test_a_text_that_can_be_afforded_is_taken_whole() -> None:
    ids = np.arange(100)
    for most in (100, 101, 10**9):
        assert spread(ids, most).tolist() == ids.tolist()


@pytest.mark.parametrize("words", [101, 1_000, 9_999])
def test_pieces_of_a_longer_text_are_spread_over_it(words: int) -> None:
    most = 96
    pieces = spread(np.arange(words), most)
    assert len(pieces) == most
    starts = pieces[:: most // PIECES]
    assert starts[0] == 0
    gaps = np.diff(starts)
    assert gaps.max() - gaps.min() <= 1
    # each piece is running text
    assert (np.diff(pieces.reshape(PIECES, -1), axis=1) == 1).all()
