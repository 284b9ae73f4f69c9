"""What is recognised as a format, what is refused with which command, and what stays plain text."""

import gzip
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import get_args

import pytest

from nextword.config.types import Format as ConfiguredFormat
from nextword.errors import TextError
from nextword.text.formats import FORMATS, format_of, recognise
from nextword.text.sources import SUFFIXES

PARAGRAPH = "The miller carried three apples home, and no one asked him why.\n"
PLAIN_TEXTS = {
    "prose": (PARAGRAPH * 3 + "\n") * 9,
    "a number first": "1\n" + PARAGRAPH * 9,
    "numbered paragraphs": "".join(f"{n}\n{PARAGRAPH}\n" for n in range(1, 30)),
    "a brace first": "{ So it began.\n" + PARAGRAPH * 9,
    "a bracket first": "[Illustration]\n\n" + PARAGRAPH * 9,
    "a braced word": "{word}\n" * 9,
    "verse": "my brother walked the road, and sang\nand no one asked him, or his wife\n" * 40,
    "verse with a title": "Roses, red\n" + "and every line has one comma, as here\n" * 40,
    "verse in quotation marks": '"O come", he said, "away"\n"I may not", she said, "not today"\n'
    * 9,
    "dialogue a line": '"Where are you going?"\n"To the mill."\n' * 30,
    "chat": "Anna: hello, you\nTom: are you coming?\nAnna: yes; in ten minutes\n" * 30,
    "chat with dates": "[09/05/2023, 1:57:50 PM] Anna: are you coming?\n" * 50,
    "chat with dates, Android": "09/05/2023, 13:57 - Anna: are you coming?\n" * 50,
    "chat with nicknames": "<anna> are you coming?\n<b> yes\n<p> no\n<a> ok\n" * 30,
    "tokens": " the <unk> was N years old <eos>\n" * 60,
    "marked sentences": "<s> the cat sat on the mat </s>\n" * 60,
    "text8": "anarchism originated as a term of abuse " * 400,
    "a novel on HTML": f'He typed "<p>Hello</p>" and "<b>", then "<br>".\n\n{PARAGRAPH * 60}',
    "a novel with breaks": f"# 1\n\n{PARAGRAPH}\n***\n\n_So_ it *was*.\n\n---\n\n{PARAGRAPH}" * 9,
    "letters": f"From: Ida\nTo: Olaf\nSubject: geese\n\n{PARAGRAPH}> {PARAGRAPH}\n" * 9,
    "chat with brackets": "[18:10] <ida> hello\n[18:11] <olaf> yes\n" * 30,
    "a list": "- bread, milk\n- two loaves\n* rope\n1. lantern\n" * 9,
    "Python": "# A module\n\nimport os\n\n# the end\nprint(a < b, c > d, {'x': [1, 2]})\n\n" * 9,
    "C": '#include <stdio.h>\n\nint main(void) { printf("%d, %d\\n", 1, 2); return a < b; }\n' * 9,
    "a page written by a program": "s = '<div class=\"a\">' + name + '</div>'\n" * 40,
    "SQL": "SELECT name, age FROM people;\nSELECT town, street FROM houses;\n" * 20,
    "a timetable": "10:15 The ferry leaves.\n11:20 The ferry is back.\n" * 30,
    "an arrow": "00:01 --> go to the mill\n" * 30,
    "indented by tabs": f"\t{PARAGRAPH}" * 30,
    "chat with tabs": "Anna\tare you coming?\nTom\tyes in ten minutes\n" * 30,
    "a frequency list": "the\t120\nand\t99\nmill\t12\n" * 9,
    "bars": "The mill | the river | the road\n" * 9,
    "letters of a format": "ID3 tags, PAR1 and GGUF are names.\nMZ too, and BM.\n" * 9,
    "rtf in a sentence": "A file that begins with {\\rtf1 is one of a word processor.\n" * 9,
}


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", PLAIN_TEXTS)
def test_plain_text_is_left_alone(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, "text.txt", PLAIN_TEXTS[name])
    assert format_of(path) is FORMATS["plain"]


@pytest.mark.parametrize("name", ["prose", "verse", "chat", "text8"])
@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_plain_text_in_other_encodings_is_left_alone(
    name: str, encoding: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "text.txt", ("“Où ça?”\n" + PLAIN_TEXTS[name]).encode(encoding))
    assert format_of(path) is FORMATS["plain"]


