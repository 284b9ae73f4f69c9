"""Long texts are cut in linear time and bounded memory; written ends count once."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.config.schema import TextConfig
from nextword.text.decoding import decoded_lines
from nextword.text.detokenizer import Kind
from nextword.text.paragraphs import Cutter, line_pieces
from nextword.text.readers import TextReader
from nextword.text.written_ends import split_at_ends

WORDS = "a ferry crossed the river twice a day . "


@pytest.mark.parametrize("kind", ["words", "whitespace"])
def test_one_line_is_cut_between_words_whatever_the_tokenizer(tmp_path: Path, kind: Kind) -> None:
    file = tmp_path / "line.txt"
    file.write_text(WORDS * 300)
    reader = TextReader(TextConfig(tokenizer=kind))
    found = list(reader.read([file]))
    assert " ".join(found).split() == (WORDS * 300).split()
    assert all(block.endswith(" .") and 95 < len(block.split()) < 130 for block in found[:-1])
    assert len(reader.notes) == 1 and "100 words" in reader.notes[0]


def test_lines_of_a_tokenized_text_stay_whole(tmp_path: Path) -> None:
    lines = [WORDS * 300, "", " b ", WORDS * 3000]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines))
    reader = TextReader(TextConfig(tokenizer="whitespace"))
    assert list(reader.read([file])) == lines
    assert reader.notes == []
    file.write_text("a b\n")
    assert list(TextReader(TextConfig(tokenizer="whitespace")).read([file])) == ["a b"]


def test_a_word_of_a_tokenized_text_is_never_cut() -> None:
    words = [f"我们{n}去。了" for n in range(1000)]
    blocks = list(Cutter("whitespace", 0).blocks(line_pieces([" ".join(words)])))
    assert len(blocks) > 5 and " ".join(blocks).split() == words


def pieces() -> Iterator[str | None]:
    for _ in range(150):
        yield WORDS * 200
    yield None


def test_a_long_line_is_never_held_as_a_whole() -> None:
    tracemalloc.start()
    count = sum(len(block.split()) for block in Cutter("words", 900).blocks(pieces()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 150 * 200 * len(WORDS.split())
    assert peak < 20 * len(WORDS) * 200


@pytest.mark.parametrize("text", ["x" * 3_000_000, "x " * 1_500_000])
def test_cutting_takes_linear_time(tmp_path: Path, text: str) -> None:
    file = tmp_path / "line.txt"
    file.write_text(text)
    assert max(map(len, decoded_lines(file, "utf-8"))) <= 1 << 20
    began = time.perf_counter()
    assert sum(len(block.split()) for block in TextReader(TextConfig()).read([file])) == len(
        text.split()
    )
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("a b", ["a b"]),
        (" a  b ", [" a  b "]),
        ("a b <eos>", ["a b"]),
        ("a <eos> b <eos> ", ["a", "b"]),
        ("<eos> a", ["a"]),
        ("a <eos> <eos> b", ["a", "b"]),
        ("<eos>", [""]),
        ("a<eos> <eos>b", ["a<eos> <eos>b"]),
        ("<unk> <EOS>", ["<unk>"]),
        ("<s> a b </s>", ["a b"]),
        ("<s> a </s> <s> b </s>", ["a", "b"]),
        ("a <|endoftext|>", ["a"]),
        ("<pad> <strong>", ["<pad> <strong>"]),
    ],
)
def test_a_written_end_counts_once(line: str, parts: list[str]) -> None:
    assert split_at_ends(line) == parts


@given(st.lists(st.sampled_from(["a", "b", "<eos>"])))
def test_written_ends_are_gone_and_no_other_word(words: list[str]) -> None:
    parts = split_at_ends(" ".join(words))
    assert " ".join(parts).split() == [word for word in words if word != "<eos>"]
    assert all(part.split() for part in parts) or parts == [""]


def test_written_ends_are_said_once(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a b <eos>\nc <eos> d\n\ne\n")
    reader = TextReader(TextConfig(tokenizer="whitespace"))
    for _ in range(2):  # every text is read more than once
        assert list(reader.read([file])) == ["a b", "c", "d", "", "e"]
    note = "the text has a literal <eos> (2 times): it ends a line, and counts once"
    assert reader.notes == [note]
    assert list(TextReader(TextConfig()).read([file])) == ["a b <eos> c <eos> d", "e"]


@pytest.mark.parametrize("mark", ["<eos>", "</s>", "<EOS>"])
def test_written_ends_in_prose_are_said(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text(f"the cat sat {mark}\n\nit ran {mark}\n\nno more\n")
    reader = TextReader(TextConfig())
    assert list(reader.read([file])) == [f"the cat sat {mark}", f"it ran {mark}", "no more"]
    assert f"has a literal {mark} (2 times)" in reader.notes[-1]
    assert "text.tokenizer=whitespace" in reader.notes[-1]
