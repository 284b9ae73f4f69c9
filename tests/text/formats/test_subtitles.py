"""Subtitles as what is said."""

from pathlib import Path

import pytest

from nextword.errors import TextError
from nextword.text.formats import FORMATS, Extract


def extract(folder: Path, content: str) -> Extract:
    path = folder / "text"
    path.write_text(content, encoding="utf-8")
    opened = FORMATS["srt"].open
    assert opened is not None
    return opened(path, "utf-8", None)


def cue(number: int, text: str) -> str:
    return f"{number}\n00:00:{number:02},000 --> 00:00:{number:02},900 X1:0\n{text}\n\n"


def test_numbers_times_and_tags_go_and_sentences_are_joined(tmp_path: Path) -> None:
    said = [
        "<i>It was late,</i>\nand the ferry",
        '{\\an8}<font color="#ffff00">slept</font> on.',
        "- Are you coming?\n- In ten minutes.",
        "1984\n\nwas a year &amp; a book.",
        "[music]",
        "so i <3 it",
        "I know",
        "Tom.",
    ]
    found = extract(tmp_path, "\n" + "".join(cue(n, text) for n, text in enumerate(said, 1)))
    assert found.taken == "SRT, 8 subtitles"
    assert list(found.paragraphs) == [
        "It was late, and the ferry slept on.",
        "Are you coming?",
        "In ten minutes.",
        "1984 was a year & a book.",
        "[music]",
        "so i <3 it",
        "I know",
        "Tom.",
    ]


def test_blank_lines_between_cues_may_be_missing(tmp_path: Path) -> None:
    content = "".join(cue(n, f"Line {n}.\n{n}").replace("\n\n", "\n") for n in range(1, 4))
    assert list(extract(tmp_path, content).paragraphs) == ["Line 1. 1", "Line 2. 2", "Line 3. 3"]


def test_webvtt(tmp_path: Path) -> None:
    content = (
        "WEBVTT - A film\nKind: captions\n\nSTYLE\n::cue {}\n\nNOTE\nnot said\n\n"
        "first\n00:01.000 --> 00:02.000 align:start\n<v Anna>It was <00:01.500><c>late</c>\n\n"
        "00:02.000 --> 00:03.000\nIt was late\nand dark. &lt;so&gt;\n\nNOTE not said\n\n"
        "1:00:03.000 --> 1:00:04.000\nand dark. <so>\nBye.\n"
    )
    found = extract(tmp_path, content)
    assert found.taken == "WebVTT, 3 subtitles"
    assert list(found.paragraphs) == ["It was late and dark. <so>", "Bye."]


def test_sentences_without_an_end_are_not_joined_without_limit(tmp_path: Path) -> None:
    content = "".join(cue(n % 60, "and so on and on") for n in range(1, 1000))
    assert max(map(len, extract(tmp_path, content).paragraphs)) < 2100


def test_a_file_without_times(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="no subtitle with a time"):
        extract(tmp_path, "It was late.\n")
