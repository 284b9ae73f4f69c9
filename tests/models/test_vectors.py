"""Every format gives the same vectors; every damage is one line that says where."""

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nextword.errors import TextError
from nextword.models.vectors import read_vectors

ROWS = {"the": [0.5, -1.25, 2.0], "Paris": [1.0, 2.0, 3.5], "été": [0.0, 0.125, -0.5]}


def text_rows(rows: dict[str, list[float]], end: str = "\n") -> bytes:
    return "".join(f"{word} {' '.join(map(str, row))}{end}" for word, row in rows.items()).encode()


def binary_rows(rows: dict[str, list[float]], end: bytes = b"\n") -> bytes:
    packed = (w.encode() + b" " + struct.pack(f"<{len(r)}f", *r) + end for w, r in rows.items())
    return b"".join(packed)


def header(rows: dict[str, list[float]]) -> bytes:
    return f"{len(rows)} {len(next(iter(rows.values())))}\n".encode()


FORMATS = {
    "word2vec text": header(ROWS) + text_rows(ROWS),
    "word2vec text, spaces at line ends": header(ROWS) + text_rows(ROWS, end=" \r\n"),
    "word2vec binary": header(ROWS) + binary_rows(ROWS),
    "word2vec binary without line ends": header(ROWS) + binary_rows(ROWS, end=b""),
    "GloVe": text_rows(ROWS),
    "GloVe, tabs": text_rows(ROWS).replace(b" ", b"\t"),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_every_format_gives_the_same(tmp_path: Path, content: bytes, zipped: bool) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(gzip.compress(content) if zipped else content)
    found = read_vectors(path, ["été", "unheard", "the"])
    assert found.ids.tolist() == [0, 2]
    assert found.ids.dtype == np.int64
    np.testing.assert_array_equal(found.matrix, np.array([ROWS["été"], ROWS["the"]], np.float32))
    assert found.matrix.dtype == np.float32
    assert (found.size, found.total) == (3, 3)
    assert found.share == pytest.approx(2 / 3)


def test_lower_case_is_second_choice_and_the_first_row_counts(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("march 1 1\nMarch 2 2\nMarch 3 3\nrome 4 4\nROME 5 5\n")
    found = read_vectors(path, ["March", "Rome", "MARCH", "march", "March"])
    assert found.ids.tolist() == [0, 1, 2, 3, 4]
    assert found.matrix[:, 0].tolist() == [2, 4, 1, 1, 2]


def test_none_found_is_an_empty_matrix(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("a 1 2\n")
    assert read_vectors(path, ["x"]).matrix.shape == (0, 2)
    assert read_vectors(path, []).share == 0.0


def test_glove_words_may_hold_spaces_and_be_numbers(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("1 9 9 9\n. . . 1 2 3\nat name@domain.com 4 5 6\nnan 7 8 9\n")
    found = read_vectors(path, ["1", ". . .", "at name@domain.com", "nan", "at"])
    assert found.matrix[:, 0].tolist() == [9, 1, 4, 7]
    assert found.ids.tolist() == [0, 1, 2, 3]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=6),
        st.lists(
            st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=9, max_size=9
        ),
        min_size=1,
        max_size=8,
    )
)
def test_text_and_binary_agree(tmp_path: Path, rows: dict[str, list[float]]) -> None:
    words = list(rows)
    for name, content in {"t": text_rows(rows), "b": binary_rows(rows)}.items():
        path = tmp_path / name
        path.write_bytes(header(rows) + content)
        found = read_vectors(path, words)
        np.testing.assert_array_equal(found.matrix, np.array(list(rows.values()), np.float32))
        assert found.total == len(rows)


def test_rows_run_over_the_pieces_a_file_is_read_in(tmp_path: Path) -> None:
    rows = {f"w{i}": np.full(100, i, dtype="<f4") for i in range(3000)}  # 1.2 MB, two pieces
    path = tmp_path / "vectors.bin"
    body = b"".join(word.encode() + b" " + row.tobytes() for word, row in rows.items())
    path.write_bytes(b"3000 100\n" + body)
    found = read_vectors(path, list(rows))
    assert found.matrix[:, 99].tolist() == list(range(3000))


DAMAGED = {
    "empty": (b"", "is empty"),
    "prose": (b"Once upon a time\nthere was a king\n", "neither word2vec nor GloVe: line 1"),
    "zip": (b"PK\x03\x04rest", "zip archive; unpack it"),
    "no rows": (b"0 300\n", "line 1: announces 0 vectors"),
    "no size": (b"2 0\na\nb\n", "line 1: announces 2 vectors of 0 numbers"),
    "absurd size": (b"2 99999999999\na 1\n", "line 1: announces 2 vectors of 99999999999"),
    "too few rows": (b"999999999999 2\na 1 2\n", "announces 999999999999 vectors, 1 follow"),
    "too many rows": (b"1 2\na 1 2\nb 1 2\n", "line 3: line 1 announces 1 vectors"),
    "short row": (b"a 1 2\nb 1\nc 1 2\n", "line 2: has 1 numbers instead of 2"),
    "long row": (b"a 1 2\nc 1 2\nb 1 2 3\n", "line 3: has 3 numbers instead of 2"),
    "cut row": (b"2 3\na 1 2 3\nb 1", "line 3: has 1 numbers instead of 3"),
    "not a number": (b"2 2\na 1 2\nb 1 x\n", "line 3: 'x' is not a number"),
    "first row not a number": (b"2 2\na 1 x\nb 1 2\n", "line 2: 'x' is not a number"),
    "nan": (b"a 1 2\nb 1 nan\n", "line 2: nan is not a finite"),
    "beyond float32": (b"a 1 2\nb 1e39 1\n", "line 2: 1e+39 is not a finite"),
    "endless line": (b"2 2\na 1 2\n" + b"b" * 200_000, "line 3: is longer than"),
    "binary cut": (b"2 3\n" + binary_rows(ROWS)[:25], "entry 2 of 2: the file is cut off"),
    "binary absurd count": (b"99999999999 3\n" + binary_rows(ROWS), "entry 4 of 99999999999"),
    "binary goes on": (b"2 3\n" + binary_rows(ROWS), "more follows the 2 vectors"),
    "binary inf": (b"1 2\na " + struct.pack("<2f", 1, float("inf")), "entry 1 of 1: inf is not"),
    "binary without words": (
        b"2 2\na " + struct.pack("<2f", 1, 2) + b"\0" * 70_000,
        "entry 2 of 2: no word ends",
    ),
    "gzip cut": (gzip.compress(text_rows(ROWS))[:-9], "damaged or cut off gzip"),
    "gzip damaged": (b"\x1f\x8b\x08" + b"\0" * 7 + b"\xff" * 20, "damaged or cut off gzip"),
}


@pytest.mark.parametrize("content, message", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "damaged.txt"
    path.write_bytes(content)
    with pytest.raises(TextError, match=re.escape(message)) as caught:
        read_vectors(path, ["a", "b", "the", "Paris"])
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="none.bin: cannot be read: No such file"):
        read_vectors(tmp_path / "none.bin", ["a"])
