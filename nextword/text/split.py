"""What is held out of training: whole blocks, spread evenly, by a rule without chance.

Neighbouring paragraphs share names and topics, so single paragraphs would leak; one piece at the
end of a book would measure another subject. Blocks between the two are the fair choice.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from nextword.errors import TextError

TRAIN, VALID, TEST = 0, 1, 2
BLOCK_WORDS = 2000
"""The size of a block of a long text, in words."""
_LEAST_BLOCKS = 60
_PHASES = {VALID: Fraction(1, 4), TEST: Fraction(3, 4)}


def split_blocks(
    paragraph_tokens: NDArray[np.int64], valid: float, test: float
) -> NDArray[np.uint8]:
    """The part of every paragraph: 0 train, 1 valid, 2 test; (paragraphs,) to (paragraphs,).

    ``paragraph_tokens`` are the words of each paragraph, ``valid`` and ``test`` shares in [0, 1).
    With shares of 1/20 each, of every 20 blocks (from 0) number 5 is valid and number 15 is test.
    TextError where the text has too few paragraphs to give each part one.
    """
    shares = {part: share for part, share in ((VALID, valid), (TEST, test)) if share > 0}
    if len(paragraph_tokens) < len(shares) + 1:
        raise TextError(
            f"the text has {len(paragraph_tokens)} paragraph{'s' * (len(paragraph_tokens) != 1)}, "
            "too few to hold any out: bring more text, separate paragraphs by blank lines (or, in "
            "text whose words stand between spaces, take lines for them: --set "
            "text.tokenizer=whitespace), or hold nothing out: --set "
            "'text.holdout={valid: 0, test: 0}'"
        )
    blocks = _blocks(paragraph_tokens, least=len(shares) + 1)
    part_of_block = _deal(int(blocks[-1]) + 1, shares)
    return part_of_block[blocks]


def _blocks(paragraph_tokens: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """The block of every paragraph: the one that its first word falls into, numbered from 0."""
    starts = np.cumsum(paragraph_tokens) - paragraph_tokens
    size = max(1, min(BLOCK_WORDS, int(paragraph_tokens.sum()) // _LEAST_BLOCKS))
    fresh = np.diff(starts // size, prepend=-1) > 0
    fresh[0] = True
    if int(fresh.sum()) < least:
        fresh[:] = True
    numbers: NDArray[np.int64] = np.cumsum(fresh) - 1
    return numbers


def _deal(blocks: int, shares: dict[int, float]) -> NDArray[np.uint8]:
    """The part of every block; where two parts want the same block, the later one takes the next.

    At least one block stays for training and each share gets at least one.
    """
    parts = np.zeros(blocks, dtype=np.uint8)
    wanted = [
        (place, part) for part, share in shares.items() for place in _places(blocks, part, share)
    ]
    # The first block of every part goes first, so that none is left without in a short text.
    firsts = [next(item for item in wanted if item[1] == part) for part in shares]
    rest = [item for item in wanted if item not in firsts]
    for place, part in (firsts + rest)[: blocks - 1]:
        free = np.flatnonzero(parts == TRAIN)
        parts[free[np.searchsorted(free, place) % len(free)]] = part
    return parts


def _places(blocks: int, part: int, share: float) -> list[int]:
    """Evenly spaced block numbers, exact in fractions: a quarter (three quarters) into each gap."""
    exact = Fraction(share).limit_denominator(100_000)
    phase = _PHASES[part]
    if exact <= 0 or phase / exact >= blocks:
        return [int(blocks * phase)]
    count = int(np.ceil(float(blocks * exact - phase)))
    places = (int((number + phase) / exact) for number in range(count + 1))
    return [place for place in places if place < blocks]
