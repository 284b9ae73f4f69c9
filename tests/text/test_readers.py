from __future__ import annotations

import gzip
import io
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.config.schema import TextConfig
from nextword.errors import ConfigError, TextError
from nextword.text import sources as spool
from nextword.text.readers import TextReader, read_lines, read_paragraphs
from nextword.text.sources import text_files


def write(folder: Path, data: bytes | str, name: str = "a.txt") -> Path:
    file = folder / name
    file.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return file


def test_paragraphs_are_joined_over_line_ends(tmp_path: Path) -> None:
    file = write(tmp_path, "\n\nOne line\n  and another.\n \nSecond,\nhere.\n\n\n")
    assert list(read_paragraphs(file)) == ["One line and another.", "Second, here."]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(tmp_path: Path, end: str) -> None:
    file = write(tmp_path, f"a b{end}{end}c{end}")
    assert list(read_lines(file)) == ["a b", "", "c"]
    assert list(read_paragraphs(file)) == ["a b", "c"]


@pytest.mark.parametrize(
    ("text", "paragraph"),
    [
        ("the well-\nknown man", "the well-known man"),
        ("he went--\nand came", "he went--and came"),
        ("he went —\nand came", "he went — and came"),
        ("pre-\nand post-war", "pre- and post-war"),
        ("今日は\nいい", "今日はいい"),
        ("今日は\ngood", "今日は good"),
        ("- a\n- b", "- a - b"),
    ],
)
def test_what_sticks_together_over_a_line_end(tmp_path: Path, text: str, paragraph: str) -> None:
    assert list(read_paragraphs(write(tmp_path, text))) == [paragraph]


def test_a_text_without_blank_lines_is_read_line_by_line_unless_wrapped(tmp_path: Path) -> None:
    sentences = [f"The cat number {n} sat." for n in range(30)]
    file = write(tmp_path, "\n".join(sentences))
    assert list(read_paragraphs(file)) == sentences
    long = ["word " * 60 + "end", "Yes.", "word " * 70 + "end"]
    assert list(read_paragraphs(write(tmp_path, "\n".join(long)))) == long
    wrapped = ["a line of prose that is wrapped at some margin and goes on,"] * 15
    assert list(read_paragraphs(write(tmp_path, "\n".join(wrapped)))) == [" ".join(wrapped)]


def test_unicode_separators_end_lines_and_controls_become_spaces(tmp_path: Path) -> None:
    file = write(tmp_path, "a\x0bb\x0cc\u2028d\u2029\x85e\x1ff\u200bg\ufeffh\ti\n\x0cj")
    assert list(read_lines(file)) == ["a", "b", "c", "d", "", "e fgh\ti", "j"]


def test_colours_and_overstriking_are_no_text(tmp_path: Path) -> None:
    file = write(tmp_path, "\x1b[1;31mred\x1b[0m\n\x0304,12<ida>\x03 hi\nN\bNA\bAM\bM _\bit\n")
    assert list(read_lines(file)) == ["red", "<ida>  hi", "NAM it"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path, "naïve\ncafé".encode(encoding))
    given = "utf-8" if encoding == "utf-8-sig" else encoding
    assert list(read_lines(file, given)) == ["naïve", "café"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_mark_of_another_encoding_says_what_to_set(tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path, "text".encode(encoding))
    with pytest.raises(TextError, match=f"a.txt.*text.encoding: {encoding} "):
        list(read_lines(file))


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "", "idna\0"])
def test_an_unknown_encoding_is_a_configuration_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="text.encoding"):
        list(read_lines(write(tmp_path, "text"), name))


@pytest.mark.parametrize("before", [0, 10, (1 << 20) - 1, (1 << 20) + 5])
def test_wrong_bytes_are_named_by_their_place(tmp_path: Path, before: int) -> None:
    file = write(tmp_path, b"x" * before + b"\xe9t\xe9")
    with pytest.raises(TextError, match=rf"a\.txt: byte {before} is not utf-8.*text\.encoding"):
        list(read_lines(file))


def test_characters_and_line_ends_cut_by_a_chunk_are_whole(tmp_path: Path) -> None:
    for filler in range((1 << 20) - 3, (1 << 20) + 1):
        line = "x" * filler + "é€"
        assert list(read_lines(write(tmp_path, line + "\r\n\r\nb"))) == [line, "", "b"]


def test_a_character_cut_off_by_the_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="byte 3 "):
        list(read_lines(write(tmp_path, b"abc\xe2\x82")))


def test_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="binary file.*byte 5"):
        list(read_lines(write(tmp_path, b"abcde\0fg")))
    with pytest.raises(TextError, match="binary file"):
        list(read_lines(write(tmp_path, "a\0b".encode("utf-16")), "utf-16"))


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    packed = gzip.compress(b"one\n\ntwo\n" + os.urandom(50).hex().encode())
    whole = write(tmp_path, packed)
    assert list(read_lines(whole))[:3] == ["one", "", "two"]
    for damaged in (packed[:-12], packed[:20] + b"\xff" * 20 + packed[40:]):
        file = write(tmp_path, damaged, "cut.txt.gz")
        with pytest.raises(TextError, match=r"cut\.txt\.gz.*gzip"):
            list(read_lines(file))


