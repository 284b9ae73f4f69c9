"""Files of the formats that are read besides plain text, to start fuzzing from."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from pathlib import Path

from nextword.text.formats import FORMATS, format_of

_TEXTS = (
    "<!DOCTYPE html><title>x</title><p>It was <i>late</i>.<br><br>So &amp; so.<pre>a\n\nb</pre>",
    "<p>one<ruby>a<rt>b</ruby></p><![CDATA[<c>]]><!-- no --><p>two<p>three",
    "1\n00:00:01,000 --> 00:00:02,000\n<i>It was</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nlate.\n",
    "WEBVTT\n\nNOTE no\n\n00:01.000 --> 00:02.000\n<v Anna>It was late.\n",
    '{"id": 1, "text": "It was late."}\n{"id": 2, "text": "So \\ud83d it was."}\n',
    '[{"a": {"text": "It was late."}}, ["It was so late."]]',
    'id,who,text\n1,Tom,"It was, ""late""\nagain."\n2,Anna,So it was.\n3,Tom,Is it late?\n',
    "---\na: b\n---\n# The mill\n\nIt was *late*, [see](a.md).\n\n```\nno\n```\n\n| a |\n|---|\n",
)
_CONTAINER = b"<container><rootfile full-path='p.opf'/></container>"
_PACKAGE = (
    b"<package><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/>"
    b"</manifest><spine><itemref idref='a'/></spine></package>"
)
_DOCUMENT = (
    b"<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><w:p>"
    b"<w:r><w:t>It was</w:t><w:tab/></w:r><w:del><w:r><w:t>no</w:t></w:r></w:del></w:p>"
    b"</w:document>"
)


def format_seeds() -> list[bytes]:
    """Valid files, one or more of each format."""
    texts = [text.encode() for text in _TEXTS]
    epub = {"META-INF/container.xml": _CONTAINER, "p.opf": _PACKAGE, "a.xhtml": texts[0]}
    archives = [
        _zipped(members, packing)
        for members in (epub, {"word/document.xml": _DOCUMENT})
        for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    ]
    return [*texts, *archives, gzip.compress(texts[0], mtime=0)]


def _zipped(members: dict[str, bytes], packing: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def read_format(path: Path, content: bytes, draw: random.Random) -> int:
    """Write a file and read it as what it seems to be, or as some format; count the paragraphs."""
    path.write_bytes(content)
    chosen = draw.choice(("auto", "auto", *FORMATS))
    encoding = draw.choice(("utf-8", "utf-8", "cp1252", "utf-16"))
    found = format_of(path, encoding, chosen)
    if found.open is None:
        return 0
    column = draw.choice((None, None, "text", "2"))
    return sum(1 for _ in found.open(path, encoding, column).paragraphs)
