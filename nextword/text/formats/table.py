"""CSV and its kin: one column of a table, whose fields a comma, semicolon, tab or bar separates."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nextword.errors import TextError
from nextword.text.decoding import plain_lines
from nextword.text.formats.columns import ADVICE, SAMPLE, choose, is_data, is_running, listed
from nextword.text.formats.extract import Extract, paragraphs_in
from nextword.text.sources import display_name

_DELIMITERS = (",", ";", "\t", "|")
SUFFIXES = (".csv", ".tsv", ".tab", ".psv")
"""Of files that are tables on weak evidence."""
_HINT = re.compile(r"\ufeff?\"?sep=.\"?\s*")
_LONGEST_FIELD = 1 << 24
_LONGEST_NAME = 60
_MOST_WORDS_IN_NAME = 5


@dataclass(frozen=True)
class Layout:
    """How a table is written."""

    delimiter: str
    quoted: bool
    """Whether a quotation mark at the start of a field encloses it."""

    def rows(self, lines: Iterable[str], strict: bool = False) -> Iterator[list[str]]:
        """The rows that are not empty. Raises csv.Error."""
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.reader(
            (line + "\n" for line in lines),
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            strict=strict,
        )
        return (row for row in reader if any(field.strip() for field in row))


def _rows_only(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a table, without the one that tells Excel its delimiter."""
    return (line for n, line in enumerate(lines) if n > 0 or not _HINT.fullmatch(line))


def layout_of(lines: list[str], least_regular: float) -> tuple[Layout, list[list[str]]] | None:
    """The layout whose rows have the most even width, with the rows.

    Args:
        lines: the beginning of a file.
        least_regular: the share of rows that must have the same number of fields, above 1 field.
    """
    best: tuple[Layout, list[list[str]]] | None = None
    best_share = 0.0
    for delimiter in _DELIMITERS:
        for quoted in (True, False) if delimiter in "\t|" else (True,):
            rows = _strict_rows(Layout(delimiter, quoted), lines)
            width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
            share = count / max(1, len(rows))
            if width > 1 and share >= least_regular and share > best_share:
                best, best_share = (Layout(delimiter, quoted), rows), share
    return best


