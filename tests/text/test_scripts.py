"""Characters of scripts without spaces."""

import re
import sys
import unicodedata

import pytest

from nextword.text.scripts import UNSPACED_LETTERS, is_unspaced, is_unspaced_letter

EVERYTHING = [chr(code) for code in range(sys.maxunicode + 1)]


def test_letters_are_those_of_the_regular_expression() -> None:
    letter = re.compile(f"[{UNSPACED_LETTERS}]")
    assert [c for c in EVERYTHING if is_unspaced_letter(c)] == letter.findall("".join(EVERYTHING))


def test_all_other_unspaced_characters_are_marks() -> None:
    marks = [c for c in EVERYTHING if is_unspaced(c) and not is_unspaced_letter(c)]
    assert {"、", "。", "「", "！", "？"} <= set(marks)
    assert not [c for c in marks if unicodedata.category(c)[0] in "LN"]
    assert all(is_unspaced(c) for c in EVERYTHING if is_unspaced_letter(c))


@pytest.mark.parametrize(("character", "letter"), [("ก", True), ("日", True), ("か", True)])
def test_examples(character: str, letter: bool) -> None:
    assert is_unspaced_letter(character) == letter
    assert not is_unspaced("a") and not is_unspaced("한") and not is_unspaced(".")
