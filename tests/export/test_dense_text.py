"""Any bytes become text that a page can hold."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.export.dense_text import FIRST_PAIR, UNSAFE, dense_text


def bytes_of(text: str) -> bytes:
    """The inverse, bit by bit."""
    bits = ""
    for code in map(ord, text[1:-1]):
        pair = code - FIRST_PAIR
        sevens = [code] if pair < 0 else [UNSAFE[pair // 128], pair % 128]
        bits += "".join(f"{seven:07b}" for seven in sevens)
    content = int(bits[: len(bits) // 8 * 8], 2).to_bytes(len(bits) // 8, "big")
    return content[4 : 4 + int.from_bytes(content[:4], "little")]


@given(st.binary(max_size=60) | st.lists(st.sampled_from([0, 10, 13, 60, 255]), max_size=60))
def test_the_bytes_come_back(content: bytes | list[int]) -> None:
    text = dense_text(bytes(content))
    assert bytes_of(text) == bytes(content)
    assert not {"\0", "\n", "\r", "<"} & set(text)
    assert text == text.strip()


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_it_takes_a_seventh_more(size: int) -> None:
    text = dense_text(os.urandom(size))
    assert len(text.encode()) <= size * 8 / 7 + 9
