"""Of Project Gutenberg's files only the books are read, whatever form their licence has."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.text.gutenberg import without_licence

BOOK = ["THE MILL\n", "\n", "The wheel turned slowly.\n", "* * *\n", "\n", "End of all things.\n"]
LONG = ["Another wheel turned, and the water ran under it.\n"] * 2_000
TITLE = ["**The Project Gutenberg Etext of The Mill, by Nobody**\n", "\n"]
REMARKS = ["Please take a look at the important information in this header.\n", "\n"]
AT_END = ["The legal small print is at the end of this file.\n", "\n", "\n"]
PRINT = [
    "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\n",
    "Why is this here? You know: lawyers.\n",
    "\n",
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n",
]
OTHER_PRINT = [
    "**START**SMALL PRINT! for COPYRIGHT PROTECTED ETEXTS**START**\n",
    "Lawyers.\n",
    "*END THE SMALL PRINT! FOR COPYRIGHT PROTECTED ETEXTS*Ver.10/04/01*END*\n",
]
FOOTERS = [
    "End of The Project Gutenberg Etext of The Mill, by Nobody\n",
    "End of Project Gutenberg's Etext of The Mill\n",
    "End of this Project Gutenberg Etext\n",
    "The End of the Project Gutenberg EBook of The Mill\n",
    "Ende dieses Projekt Gutenberg Etextes Die Mühle\n",
    "Fin de l'Etext Project Gutenberg de Le Moulin\n",
    "Fin du Projet Gutenberg EBook de Le Moulin\n",
    "Einde van het Project Gutenberg EBook van De Molen\n",
    "***End of the Project Gutenberg Etext of The Mill***\n",
]
NEW = ["*** START OF THIS PROJECT GUTENBERG EBOOK THE MILL ***\n", "\n"]
NEW_END = ["*** END OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n", "\n"]
LICENCE = [
    "*** START: FULL LICENSE ***\n",
    "THE FULL PROJECT GUTENBERG LICENSE\n",
    "Project Gutenberg eBooks are often created from several printed editions.\n",
    "*** END: FULL LICENSE ***\n",
]
FORMS = {
    "print at the end": (TITLE + AT_END, "footer", PRINT),
    "print at the end, unsaid": (TITLE + ["\n"], "footer", OTHER_PRINT),
    "print at the end, no footer": (TITLE + AT_END, "", PRINT),
    "print at the end, no start": (TITLE + AT_END, "footer", ["Lawyers.\n", PRINT[-1]]),
    "print at the head": (TITLE + REMARKS + PRINT, "footer", []),
    "print at the head, other": (TITLE + OTHER_PRINT, "footer", ["\n"]),
    "thanks alone": (["This etext was prepared by Nobody.\n", "\n"], "footer", []),
    "Australian": (
        [
            "Project Gutenberg Australia\n",
            "\n",
            "Title: The Mill\n",
            "* A Project Gutenberg of Australia eBook *\n",
            "\n",
            "This eBook is available under the Project Gutenberg of Australia License.\n",
            "\n",
        ],
        "",
        ["This site is full of FREE ebooks - Project Gutenberg Australia\n"],
    ),
    "new": (["The Project Gutenberg EBook of The Mill\n", *NEW], "footer", NEW_END + LICENCE),
    "new, no licence end": (REMARKS + NEW, "", NEW_END + LICENCE[:3]),
}


def text_of(lines: list[str]) -> str:
    return "".join(without_licence(lines)).strip()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("footer", FOOTERS)
@pytest.mark.parametrize("book", [BOOK, LONG], ids=["short", "long"])
def test_the_book_stays_and_the_rest_goes(name: str, footer: str, book: list[str]) -> None:
    head, has_footer, tail = FORMS[name]
    if book is LONG and name == "print at the end, no footer":
        book = [*LONG]  # its licence begins far behind the head
    lines = head + book + ["\n", footer if has_footer else "\n", "\n"] + tail
    assert text_of(lines) == "".join(book).strip()


# nothing tells where a licence without an end mark ends, unless the next book has a start mark
OPEN_END = "new, no licence end"
PAIRS = [pair for pair in product(FORMS, FORMS) if pair[0] != OPEN_END or pair[1].startswith("new")]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_books_behind_each_other_are_each_cut(first: str, second: str) -> None:
    lines: list[str] = []
    for name, title in ((first, "ONE\n"), (second, "TWO\n")):
        head, has_footer, tail = FORMS[name]
        footer = FOOTERS[0] if has_footer else "\n"
        lines += [*head, title, *BOOK, "\n", footer, "\n", *tail, "\n"]
    book = "".join(BOOK).split()
    assert text_of(lines).split() == ["ONE", *book, "TWO", *book]


def test_a_print_at_the_end_of_an_untitled_text_takes_nothing_else() -> None:
    assert text_of(BOOK + PRINT) == "".join(BOOK).strip()
    assert text_of(BOOK + PRINT + ["\n", "\n"]) == "".join(BOOK).strip()


def test_a_licence_without_an_end_takes_no_book_with_it() -> None:
    head = [*TITLE, *PRINT[:2]]
    assert text_of(head + LONG).endswith("".join(LONG).strip())
    assert text_of(TITLE + AT_END + BOOK + PRINT[:2]) == "".join(BOOK).strip()


def test_another_text_behind_a_book_is_kept() -> None:
    head, _, _ = FORMS["print at the head"]
    assert text_of([*head, *BOOK, FOOTERS[0], "\n", *LONG]).endswith("".join(LONG).strip())


def test_a_text_that_speaks_of_project_gutenberg_is_whole() -> None:
    lines = ["A letter\n", "\n", "End of Project Gutenberg is not near.\n", "*END* of it\n", "x\n"]
    assert list(without_licence(lines)) == lines


@given(st.lists(st.sampled_from([*BOOK, *TITLE, *PRINT, *FOOTERS, *NEW, *NEW_END, *LICENCE])))
def test_any_order_of_marks_ends_and_invents_nothing(lines: list[str]) -> None:
    kept = list(without_licence(lines))
    assert len(kept) <= len(lines) and set(kept) <= set(lines)
    position = 0
    for line in kept:
        position = lines.index(line, position) + 1