def _strict_rows(layout: Layout, lines: list[str]) -> list[list[str]]:
    """The rows; an empty list if a quotation mark stands where it may not."""
    rows: list[list[str]] = []
    try:
        for row in layout.rows(lines, strict=True):
            rows.append(row)
    except csv.Error as error:
        if "unexpected end" not in str(error):  # the sample ends inside a field
            return []
    return rows


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: short, distinct names, unlike what follows."""
    first, *others = rows
    named = [name for name in first if name.strip()]
    if len(set(first)) < len(first) or len(named) < max(1, len(first) - 1):
        return False
    if not all(_is_name(name) for name in named) or not others:
        return False
    for name, *values in zip(
        first, *(row for row in others if len(row) == len(first)), strict=True
    ):
        filled = [value for value in values if value.strip()]
        if filled and (
            all(map(is_data, filled))
            or sum(map(len, filled)) > 3 * len(name) * len(filled)
            or (len(filled) >= 10 and len(filled) >= 2 * len(set(filled)) and name not in filled)
        ):
            return True
    return False


def _is_name(text: str) -> bool:
    return (
        len(text) <= _LONGEST_NAME
        and len(text.split()) <= _MOST_WORDS_IN_NAME
        and not is_data(text)
        and re.search(r"[.!?…,;:]\s*\Z", text) is None
    )


def is_table(lines: list[str], suffix: str) -> bool:
    """Whether lines are a table; without a table's suffix the evidence must be strong.

    Prose, verse and chat logs can have as many commas in each line: there must be a header and,
    but for tabs, few spaces after the delimiters.
    """
    expected = suffix in SUFFIXES
    lines = list(_rows_only(lines))
    found = layout_of(lines, 0.5 if expected else 1.0)
    if expected:
        return found is not None or _single_column(lines) is not None
    if found is None:
        return False
    layout, rows = found
    columns = list(zip(*rows, strict=True))
    if len(rows) < 4 or not any(map(is_running, columns)):
        return False
    facts = any(_is_facts(column[1:]) for column in columns)
    if layout.delimiter == "\t":
        return facts and all(any(map(str.strip, column)) for column in columns)
    text = "\n".join(lines)
    loose = text.count(layout.delimiter + " ") / text.count(layout.delimiter)
    enclosed = '"' in text and loose < 0.9
    framed = layout.delimiter == "|" and text.startswith("|")  # Markdown's tables
    return (
        has_header(rows)
        and not framed
        and (enclosed or (loose < 0.1 and (facts or len(columns) > 2)))
    )


def _is_facts(column: Sequence[str]) -> bool:
    """Whether all of a column is data: numbers, dates and the like."""
    filled = [value for value in column if value.strip()]
    return bool(filled) and all(map(is_data, filled))


def _single_column(lines: list[str]) -> tuple[Layout, list[list[str]]] | None:
    """The layout of a table with one column, with its rows; None if a row has more fields."""
    layout = Layout(",", True)
    rows = _strict_rows(layout, lines)
    return (layout, rows) if rows and all(len(row) == 1 for row in rows) else None


def open_table(file: Path, encoding: str, column: str | None) -> Extract:
    """The text in one column of a CSV or TSV file.

    Args:
        file: the file.
        encoding: its character encoding.
        column: a name of the header, or the column's number from 1; None for the one with the most
            running text.

    Raises:
        TextError: the file is no table, or has no such column.
    """
    name = display_name(file)
    lines = list(islice(_rows_only(plain_lines(file, encoding)), SAMPLE))
    found = layout_of(lines, 0.0) or _single_column(lines) or _lenient(lines)
    if found is None:
        raise TextError(f"{name}: no table was found in it; if it is text: --set text.format=plain")
    layout, rows = found
    kind = "TSV" if layout.delimiter == "\t" else "CSV"
    header = has_header(rows)
    names = rows[0] if header else [str(n + 1) for n in range(max(map(len, rows)))]
    index = _index(name, names, rows[header:], column)
    label = f"column {names[index]!r}" if header else f"column {index + 1}"
    return Extract(f"{kind}, {label}", _paragraphs(file, encoding, layout, index, header))


def _lenient(lines: list[str]) -> tuple[Layout, list[list[str]]] | None:
    """The layout that the first line suggests, where quotation marks are not as they should be."""
    if not lines:
        return None
    delimiter = max(_DELIMITERS, key=lines[0].count)
    layout = Layout(delimiter, True)
    try:
        rows = list(layout.rows(lines))
    except csv.Error:
        return None
    return (layout, rows) if rows and delimiter in lines[0] else None


def _index(name: str, names: list[str], rows: list[list[str]], column: str | None) -> int:
    if column is None:
        sample = {
            header: [row[place] for row in rows if place < len(row)]
            for place, header in enumerate(names)
        }
        return names.index(choose(sample, f"{name}: none of its columns"))
    if column in names:
        return names.index(column)
    if column.isdecimal() and 1 <= int(column) <= len(names):
        return int(column) - 1
    raise TextError(f"{name}: has no column {column!r} ({listed(names)}); {ADVICE}")


def _paragraphs(
    file: Path, encoding: str, layout: Layout, index: int, header: bool
) -> Iterator[str]:
    rows = layout.rows(_rows_only(plain_lines(file, encoding)))
    try:
        for row in islice(rows, int(header), None):
            if index < len(row):
                yield from paragraphs_in(row[index])
    except csv.Error as error:
        raise TextError(
            f"{display_name(file)}: not read as a table to its end ({error}); look for a quotation "
            "mark that is not closed"
        ) from error
