"""EPUB and DOCX as their running text, also damaged, encrypted and malicious ones."""

import zipfile
from pathlib import Path

import pytest

from nextword.errors import TextError
from nextword.text.formats import Extract, format_of
from nextword.text.formats.archive import Archive

CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
PACKAGE = """<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf">
<manifest>
<item id="c" href="cover.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="n.xhtml" media-type="application/xhtml+xml" properties="nav scripted"/>
<item id="list" href="list.xhtml" media-type="application/xhtml+xml"/>
<item id="b" href="text/two.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/the%20first.xhtml" media-type="application/xhtml+xml"/>
<item id="p" href="a.png" media-type="image/png"/>
<item id="x" href="notes.xhtml" media-type="application/xhtml+xml"/>
</manifest>
<spine><itemref idref="c"/><itemref idref="n"/><itemref idref="list"/><itemref idref="a"/>
<itemref idref="b"/><itemref idref="p"/><itemref idref="gone"/>
<itemref idref="x" linear="no"/></spine>
<guide><reference type="toc" href="list.xhtml#here"/></guide>
</package>"""
NOT_READ = "<html><body><p>Not read.</p></body></html>"
SECTION = "<?xml version='1.0' encoding='{0}'?><html><head><title>x</title></head><body>{1}</body>"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def epub_members() -> dict[str, bytes]:
    first, second = "<h1>I</h1><p>Où ça&nbsp;?</p>", "<p>The <i>mill</i><br/>slept.</p>"
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": PACKAGE,
        **{f"OPS/{name}.xhtml": NOT_READ for name in ("cover", "n", "list", "notes")},
    }
    sections = {
        "OPS/text/two.xhtml": SECTION.format("utf-8", second).encode(),
        "OPS/text/the first.xhtml": SECTION.format("iso-8859-1", first).encode("latin-1"),
    }
    return {**{name: text.encode() for name, text in members.items()}, **sections}


def docx_members(body: str, prologue: str = "") -> dict[str, bytes]:
    text = (
        f'{prologue}<w:document xmlns:w="{WORD}" xmlns:o="o"><w:body>{body}</w:body></w:document>'
    )
    return {"[Content_Types].xml": b"<Types/>", "word/document.xml": text.encode()}


def zipped(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "book"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def extract(path: Path) -> Extract:
    opened = format_of(path).open
    assert opened is not None
    return opened(path, "utf-8", None)


def refusal(path: Path) -> str:
    with pytest.raises(TextError) as raised:
        list(extract(path).paragraphs)
    message = str(raised.value)
    assert message.startswith(f"{path}: the ") and "\n" not in message
    return message


def test_epub_sections_are_read_in_the_order_of_the_book(tmp_path: Path) -> None:
    found = extract(zipped(tmp_path, epub_members()))
    assert found.taken == "EPUB, 2 sections"
    assert list(found.paragraphs) == ["I", "Où ça\xa0?", "The mill slept."]


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("META-INF/container.xml", b"<container/>", "names no package"),
        ("META-INF/container.xml", b"<container", "damaged or cut short"),
        ("OPS/book.opf", None, "lacks its part 'OPS/book.opf'"),
        ("OPS/book.opf", b"<package/>", "no section of text"),
        ("OPS/book.opf", b"<?xml version='1.0' encoding='base64'?><package/>", "damaged"),
        ("OPS/text/two.xhtml", None, "lacks its part 'OPS/text/two.xhtml'"),
        ("OPS/text/two.xhtml", b"<p>\xff</p>", "damaged"),
        ("OPS/text/two.xhtml", b"<?xml version='1' encoding='nonsense'?><p/>", "damaged"),
        (
            "META-INF/encryption.xml",
            b"<e><CipherReference URI='OPS/text/the%20first.xhtml'/></e>",
            "protected against copying",
        ),
    ],
)
def test_an_epub_that_cannot_be_read(
    name: str, content: bytes | None, expected: str, tmp_path: Path
) -> None:
    members = epub_members()
    if content is None:
        del members[name]
    else:
        members[name] = content
    assert expected in refusal(zipped(tmp_path, members))


