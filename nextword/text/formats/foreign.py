"""Recognises files that are not read, and names the command that makes text of each kind."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from nextword.text.formats.extract import Format
from nextword.text.sources import display_name

PANDOC = "pandoc -t plain {file} -o {text}"
CALIBRE = "ebook-convert {file} {text}"
OFFICE_TEXT = "libreoffice --headless --convert-to txt {file}"
OFFICE_TABLE = "libreoffice --headless --convert-to csv {file}"
OFFICE_SLIDES = "libreoffice --headless --convert-to pdf {file} && pdftotext {pdf} {text}"
PANDAS = 'python -c "import pandas; pandas.read_{kind}({file!r}).to_csv({csv!r}, index=False)"'

# the first bytes, the format's name, the command that converts; without one, the file's content;
# decoding refuses other binary files for their zero bytes
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"%!PS", "PostScript", "ps2ascii {file} {text}"),
    (b"AT&TFORM", "DjVu", "djvutxt {file} {text}"),
    (b"ITSF", "CHM", CALIBRE),
    (b"ITOLITLS", "LIT", CALIBRE),
    (b"CONT\x02\0", "KFX", CALIBRE),
    (b"\xeaDRMION", "KFX", "a book protected against copying"),
    (b"\xfd7zXZ\0", "xz", "xz -dk {file}"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "zstd -d {file}"),
    (b"\x04\x22\x4d\x18", "LZ4", "lz4 -d {file} {stem}"),
    (b"\x1f\x9d", "compress", "zcat {file} > {stem}"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", "7z x {file}"),
    (b"Rar!\x1a\x07", "RAR", "unrar x {file}"),
    (b"PAR1", "Parquet", PANDAS.replace("{kind}", "parquet")),
    (b"ARROW1", "Arrow", PANDAS.replace("{kind}", "feather")),
    (b"FEA1", "Feather", PANDAS.replace("{kind}", "feather")),
    (b"SQLite format 3\0", "SQLite", "sqlite3 -csv {file} 'select * from TABLE' > {csv}"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "an image"),
    (b"\xff\xd8\xff", "JPEG", "an image"),
    (b"GIF8", "GIF", "an image"),
    (b"II*\0", "TIFF", "an image"),
    (b"MM\0*", "TIFF", "an image"),
    (b"ID3", "MP3", "sound"),
    (b"OggS\0", "Ogg", "sound"),
    (b"fLaC\0", "FLAC", "sound"),
    (b"\x1a\x45\xdf\xa3", "Matroska", "a film"),
    (b"\x7fELF", "ELF", "a program"),
    (b"MZ", "Windows program", "a program"),
    (b"GGUF", "GGUF", "a model"),
)
_PATTERNS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), name, remedy)
    for pattern, name, remedy in (
        (rb"[\s\0]*(?:\xef\xbb\xbf)?%PDF-\d", "PDF", "pdftotext {file} {text}"),
        (rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)", "bzip2", "bzip2 -dk {file}"),
        (rb".{60}(?:BOOKMOBI|TEXtREAd)", "MOBI", CALIBRE),
        (rb".{257}ustar", "tar", "tar -xf {file}"),
        (rb"RIFF.{4}WEBP", "WebP", "an image"),
        (rb"RIFF.{4}WAVE", "WAV", "sound"),
        (rb"RIFF.{4}AVI ", "AVI", "a film"),
        (rb"FORM.{4}AIF[FC]", "AIFF", "sound"),
        (rb".{4}ftyp(?:heic|heix|mif1|avif)", "HEIF", "an image"),
        (rb".{4}ftyp", "MP4", "sound or a film"),
        (rb"BM.{4}\0{4}", "BMP", "an image"),
        (rb"\xff[\xfb\xf3\xf2][^\xff].*\0", "MP3", "sound"),
        (rb"\x80[\x02-\x05][\x95(}\]cX)].*[.\0]", "pickle", "Python objects"),
        (rb'.{2,7}\0\{"', "safetensors", "a model"),
    )
)
_UNPACKERS = frozenset("7z bzip2 gzip lz4 tar unrar unzip xz zcat zstd".split())
_TEXT_PATTERNS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), name, remedy)
    for pattern, name, remedy in (
        (r"\{\\rtf", "RTF", PANDOC),
        (r"\s*\[Script Info\]", "ASS", "ffmpeg -i {file} {srt}"),
        (r"(?:\s*(?:%.*)?\n)*\s*\\documentclass\b", "LaTeX", "pandoc -f latex " + PANDOC[7:]),
        (
            r"(?:\[[a-z]+:.*\]\s*\n)*(?:(?:\[\d+:\d\d\.\d{2,3}\])+.*\n\s*){3}",
            "LRC",
            r"sed 's/\[[^]]*\]//g' {file} > {text}",
        ),
        (
            r"(?:From .*\n)?(?:[A-Za-z-]+:.*\n(?:[ \t].*\n)*){3}(?s:.*?)"
            r"\nContent-Transfer-Encoding: *(?:quoted-printable|base64)",
            "e-mail",
            "coded for transport; save it as text in a mail program",
        ),
    )
)
_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def binary_format(head: bytes, file: Path) -> Format | None:
    """The kind of a file that is certainly no text, by its first bytes; None for others."""
    if head.startswith(_OFFICE):
        return _office(file)
    for magic, name, remedy in _MAGIC:
        # letters alone may begin a text as well
        if head.startswith(magic) and (b"\0" in head or magic == b"%!PS" or not magic.isascii()):
            return refused(file, name, remedy)
    for pattern, name, remedy in _PATTERNS:
        if pattern.match(head):
            return refused(file, name, remedy)
    return None


def text_format(text: str, file: Path) -> Format | None:
    """The kind of a text with marks or codes that are not read; None for others."""
    for pattern, name, remedy in _TEXT_PATTERNS:
        if pattern.match(text):
            return refused(file, name, remedy, binary=False)
    return None


def _office(file: Path) -> Format:
    suffix = file.suffix.lower()
    if suffix in (".docx", ".xlsx", ".pptx"):
        return refused(file, f"encrypted {suffix[1:].upper()}", "a document with a password")
    if suffix in (".xls", ".ppt"):
        remedy = OFFICE_TABLE if suffix == ".xls" else OFFICE_SLIDES
        return refused(file, suffix[1:].upper(), remedy)
    return refused(file, "DOC", OFFICE_TEXT)


def refused(file: Path, name: str, remedy: str, binary: bool = True) -> Format:
    """A format that is not read.

    Args:
        file: the file, for the command.
        name: the format, for the message.
        remedy: the command that converts or unpacks, with ``{file}`` and the like, or a few words
            on the file's content where no command helps.
        binary: as in :class:`~nextword.text.formats.extract.Format`.
    """
    overrule = "" if binary else ", or read it as it is: --set text.format=plain"
    if "{file" not in remedy:
        refusal = f"looks like {name} ({remedy}), not text{overrule}"
        return Format(name, refusal=refusal, binary=binary)
    path = file if display_name(file) == str(file) else Path("FILE")  # not a temporary copy
    stem = path.with_suffix("") if path.suffix else path.with_suffix(".unpacked")
    names = {"file": str(path), "stem": str(stem)}
    names |= {kind: str(path.with_suffix(f".{kind}")) for kind in ("csv", "pdf", "srt")}
    names["text"] = str(path.with_suffix(".plain.txt" if path.suffix == ".txt" else ".txt"))
    if "!r}" not in remedy:  # those stand in a program
        names = {kind: shlex.quote(value) for kind, value in names.items()}
    command = remedy.format(**names).encode("utf-8", "replace").decode()
    verb = "unpack" if command.split()[0] in _UNPACKERS else "convert"
    refusal = f"looks like {name}, not text; {verb} it: {command}{overrule}"
    return Format(name, refusal=refusal, binary=binary)