SUBTITLES = "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:03,000 --> 00:00:04,000\nBye.\n"
TABLE = "id,author,text\n" + "".join(f'{n},Tom,"The ferry, he said, is late."\n' for n in range(9))
RECOGNISED = {
    "html": [
        "<!DOCTYPE html><title>x</title><p>Hello",
        "<html><body><p>Hello</p></body></html>",
        "<!-- saved --><?xml version='1.0'?>\n<html xmlns='x'><body><p>Hi</p></body></html>",
        '<p class="x">Hello.</p><br/>\n' * 5,
        "<p>First paragraph\n<p>Second paragraph\n<p>Third one\n",
        "A great film.<br /><br />I liked it.\n" * 20,
        f"{PARAGRAPH} It was <i>late</i>, and <i>dark</i>.\n\n" * 9,
    ],
    "srt": [SUBTITLES, "\ufeff" + SUBTITLES, "WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n"],
    "jsonl": [
        '{"text": "Hello there."}\n{"text": "Good bye."}\n',
        '[{"text": "Hello there."}, {"text": "Good bye."}]',
        '["Hello there.", "Good bye."]',
        '{\n  "messages": [\n    {"text": "Hello there."}\n  ]\n}\n',
        "[" + ", ".join(['{"text": "Hello there."}'] * 4000) + "]",
    ],
    "csv": [
        TABLE,
        TABLE.replace(",Tom,", ";Tom;").replace("id,author,", "id;author;"),
        "id\ttime\tmessage\n" + "1\t10:15\tthe ferry is late again\n" * 9,
        "7\teng\tThe ferry is late again.\n8\teng\tBring the lantern.\n" * 9,
    ],
    "markdown": [
        f"# The ferry\n\n{PARAGRAPH}\n## The mill\n\nSee [here](https://example.org/a) "
        f"and [there](b.md).\n\n{PARAGRAPH}"
    ],
}


@pytest.mark.parametrize("wanted, text", [(k, text) for k, v in RECOGNISED.items() for text in v])
def test_a_format_is_recognised_whatever_the_file_is_called(
    wanted: str, text: str, tmp_path: Path
) -> None:
    assert format_of(written(tmp_path, "text.txt", text)) is FORMATS[wanted]
    assert format_of(written(tmp_path, "t.gz", gzip.compress(text.encode()))) is FORMATS[wanted]


def test_a_suffix_decides_only_where_the_content_may_be_either(tmp_path: Path) -> None:
    lines = "the ferry, again\nthe mill, he said\nthe road, then\n"
    assert recognise(written(tmp_path, "a.csv", lines)) is FORMATS["csv"]
    assert recognise(written(tmp_path, "a.md", "# The mill\n\nIt was *late*.\n")).name == "Markdown"
    assert recognise(written(tmp_path, "b.md", PARAGRAPH * 9)) is FORMATS["plain"]
    assert recognise(written(tmp_path, "b.csv", PLAIN_TEXTS["chat"])) is FORMATS["plain"]
    assert recognise(written(tmp_path, "c.epub", PARAGRAPH * 9)) is FORMATS["plain"]
    assert {".txt", ".epub", ".srt"} <= set(SUFFIXES)


