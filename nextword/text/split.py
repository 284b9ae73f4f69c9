"""Chooses the held-out parts: whole blocks, evenly spread, without randomness.

Single paragraphs would leak, since their neighbours share names and topics; one piece at the end of
a book would be about another subject. Blocks avoid both.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from nextword.errors import TextError
from nextword.formatting import counted

TRAIN, VALID, TEST = 0, 1, 2
BLOCK_WORDS = 2000
"""The size of a block of a long text, in words."""
_MIN_BLOCKS = 60
_PHASES = {VALID: Fraction(1, 4), TEST: Fraction(3, 4)}


def split_blocks(
    paragraph_tokens: NDArray[np.int64],
    valid: float,
    test: float,
    unit: str = "paragraph",
    advice: str = "",
) -> NDArray[np.uint8]:
    """The part of every paragraph, ``(paragraphs,)``: 0 train, 1 valid, 2 test.

    With shares of 1/20 each, of every 20 blocks (from 0) number 5 is valid and number 15 is test.

    Args:
        paragraph_tokens: number of words of each paragraph, ``(paragraphs,)``.
        valid: share of the validation part, in [0, 1).
        test: share of the test part, in [0, 1).
        unit: ``paragraph`` or ``line``, for the message.
        advice: another way to more of them, for the message.

    Raises:
        TextError: the text has fewer paragraphs than parts.
    """
    shares = {part: share for part, share in ((VALID, valid), (TEST, test)) if share > 0}
    if len(paragraph_tokens) < len(shares) + 1:
        raise TextError(
            f"the text has {counted(len(paragraph_tokens), unit)}, too few to set some aside for "
            f"testing: provide more text, {advice + ', ' if advice else ''}or hold nothing out: "
            "--set 'text.holdout={valid: 0, test: 0}'"
        )
    blocks = _blocks(paragraph_tokens, minimum=len(shares) + 1)
    part_of_block = _deal(int(blocks[-1]) + 1, shares)
    return part_of_block[blocks]


def _blocks(paragraph_tokens: NDArray[np.int64], minimum: int) -> NDArray[np.int64]:
    """The number of each paragraph's block, which is decided by its first word."""
    starts = np.cumsum(paragraph_tokens) - paragraph_tokens
    size = max(1, min(BLOCK_WORDS, int(paragraph_tokens.sum()) // _MIN_BLOCKS))
    begins_block = np.diff(starts // size, prepend=-1) > 0
    begins_block[0] = True
    if int(begins_block.sum()) < minimum:
        begins_block[:] = True
    numbers: NDArray[np.int64] = np.cumsum(begins_block) - 1
    return numbers


def _deal(blocks: int, shares: dict[int, float]) -> NDArray[np.uint8]:
    """The part of every block; if two parts want the same block, the later one takes the next.

    Training and each share get at least one block.
    """
    parts = np.zeros(blocks, dtype=np.uint8)
    wanted = [
        (block, part)
        for part, share in shares.items()
        for block in _evenly_spaced(blocks, part, share)
    ]
    # the first block of every part goes first, so that in a short text no part is empty
    firsts = [next(item for item in wanted if item[1] == part) for part in shares]
    rest = [item for item in wanted if item not in firsts]
    for block, part in (firsts + rest)[: blocks - 1]:
        free = np.flatnonzero(parts == TRAIN)
        parts[free[np.searchsorted(free, block) % len(free)]] = part
    return parts


def _evenly_spaced(blocks: int, part: int, share: float) -> list[int]:
    """Block numbers of a part, a quarter (three quarters) into each gap, in exact fractions."""
    exact = Fraction(share).limit_denominator(100_000)
    phase = _PHASES[part]
    if exact <= 0 or phase / exact >= blocks:
        return [int(blocks * phase)]
    count = int(np.ceil(float(blocks * exact - phase)))
    numbers = (int((number + phase) / exact) for number in range(count + 1))
    return [number for number in numbers if number < blocks]
