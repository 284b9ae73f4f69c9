"""How a text marks its paragraphs is found out from the shape of its lines, in any script."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.config.schema import TextConfig
from nextword.text.division import (
    Division,
    Mode,
    find_division,
    is_double_spaced,
    set_division,
    split_indent,
)
from nextword.text.paragraphs import Cutter, cutter_of, paragraph_pieces
from nextword.text.readers import TextReader

COUNT = 60


def sentence(draw: random.Random) -> str:
    words = "the harbour master kept seven grey geese behind his cottage all through winter".split()
    chosen = draw.choices(words, k=draw.randint(4, 14))
    return f"{' '.join(chosen).capitalize()}."


def prose(count: int = COUNT) -> list[str]:
    draw = random.Random(7)
    return [" ".join(sentence(draw) for _ in range(draw.randint(2, 7))) for _ in range(count)]


def wrapped(paragraph: str, width: int = 64, first: str = "") -> str:
    return "\n".join(textwrap.wrap(paragraph, width, initial_indent=first))


def hanging(paragraph: str) -> str:
    return "\n".join(textwrap.wrap(paragraph, 64, subsequent_indent="    "))


def han(paragraph: str) -> str:
    """The same in a script without spaces."""
    letters = {chr(ord("a") + n): chr(0x4E2D + 11 * n) for n in range(26)}
    return "".join(letters.get(c, c) for c in paragraph.lower().replace(" ", "").replace(".", "。"))


def han_wrapped(paragraph: str, first: str = "") -> str:
    text = first + paragraph
    return "\n".join(text[start : start + 36] for start in range(0, len(text), 36))


def divided(text: str) -> tuple[Division, list[str]]:
    lines = text.splitlines(keepends=True)
    division = find_division(lines)
    cutter = cutter_of(division, "words", few_files=True)
    return division, list(cutter.blocks(paragraph_pieces(lines, division)))


PROSE = prose()
LONG = [" ".join(PROSE[start : start + 3]) for start in range(0, COUNT, 3)]
HAN = [han(paragraph) for paragraph in PROSE]
MARKED: dict[str, tuple[str, Mode, Sequence[str]]] = {
    "blank lines": ("\n\n".join(map(wrapped, PROSE)), "blank_lines", PROSE),
    "blank lines, narrow": ("\n\n".join(wrapped(p, 30) for p in PROSE), "blank_lines", PROSE),
    "blank lines and indents": (
        "\n\n".join(wrapped(p, first="   ") for p in PROSE),
        "blank_lines",
        PROSE,
    ),
    "blank lines between long lines": ("\n\n".join(LONG), "blank_lines", LONG),
    "indents": ("\n".join(wrapped(p, first="    ") for p in PROSE), "indents", PROSE),
    "tabs": ("\n".join(wrapped(p, first="\t") for p in PROSE), "indents", PROSE),
    "em spaces": ("\n".join(wrapped(p, first="\u2003") for p in PROSE), "indents", PROSE),
    "indents behind a mark": (
        "\n".join("\u200f" + wrapped(p, first="   ") for p in PROSE),
        "indents",
        PROSE,
    ),
    "indents in an indented text": (
        "\n".join(textwrap.indent(wrapped(p, first="    "), "    ") for p in PROSE),
        "indents",
        PROSE,
    ),
    "indents, ideographic": (
        "\n".join(han_wrapped(p, "\u3000\u3000") for p in HAN),
        "indents",
        HAN,
    ),
    "hanging indents": ("\n".join(map(hanging, PROSE)), "indents", PROSE),
    "hanging indents of items": (
        "\n".join(hanging(f"{n}. {p}") for n, p in enumerate(PROSE)),
        "indents",
        [f"{n}. {p}" for n, p in enumerate(PROSE)],
    ),
    "hanging indents in an indented text": (
        textwrap.indent("\n".join(map(hanging, PROSE)), "    "),
        "indents",
        PROSE,
    ),
    "word processor": ("\n".join(LONG), "lines", LONG),
    "word processor, chapters": (
        "\n\n".join("\n".join(LONG[start : start + 5]) for start in range(0, len(LONG), 5)),
        "lines",
        LONG,
    ),
    "a sentence a line": ("\n".join(re.findall(r"\S[^.]*\.", " ".join(PROSE))), "lines", []),
    "items": (
        "\n".join(f"- {p[:40].strip()}" for p in PROSE),
        "lines",
        [f"- {p[:40].strip()}" for p in PROSE],
    ),
}
MESSAGES = [
    f"[{n % 24:02}:{n % 60:02}] {'Ida' if n % 3 else 'Olaf'}: {p[: 5 + 7 * n % 50].rstrip('. ')}"
    for n, p in enumerate(PROSE)
]
VERSE = [f"{p[:34].rstrip('. ').lower()}{',;'[n % 2]}" for n, p in enumerate(PROSE)]
SHORT = [p[: 3 + 11 * n % 60].strip().lower() for n, p in enumerate(PROSE)]
TAGGED = [f"<li class='a'>{p[: 20 + 7 * n % 40]}</li>" for n, p in enumerate(PROSE)]
ONE_A_LINE = {"messages": MESSAGES, "verse": VERSE, "short messages": SHORT, "tags": TAGGED}


@pytest.mark.parametrize("name", MARKED)
def test_paragraphs_are_found_however_they_are_marked(name: str) -> None:
    text, mode, paragraphs = MARKED[name]
    division, found = divided(text)
    assert division.mode == mode and division.divided
    if paragraphs:
        assert found == list(paragraphs)


DOUBLE_SPACED = {
    "more blank lines": "\n\n".join(map(wrapped, PROSE)),
    "indents": "\n".join(wrapped(p, first="    ") for p in PROSE),
    "ideographic indents": "\n".join(han_wrapped(p, "\u3000\u3000") for p in HAN),
}


@pytest.mark.parametrize("name", DOUBLE_SPACED)
@pytest.mark.parametrize("end", ["\n\n", "\r\r\n"])
def test_a_blank_line_after_every_line_is_none(tmp_path: Path, name: str, end: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(DOUBLE_SPACED[name].replace("\n", end).encode())
    reader = TextReader(TextConfig())
    assert list(reader.read([file])) == (HAN if "ideographic" in name else PROSE)
    assert "in double spacing" in reader.notes[0]


@pytest.mark.parametrize("name", ONE_A_LINE)
def test_short_paragraphs_between_blank_lines_are_no_double_spacing(name: str) -> None:
    assert not is_double_spaced([part for line in ONE_A_LINE[name] for part in (line, "\n")])
    assert not is_double_spaced("\n\n".join(PROSE).splitlines(keepends=True))


@pytest.mark.parametrize("name", ONE_A_LINE)
@pytest.mark.parametrize("blank_after", [0, 30])
def test_what_does_not_fill_a_margin_is_one_a_line(name: str, blank_after: int) -> None:
    lines = list(ONE_A_LINE[name])
    text = "\n".join(lines)
    if blank_after:  # a stray blank line makes no paragraphs
        text = "\n".join([*lines[:blank_after], "", *lines[blank_after:]])
    division, found = divided(text)
    assert division.mode == "lines"
    assert "margin" in division.reason
    assert found == lines


@pytest.mark.parametrize(
    "text",
    [
        " ".join(PROSE),
        wrapped(" ".join(PROSE)),
        " ".join(PROSE).lower().replace(".", ""),
        "".join(HAN),
    ],
    ids=["one line", "one wrapped block", "no sentence ends", "no spaces"],
)
def test_a_text_without_any_division_is_cut_into_blocks(text: str) -> None:
    division, found = divided(text)
    assert not division.divided
    assert len(found) > 8
    assert "".join("".join(found).split()) == "".join(text.split())
    beyond = [len(re.sub(r"[\s\x00-\x7f]", "", block)) for block in found]
    words = [signs or len(block.split()) for signs, block in zip(beyond, found, strict=True)]
    assert all(95 <= count <= 300 for count in words[:-1])
    if "." in text:
        assert all(block.endswith(".") for block in found)


def test_a_few_lines_are_one_paragraph_as_long_as_nothing_else_is_shown() -> None:
    assert divided("yes\nin ten minutes\nok")[1] == ["yes in ten minutes ok"]
    assert divided("")[1] == divided(" \n\u200e\n")[1] == []


def test_one_very_long_paragraph_is_cut_and_its_neighbours_are_not() -> None:
    long = " ".join(prose(300))
    found = divided("\n\n".join([*PROSE, long, *PROSE]))[1]
    assert found[:COUNT] == found[-COUNT:] == PROSE
    blocks = found[COUNT:-COUNT]
    assert " ".join(blocks) == long
    assert len(blocks) > 20 and all(block.endswith(".") for block in blocks)


def test_abbreviations_end_no_block() -> None:
    blocks = divided("They went on, etc. and so on. " * 2000)[1]
    assert len(blocks) > 50 and all(block.endswith("so on.") for block in blocks)


@pytest.mark.parametrize(
    ("line", "indent", "text"),
    [
        ("a b \n", 0, "a b"),
        (" a\n", 0, "a"),
        ("  a\n", 2, "a"),
        ("\ta\n", 4, "a"),
        ("\u3000我\n", 2, "我"),
        ("\xa0\xa0a", 2, "a"),
        ("\u200e  \u200ea\n", 2, "a"),
        ("\u200b\ufeff \n", 0, ""),
        ("", 0, ""),
    ],
)
def test_invisible_marks_hide_no_indent_and_no_blank_line(
    line: str, indent: int, text: str
) -> None:
    assert split_indent(line) == (indent, text)


SET: dict[Mode, list[str]] = {
    "blank_lines": ["one two three", "four"],
    "lines": ["one", "two", "three", "four"],
    "indents": ["one", "two three", "four"],
}


@pytest.mark.parametrize("mode", SET)
def test_a_setting_overrules_what_would_be_found(tmp_path: Path, mode: Mode) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one\n  two\nthree\n\nfour\n")
    reader = TextReader(TextConfig(paragraphs=mode))
    assert list(reader.read([file])) == SET[mode]
    assert reader.notes[0].endswith("as text.paragraphs says")


@pytest.mark.parametrize("mode", SET)
def test_a_word_that_a_soft_hyphen_parts_is_joined(mode: Mode) -> None:
    lines = ["the lan\u00ad\n", "  tern went\n", "out\n"]
    pieces = paragraph_pieces(lines, set_division(mode, lines))
    found = list(Cutter("words", 1000).blocks(pieces))
    assert found[0].replace("\u00ad", "").startswith("the lantern went")


def test_reasons_are_one_line_also_for_many_files(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("\n\n".join(map(wrapped, PROSE)))
    (tmp_path / "chat.txt").write_text("\n".join(MESSAGES))
    reader = TextReader(TextConfig())
    list(reader.read(sorted(tmp_path.iterdir())))
    assert reader.notes == [
        "paragraphs: separated by blank lines (3 files), one per line (1 file) "
        "(change: --set text.paragraphs=blank_lines)"
    ]


def test_a_folder_of_many_short_texts_is_divided_by_its_files(tmp_path: Path) -> None:
    texts = [" ".join(prose(8)) for _ in range(25)]
    for number, text in enumerate(texts):
        (tmp_path / f"{number:02}.txt").write_text(text)
    assert list(TextReader(TextConfig()).read(sorted(tmp_path.iterdir()))) == texts


LINES = st.lists(
    st.text(st.sampled_from("ab A.,-\u00ad我。\t\u3000\u200e")).map(lambda line: line + "\n"),
    max_size=60,
)
FORMS: list[Callable[[list[str]], Division]] = [
    find_division,
    *(lambda lines, mode=mode: set_division(mode, lines) for mode in SET),
]


@settings(max_examples=150)
@given(LINES, st.sampled_from(FORMS), st.integers(1, 40), st.integers(0, 30), st.booleans())
def test_no_letter_is_lost_whatever_the_mode(
    lines: list[str],
    form: Callable[[list[str]], Division],
    repeat: int,
    longest: int,
    cut: bool,
) -> None:
    lines = lines * repeat
    pieces = [piece for line in lines for piece in (line[:2], line[2:])] if cut else lines
    cutter = Cutter("words", longest)
    found = list(cutter.blocks(paragraph_pieces([p for p in pieces if p], form(lines))))
    assert all(p and p == p.strip() and "\n" not in p for p in found)

    def letters(text: str) -> str:
        return re.sub(r"[\s\u200e\u00ad]", "", text)

    assert letters("".join(found)) == letters("".join(lines))
