"""Bytes as text of a page: seven bits in each byte of UTF-8, where base64 has six.

Seven bits are the character of that number. Four characters would not survive in a page or on its
way (the end of a string, both ends of lines, and the sign that begins a tag). Their place takes,
with the seven bits after them, a character of two bytes from U+0100 on. The bytes follow their
number, in four bytes, and brackets stand around all, so that white space there does no harm.
"""

from __future__ import annotations

import numpy as np

UNSAFE = (0x00, 0x0A, 0x0D, 0x3C)
"""Characters that the text does not have."""
FIRST_PAIR = 0x100
"""The character for the first unsafe one and seven bits of zero."""


def dense_text(content: bytes) -> str:
    """The text of some bytes."""
    counted = len(content).to_bytes(4, "little") + content
    bits = np.unpackbits(np.frombuffer(counted, dtype=np.uint8))
    groups = np.concatenate([bits, np.zeros(-len(bits) % 7, dtype=np.uint8)]).reshape(-1, 7)
    sevens = groups @ (1 << np.arange(6, -1, -1))
    unsafe = np.isin(sevens, UNSAFE)
    # of several unsafe characters in a row every second one is the latter half of a pair
    index = np.arange(len(sevens))
    run_start = np.maximum.accumulate(np.where(unsafe & ~np.append(False, unsafe[:-1]), index, 0))
    begins = unsafe & ((index - run_start) % 2 == 0)
    follows = np.append(False, begins[:-1])
    latter = np.append(sevens[1:], 0)
    characters = np.where(
        begins, FIRST_PAIR + 128 * np.searchsorted(UNSAFE, sevens) + latter, sevens
    )
    return f"[{characters[~follows].astype('<u4').tobytes().decode('utf-32-le')}]"