def zipped(folder: Path, name: str, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(folder / name, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def tar(folder: Path, name: str) -> Path:
    inner = written(folder, "inner.txt", PARAGRAPH)
    with tarfile.open(folder / name, "w:gz" if name.endswith("gz") else "w") as archive:
        archive.add(inner, "inner.txt")
    return folder / name


ODT = "application/vnd.oasis.opendocument.text"
REFUSED: list[tuple[str, str | bytes, list[str]]] = [
    ("my book.pdf", b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", ["PDF", "pdftotext '", "my book.txt'"]),
    ("b.rtf", "{\\rtf1\\ansi Hello}", ["RTF", "pandoc"]),
    ("b.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ["DOC", "libreoffice"]),
    ("b.mobi", b"A book".ljust(60, b"\0") + b"BOOKMOBI" + bytes(80), ["MOBI", "ebook-convert"]),
    ("b.parquet", b"PAR1\x15\x04" + bytes(60), ["Parquet", "pandas.read_parquet"]),
    ("b.txt.xz", b"\xfd7zXZ\0\0\x04", ["xz", "xz -dk"]),
    ("b.txt.bz2", b"BZh91AY&SY\0\0", ["bzip2", "bzip2 -dk"]),
    ("b.txt.zst", b"\x28\xb5\x2f\xfd\0\0", ["Zstandard", "zstd -d"]),
    ("b.png", b"\x89PNG\r\n\x1a\n\0\0", ["PNG", "image"]),
    ("b.mp3", b"ID3\x04\0\0\0", ["MP3", "sound"]),
    ("b.exe", b"MZ\x90\0\x03\0", ["Windows program", "program"]),
    ("b.pkl", pickle.dumps({"a": ["text"] * 3}), ["pickle", "Python"]),
    ("b.ipynb", '{"cells": [{"cell_type": "code"}], "nbformat": 4}', ["Jupyter", "nbconvert"]),
    (
        "b.fb2",
        "<?xml version='1.0'?>\n<FictionBook><body/></FictionBook>",
        ["FictionBook", "ebook"],
    ),
    ("b.xml", "<?xml version='1.0'?><a><b>Hello</b></a>", ["XML", "text.format=plain"]),
    ("b.tex", "% a paper\n\\documentclass{article}\n", ["LaTeX", "pandoc -f latex -t plain"]),
    ("b.lrc", "[ar:Nobody]\n" + "[00:12.50]La la\n" * 3, ["LRC", "sed", "text.format=plain"]),
    (
        "b.eml",
        "Received: from x\n by y\nSubject: hi\nMIME-Version: 1.0\n\n--x\n"
        "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n",
        ["e-mail", "save it as text", "text.format=plain"],
    ),
    ("b.ass", "[Script Info]\nTitle: x\n", ["ASS", "ffmpeg"]),
]


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
@pytest.mark.parametrize("renamed", [False, True])
def test_other_formats_are_refused_with_what_helps(
    row: tuple[str, str | bytes, list[str]], renamed: bool, tmp_path: Path
) -> None:
    name, content, expected = row
    path = written(tmp_path, "text.txt" if renamed and name != "my book.pdf" else name, content)
    message = refusal(path)
    assert all(word in message for word in expected), message


def refusal(path: Path) -> str:
    with pytest.raises(TextError) as raised:
        format_of(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: looks like ") and "\n" not in message
    assert "text.encoding" not in message
    return message


def test_archives_are_refused_by_what_they_hold(tmp_path: Path) -> None:
    assert "ODT, not text; convert it: pandoc" in refusal(
        zipped(tmp_path, "a.odt", {"mimetype": ODT})
    )
    assert "XLSX" in refusal(zipped(tmp_path, "a.xlsx", {"xl/workbook.xml": ""}))
    assert "PPTX" in refusal(zipped(tmp_path, "a.pptx", {"ppt/presentation.xml": ""}))
    assert "unzip" in refusal(zipped(tmp_path, "a.zip", {"a.txt": PARAGRAPH}))
    assert "tar -xf" in refusal(tar(tmp_path, "a.tar"))
    assert "tar -xzf" in refusal(tar(tmp_path, "a.tar.gz"))
    assert "gzip -dk" in refusal(written(tmp_path, "b.gz", gzip.compress(b"%PDF-1.7\n")))


def test_a_chosen_format_overrules_what_text_looks_like_but_not_what_is_binary(
    tmp_path: Path,
) -> None:
    xml = written(tmp_path, "a.xml", "<?xml version='1.0'?><a>Hello</a>")
    assert format_of(xml, chosen="plain") is FORMATS["plain"]
    assert format_of(written(tmp_path, "a", PARAGRAPH), chosen="html") is FORMATS["html"]
    pdf = written(tmp_path, "a.pdf", b"%PDF-1.7\n")
    with pytest.raises(TextError, match="pdftotext"):
        format_of(pdf, chosen="plain")
    book = zipped(tmp_path, "a.epub", {"mimetype": "application/epub+zip"})
    assert format_of(book, chosen="epub") is FORMATS["epub"]
    with pytest.raises(TextError, match=r"looks like EPUB, not CSV; leave out text\.format=csv"):
        format_of(book, chosen="csv")


def test_the_configuration_names_every_format() -> None:
    assert get_args(ConfiguredFormat) == ("auto", *FORMATS)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="cannot be read"):
        format_of(tmp_path / "none.txt")
