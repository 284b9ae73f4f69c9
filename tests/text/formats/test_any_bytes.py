"""Whatever bytes a file has, reading it gives text or a TextError of one line."""

import gzip
import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.errors import TextError
from nextword.text.formats import FORMATS, format_of

PIECES = (
    '{|}|[|]|"|:|,|;|\n|\n\n|\t|<p>|</p>|<br>|<!--|-->|<![CDATA[|]]>|<![if|&amp;|&#0;|<script>|'
    "</head>|<pre>|<rt>|1|00:00:01,000 --> 00:00:02,000|WEBVTT|# |```|**|---|[a](b)|text|the mill|"
    "\ud800|\0|\u2028|é|<?xml ?>|<!DOCTYPE |>|PK\x03\x04|%PDF-1|\x1f\x8b|{\\rtf"
).split("|")
CONTENT = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map(
    lambda pieces: "".join(pieces).encode("utf-8", "surrogatepass")
)
NAMES = st.sampled_from("a.txt a.csv a.md a.json a.epub a.docx a.srt a.html a.gz".split())
CHOSEN = st.sampled_from(["auto", *FORMATS])


@settings(max_examples=400, deadline=None)
@given(CONTENT | st.binary(max_size=200), NAMES, CHOSEN, st.sampled_from(["utf-8", "cp1252"]))
def test_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, chosen: str, encoding: str
) -> None:
    read(tmp_path_factory.mktemp("a") / name, content, chosen, encoding)


def read(path: Path, content: bytes, chosen: str, encoding: str) -> None:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    try:
        found = format_of(path, encoding, chosen)
        if found.open is not None:
            extract = found.open(path, encoding, None)
            assert extract.taken
            for paragraph in extract.paragraphs:
                assert "\n" not in paragraph and "\0" not in paragraph
                assert extract.as_lines or paragraph.strip() == paragraph != ""
                paragraph.encode()
    except TextError as error:
        assert "\n" not in str(error)


def test_damaged_archives(tmp_path: Path) -> None:
    draw = random.Random(1)
    text = b"<w:p xmlns:w='wordprocessingml'><w:r><w:t>It was late.</w:t></w:r></w:p>"
    package = (
        b"<package><manifest><item id='a' href='a.html' media-type='text/html'/></manifest>"
        b"<spine><itemref idref='a'/></spine></package>"
    )
    container = b"<container><rootfile full-path='p'/></container>"
    book = {"META-INF/container.xml": container, "p": package, "a.html": b"<p>It was late.</p>"}
    for seed in (zipped({"word/document.xml": text}), zipped(book)):
        for _ in range(150):
            content = bytearray(seed)
            for _ in range(draw.randint(1, 4)):
                content[draw.randrange(len(content))] = draw.randrange(256)
            end = draw.choice((None, None, len(seed) // 2))
            read(tmp_path / "a.zip", bytes(content[:end]), "auto", "utf-8")


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()