def test_folders_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path, "two", "b.txt")
    write(tmp_path, gzip.compress(b"three"), "sub/c.txt.gz")
    write(tmp_path, "one", "a.txt")
    write(tmp_path, "id,price\n1,2\n", "prices.csv")
    write(tmp_path, "no", ".hidden.txt")
    said: list[str] = []
    assert [file.name for file in text_files(tmp_path, said.append)] == [
        "a.txt",
        "b.txt",
        "c.txt.gz",
    ]
    assert len(said) == 1 and "prices.csv: left out" in said[0]
    assert list(read_paragraphs(tmp_path)) == ["one", "two", "three"]
    write(tmp_path, "# four\n\nmore", "d.md")
    assert list(read_paragraphs(tmp_path))[2:] == ["four", "more", "three"]
    assert [f.name for f in text_files([str(tmp_path / "b.txt"), str(tmp_path / "sub")])] == [
        "b.txt",
        "c.txt.gz",
    ]


def test_missing_and_empty_sources_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path, "", "empty.txt")
    for name, message in [
        ("gone.txt", "no such"),
        ("empty.txt", "empty"),
        ("folder", "no text"),
    ]:
        with pytest.raises(TextError, match=rf"{name}.*{message}"):
            text_files(tmp_path / name)
    with pytest.raises(TextError, match="no text is named"):
        text_files([])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, "text")
    file.chmod(0)
    with pytest.raises(TextError, match="a.txt: cannot be read"):
        text_files(file)


def test_standard_input_can_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_spooled", {})
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"one\n\ntwo \xff")))
    for _ in range(2):
        with pytest.raises(TextError, match="standard input: byte 9"):
            list(read_paragraphs("-"))
    assert list(read_paragraphs("-", "latin-1")) == ["one", "two ÿ"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_can_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_spooled", {})
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"one\n\ntwo",))
    writer.start()
    assert list(read_paragraphs(pipe)) == ["one", "two"]
    writer.join()
    assert list(read_paragraphs(pipe)) == ["one", "two"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (
            "*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***",
            "*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***",
        ),
        (
            "***START OF THE PROJECT GUTENBERG EBOOK EMMA***",
            "***END OF THE PROJECT GUTENBERG EBOOK EMMA***",
        ),
        (
            "*** START OF THIS PROJECT GUTENBERG EBOOK A TITLE THAT\nGOES ON ***",
            "End of the Project Gutenberg EBook of Emma\n\n*** END OF THIS PROJECT GUTENBERG",
        ),
        (
            "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
            "End of Project Gutenberg's Etext of Emma",
        ),
    ],
)
def test_project_gutenberg_is_cut_off(tmp_path: Path, start: str, end: str) -> None:
    book = f"Title: Emma\n\n{start}\n\nEmma was\nhandsome.\n\nEnd of all.\n\n{end}\n\nLicence\n"
    file = write(tmp_path, book)
    assert list(read_paragraphs(file)) == ["Emma was handsome.", "End of all."]
    assert list(read_paragraphs(write(tmp_path, book * 2))) == [
        "Emma was handsome.",
        "End of all.",
    ] * (2)


def test_only_an_end_marker_cuts_only_the_end(tmp_path: Path) -> None:
    marker = "*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***"
    assert list(read_paragraphs(write(tmp_path, f"Text.\n\n{marker}\n\nLicence"))) == ["Text."]
    long = "x" * 70_000
    assert list(read_lines(write(tmp_path, f"{long}\n{marker}\nLicence"))) == [long]


def test_one_very_long_line_takes_linear_time(tmp_path: Path) -> None:
    file = write(tmp_path, b"some words " * 3_000_000)
    began = time.perf_counter()
    assert [len(line) for line in read_lines(file)] == [33_000_000]
    assert time.perf_counter() - began < 10


def test_a_format_that_marks_paragraphs_is_told_from_lines(tmp_path: Path) -> None:
    for name in ("a.tsv", "b.tsv"):
        write(tmp_path, "id\ttext\n" + "1\tthe ferry is late again\n" * 9, name)
    reader = TextReader(TextConfig())
    assert len(list(reader.read([tmp_path / "a.tsv"]))) == 9
    assert reader.notes[1] == "paragraphs: as the file's format marks them"
    files = [tmp_path / "b.tsv", write(tmp_path, "the ferry is late again. " * 10 + "\n")]
    list(reader.read(files))
    found = "found TSV, column 'text' (change: --set text.format=plain) (2 files)"
    assert reader.notes[0] == found
    assert "as the file's format marks them (2 files), " in reader.notes[1]
