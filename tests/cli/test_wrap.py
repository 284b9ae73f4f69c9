"""Running text in lines, while it still comes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from nextword.cli.layout import columns_of
from nextword.cli.wrapping import Wrapper, escape_lines


def wrapped(pieces: list[str], width: int) -> str:
    wrapper = Wrapper(width)
    return "".join(wrapper.push(piece) for piece in pieces) + wrapper.flush()


def test_lines_break_at_spaces_and_paragraphs_stay() -> None:
    assert wrapped(["one", " two", " three", "\n\n", "four", " five"], 9) == (
        "one two\nthree\n\nfour five"
    )


def test_a_mark_stays_with_its_word_though_it_comes_later() -> None:
    # both words fill the line, the mark does not fit any more
    assert wrapped(["one", " two", "!", " three"], 7) == "one\ntwo!\nthree"


def test_a_word_that_is_too_long_has_a_line_of_its_own() -> None:
    assert wrapped(["a", " elephantine", " b"], 5) == "a\nelephantine\nb"


def test_wide_letters_break_anywhere_and_take_two_columns() -> None:
    assert wrapped(["我", "爱", "你", "。", "猫"], 6) == "我爱\n你。猫"
    assert wrapped(["我爱你。猫"], 6) == "我爱\n你。猫"
    assert columns_of("我e\u0301!") == 4


@given(st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["C"])))
def test_columns_are_those_of_wcwidth(text: str) -> None:
    assert columns_of(text) == wcswidth(text)


def test_words_go_out_one_late_at_most() -> None:
    wrapper = Wrapper(80)
    assert [wrapper.push(piece) for piece in ["a", " b", ",", " c"]] == ["", "a", "", " b,"]
    assert wrapper.flush() == " c"
    assert wrapper.flush() == ""


@pytest.mark.parametrize("width", [1, 7, 20])
def test_nothing_is_lost_and_only_single_words_are_too_long(width: int) -> None:
    draw = random.Random(width)
    words = ["a", "word", "elephantine", "b,", "c"]
    pieces = [draw.choice([" ", ""]) + draw.choice(words) for _ in range(200)]
    text = wrapped(pieces, width)
    assert text.split() == "".join(pieces).split()
    assert all(len(line) <= width or " " not in line for line in text.split("\n"))


def test_colours_take_no_columns_and_gaps_are_painted() -> None:
    wrapper = Wrapper(7, gap="<_>")
    text = wrapper.push("one two three", lambda part: f"<{part}>") + wrapper.flush()
    assert text == "<one><_><two>\n<three>"


def test_only_line_ends_are_obeyed() -> None:
    assert escape_lines("a\tb\r\nc\x1b[2J\rd") == "a b\nc\\x1b[2J\\rd"