def test_encrypted_fonts_do_not_matter(tmp_path: Path) -> None:
    listing = b"<e><CipherReference URI='OPS/font.otf'/></e>"
    path = zipped(tmp_path, {**epub_members(), "META-INF/encryption.xml": listing})
    assert len(list(extract(path).paragraphs)) == 3


def run(text: str) -> str:
    return f"<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>"


def test_docx_paragraphs_without_what_was_deleted(tmp_path: Path) -> None:
    box = f"<w:r><o:box><w:p>{run('A box.')}</w:p></o:box></w:r>"
    old = f"<o:Fallback><w:p>{run('A box.')}</w:p></o:Fallback>"
    body = [
        f"<w:pPr><w:tabs><w:tab/></w:tabs></w:pPr>{run('It ')}{run('was')}<w:r><w:tab/></w:r>"
        f"{run('late')}<w:r><w:br/></w:r>{run('&amp; so.')}",
        f"{run('One')}<w:del>{run(' no')}<w:r><w:delText>no</w:delText></w:r></w:del>"
        f"<w:ins>{run(' two')}</w:ins>"
        "<w:r><w:footnoteReference/><w:instrText>PAGE</w:instrText></w:r>",
        f"<w:moveFrom>{run('no')}</w:moveFrom>",
        run("twenty") + "<w:r><w:noBreakHyphen/></w:r>" + run("one"),
        f"{run('Before, ')}{box}{old}{run('after.')}",
    ]
    cells = f"<w:tbl><w:tr><w:tc><w:p>{run('A cell.')}</w:p></w:tc></w:tr></w:tbl>"
    text = "".join(f"<w:p>{content}</w:p>\n" for content in body) + cells
    found = extract(zipped(tmp_path, docx_members(text)))
    assert found.taken == "DOCX"
    assert list(found.paragraphs) == [
        "It was late & so.",
        "One two",
        "twenty-one",
        "A box.",
        "Before, after.",
        "A cell.",
    ]


def test_entities_of_the_documents_own_are_refused(tmp_path: Path) -> None:
    bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"
    path = zipped(tmp_path, docx_members(f"<w:p>{run('&b;')}</w:p>", bomb))
    assert "XML entity of its own ('a')" in refusal(path)
    outside = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
    path = zipped(tmp_path, docx_members(f"<w:p>{run('&a;')}</w:p>", outside))
    assert "XML entity of its own ('a')" in refusal(path)


def test_what_unpacks_to_far_more_than_a_text_would_is_not_read(tmp_path: Path) -> None:
    path = zipped(tmp_path, docx_members(" " * 20_000_000))
    assert "unpacks to far more than a text would" in refusal(path)


def test_a_repetitive_text_is_read(tmp_path: Path) -> None:
    body = f"<w:p>{run('It was late again.')}</w:p>" * 9000
    assert len(list(extract(zipped(tmp_path, docx_members(body))).paragraphs)) == 9000


def test_a_damaged_archive(tmp_path: Path) -> None:
    path = zipped(tmp_path, docx_members(f"<w:p>{run('It was late.')}</w:p>" * 900))
    sound = path.read_bytes()
    path.write_bytes(sound[:200] + bytes(20) + sound[220:])
    assert "damaged or cut short" in refusal(path)
    cut = path.with_suffix(".docx")
    cut.write_bytes(sound[:300])
    assert "damaged or cut short" in refusal(cut)
    encrypted = path.with_suffix(".x")
    content = bytearray(sound)
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.rindex(mark) + offset] |= 1
    encrypted.write_bytes(content)
    assert "is encrypted" in refusal(encrypted)


def test_a_member_is_limited_in_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextword.text.formats.archive._MOST_BYTES", 1000)
    with zipfile.ZipFile(zipped(tmp_path, {"a": b"ab" * 501})) as file:
        with pytest.raises(TextError, match="unpacks to far more"):
            Archive(file).read("a")
