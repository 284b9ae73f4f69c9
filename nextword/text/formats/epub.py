"""EPUB: the sections of the book in reading order, without cover and table of contents."""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from nextword.errors import TextError
from nextword.formatting import counted
from nextword.text.encodings import marked_encoding
from nextword.text.formats.archive import Archive, local_name, opened_archive, xml_parser
from nextword.text.formats.extract import Extract
from nextword.text.formats.html import html_paragraphs

_NO_TEXT = re.compile(r"(?:cover|toc|nav|contents|tableofcontents)[-_]?(?:page)?\d*", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""\A\s*<\?xml[^>]*encoding\s*=\s*["']([\w.-]+)""")


@dataclass
class _Package:
    """The package document, with paths as it writes them."""

    items: dict[str, dict[str, str]] = field(default_factory=dict)
    spine: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)


def open_epub(file: Path, encoding: str, column: str | None) -> Extract:
    """The text of an EPUB; it declares its encoding itself.

    Raises:
        TextError: the file is damaged, encrypted or has no text.
    """
    with opened_archive(file, "EPUB") as archive:
        sections = _sections(archive)
        if not sections:
            raise TextError("lists no section of text")
        encrypted = _encrypted(archive)
        if encrypted.intersection(sections):
            raise TextError("is protected against copying; only a copy without protection is read")
    return Extract(f"EPUB, {counted(len(sections), 'section')}", _paragraphs(file, sections))


def _paragraphs(file: Path, sections: list[str]) -> Iterator[str]:
    with opened_archive(file, "EPUB") as archive:
        for section in sections:
            yield from html_paragraphs(_decoded(archive.read(section)).split("\n"))


def _decoded(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig")
    declared = _XML_ENCODING.match(content)
    return content.decode(
        marked_encoding(content) or (declared[1].decode() if declared else "utf-8")
    )


def _sections(archive: Archive) -> list[str]:
    """Names of the members that hold the text, in reading order, each once."""
    package_path = _package_path(archive)
    package = _package(archive.read(package_path))
    base = posixpath.dirname(package_path)
    sections = []
    for key in package.spine:
        item = package.items.get(key)
        if item is None or "html" not in item.get("media-type", ""):
            continue
        href = item.get("href", "")
        stem = posixpath.splitext(posixpath.basename(href))[0]
        is_listing = "nav" in item.get("properties", "").split() or href in package.left_out
        if not (is_listing or _NO_TEXT.fullmatch(stem) or _NO_TEXT.fullmatch(key)):
            path = posixpath.join(base, unquote(href.partition("#")[0]))
            sections.append(posixpath.normpath(path))
    return list(dict.fromkeys(sections))


def _package_path(archive: Archive) -> str:
    paths = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "rootfile" and "full-path" in attributes:
            paths.append(attributes["full-path"])

    parser = xml_parser()
    parser.StartElementHandler = start
    parser.Parse(archive.read("META-INF/container.xml"), True)
    if not paths:
        raise TextError("names no package document")
    return paths[0]


def _package(content: bytes) -> _Package:
    package = _Package()

    def start(name: str, attributes: dict[str, str]) -> None:
        kind = local_name(name)
        if kind == "item":
            package.items[attributes.get("id", "")] = attributes
        elif kind == "itemref" and attributes.get("linear") != "no":
            package.spine.append(attributes.get("idref", ""))
        elif kind == "reference" and attributes.get("type", "").lower() in ("cover", "toc"):
            package.left_out.add(attributes.get("href", "").partition("#")[0])

    parser = xml_parser()
    parser.StartElementHandler = start
    parser.Parse(content, True)
    return package


def _encrypted(archive: Archive) -> set[str]:
    """Members that cannot be read; often these are fonts alone, which do not matter."""
    members: set[str] = set()

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "CipherReference":
            members.add(unquote(attributes.get("URI", "")))

    if "META-INF/encryption.xml" in archive.names:
        parser = xml_parser()
        parser.StartElementHandler = start
        parser.Parse(archive.read("META-INF/encryption.xml"), True)
    return members
