"""Recognises a file's format by its content; the suffix counts only where that is ambiguous."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from nextword.errors import TextError
from nextword.text.formats.archive import opened_archive
from nextword.text.formats.docx import DOCUMENT, open_docx
from nextword.text.formats.epub import open_epub
from nextword.text.formats.extract import Format
from nextword.text.formats.foreign import (
    CALIBRE,
    OFFICE_SLIDES,
    OFFICE_TABLE,
    OFFICE_TEXT,
    PANDOC,
    binary_format,
    refused,
    text_format,
)
from nextword.text.formats.head import HEAD, decoded_head, read_head
from nextword.text.formats.html import open_html
from nextword.text.formats.json_text import looks_like_json, open_json
from nextword.text.formats.markdown import SUFFIXES as MARKDOWN_SUFFIXES
from nextword.text.formats.markdown import is_markdown, open_markdown
from nextword.text.formats.markup import is_html, xml_root
from nextword.text.formats.subtitles import is_subtitles, open_subtitles
from nextword.text.formats.table import is_table, open_table
from nextword.text.sources import display_name

PLAIN = Format("plain text")
FORMATS: Mapping[str, Format] = {
    "plain": PLAIN,
    "html": Format("HTML", open_html),
    "markdown": Format("Markdown", open_markdown),
    "srt": Format("SRT", open_subtitles),
    "jsonl": Format("JSON", open_json, columns=True),
    "csv": Format("CSV", open_table, columns=True),
    "epub": Format("EPUB", open_epub, binary=True),
    "docx": Format("DOCX", open_docx, binary=True),
}
"""The formats that are read, by the names that ``text.format`` has for them."""
_ODF = "application/vnd.oasis.opendocument."
_ARCHIVES = (
    # the beginning of the member "mimetype", or the name of another; the format; the command
    (_ODF + "text", "ODT", PANDOC),
    (_ODF + "spreadsheet", "ODS", OFFICE_TABLE),
    (_ODF + "presentation", "ODP", OFFICE_SLIDES),
    ("xl/workbook.xml", "XLSX", OFFICE_TABLE),
    ("ppt/presentation.xml", "PPTX", OFFICE_SLIDES),
    ("Index/Document.iwa", "Pages", "a document to export from Pages as text"),
    (".odt", "ODT", PANDOC),
)
_OTHER_XML = ("XML", "xmllint --xpath 'string(/)' {file} > {text}")
_XML: Mapping[str, tuple[str, str]] = {
    "fictionbook": ("FictionBook", CALIBRE),
    "svg": ("SVG", "an image"),
    "office:document": ("flat ODF", OFFICE_TEXT),
    "w:worddocument": ("Word XML", OFFICE_TEXT),
    "pkg:package": ("Word XML", OFFICE_TEXT),
}
_NOTEBOOK = "jupyter nbconvert --to markdown {file}"


def format_of(file: Path, encoding: str = "utf-8", chosen: str = "auto") -> Format:
    """The format to read a file as.

    Args:
        file: the file.
        encoding: of its characters, where it is text.
        chosen: ``auto``, or a name of :data:`FORMATS` that overrules the content of a text file.

    Raises:
        TextError: the file cannot be read, or is of a kind that is not; one line says what to do.
    """
    found = recognise(file, encoding)
    if chosen != "auto":
        wanted = FORMATS[chosen]
        if found.binary and wanted is not found and not found.refusal:
            raise TextError(
                f"{display_name(file)}: looks like {found.name}, not {wanted.name}; leave out "
                f"text.format={chosen}"
            )
        if not found.binary:
            return wanted
    if found.refusal:
        raise TextError(f"{display_name(file)}: {found.refusal}")
    return found


def recognise(file: Path, encoding: str = "utf-8") -> Format:
    """The format of a file, which may be one that is refused.

    Raises:
        TextError: the file cannot be read.
    """
    packed, head = read_head(file)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        found: Format | None = refused(file, "ZIP", "") if packed else _zip_format(file)
    else:
        found = binary_format(head, file)
    if packed and found is not None:
        archive = found.name == "tar"
        name = "tar" if archive else f"{found.name} packed by gzip"
        return refused(file, name, "tar -xzf {file}" if archive else "gzip -dk {file}")
    return found or _text_format(decoded_head(head, encoding), file, len(head) >= HEAD)


def _zip_format(file: Path) -> Format:
    """The format of a ZIP archive by its members, or by its suffix if it is damaged."""
    suffix = file.suffix.lower()
    try:
        with opened_archive(file, "ZIP") as archive:
            names = set(archive.names)
            kind = archive.read("mimetype").strip() if "mimetype" in names else b""
    except TextError:  # damaged; reading it says so
        names, kind = {suffix}, b""
    if kind == b"application/epub+zip" or names & {"META-INF/container.xml", ".epub"}:
        return FORMATS["epub"]
    if names & {".docx"} or any(map(DOCUMENT.fullmatch, names)):
        return FORMATS["docx"]
    for mark, name, remedy in _ARCHIVES:
        if (kind or b"-").decode("latin-1").startswith(mark) or mark in names:
            return refused(file, name, remedy)
    return refused(file, "ZIP", "unzip {file} -d {stem}")


def _text_format(text: str, file: Path, cut: bool) -> Format:
    """The format of a text file by its beginning, which may be ``cut`` at any character."""
    if "\0" in text:  # binary, or UTF-16 without a mark: decoding says so
        return PLAIN
    lines = text.split("\n")
    suffix = _suffix(file)
    if cut and len(lines) > 1:
        lines.pop()
        text = "\n".join(lines)
    if foreign := text_format(text, file):
        return foreign
    if is_subtitles(lines):
        return FORMATS["srt"]
    if text.lstrip()[:1] in ("{", "[") and (found := _json_format(text, lines, file, cut)):
        return found
    if suffix in MARKDOWN_SUFFIXES:
        return FORMATS["markdown"] if is_markdown(text, suffix) else PLAIN
    if is_html(text):
        return FORMATS["html"]
    if root := xml_root(text):
        return refused(file, *_XML.get(root, _OTHER_XML), binary=False)
    if is_table(lines, suffix):
        return FORMATS["csv"]
    return FORMATS["markdown"] if is_markdown(text, suffix) else PLAIN


def _json_format(text: str, lines: list[str], file: Path, cut: bool) -> Format | None:
    if re.search(r'"nbformat"|"cell_type"\s*:', text) and text.lstrip().startswith("{"):
        return refused(file, "Jupyter notebook", _NOTEBOOK, binary=False)
    is_json = _suffix(file) in (".json", ".jsonl", ".ndjson") or looks_like_json(text, lines, cut)
    return FORMATS["jsonl"] if is_json else None


def _suffix(file: Path) -> str:
    name = file.name.lower().removesuffix(".gz")
    return Path(name).suffix
