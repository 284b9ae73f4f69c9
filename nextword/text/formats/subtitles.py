"""SubRip (SRT) and WebVTT: the speech, without numbers, times and tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from nextword.errors import TextError
from nextword.formatting import counted
from nextword.text.decoding import plain_lines
from nextword.text.formats.extract import Extract, without_controls
from nextword.text.sources import display_name

_TIME = r"(?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}"
_TIMING = re.compile(rf"\s*{_TIME}\s*--+>\s*{_TIME}")
_TAG = re.compile(
    r"</?(?:i|b|u|s|c|v|font|lang|ruby|rt)(?:[.\s][^<>]*)?>|<[\d:.]+>|\{\\[^{}]*\}", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:(amp)|(lt)|(gt)|nbsp|lrm|rlm);")
_DASH = re.compile(r"[-–—‐]\s*(?=[^\W_]|[\"“'‘¿¡(\[])")
_SENTENCE_END = re.compile(r"[.!?…。！？♪\])][\"'”’»]*\Z")
_LONGEST = 2000
"""Characters that cues are joined to."""


def is_subtitles(lines: Iterable[str]) -> bool:
    """Whether lines begin as SRT or WebVTT does: with a number and a timing, or a title."""
    filled = [line.strip() for line in lines if line.strip()][:3]
    if not filled:
        return False
    if re.match(r"WEBVTT(?:\s|\Z)", filled[0]):
        return len(filled) == 1 or any(map(_TIMING.match, lines))
    numbered = len(filled) > 1 and filled[0].isdecimal() and _TIMING.match(filled[1])
    return bool(numbered or _TIMING.match(filled[0]))


def open_subtitles(file: Path, encoding: str, column: str | None) -> Extract:
    """The text of a subtitle file.

    A cue's lines are joined; a line that begins with a dash is another speaker's. A cue that ends
    amid a sentence is joined to the next if that goes on in lower case.

    Raises:
        TextError: the file has no subtitles.
    """
    lines = [line.strip() for line in plain_lines(file, encoding)]
    web = next(filter(None, lines), "").startswith("WEBVTT")
    cues = _cues(lines, web)
    if not cues:
        raise TextError(f"{display_name(file)}: no subtitle with a time was found in it")
    name = "WebVTT" if web else "SRT"
    return Extract(f"{name}, {counted(len(cues), 'subtitle')}", _joined(_utterances(cues, web)))


def _cues(lines: list[str], web: bool) -> list[list[str]]:
    """The lines of each cue, also blank ones."""
    timings = [place for place, line in enumerate(lines) if _TIMING.match(line)]
    cues: list[list[str]] = []
    for start, end in pairwise([*timings, len(lines) + 1]):
        cue = lines[start + 1 : end]
        if web:  # comments and names of cues follow a blank line
            cue = cue[: cue.index("")] if "" in cue else cue
        elif end < len(lines) and cue and cue[-1].isdecimal():
            # the next one's number; a blank line before it may be missing
            if cue[-2:-1] in ([], [""]) or cue[-1] == str(len(cues) + 2):
                cue.pop()
        cues.append(cue)
    return cues


def _utterances(cues: Iterable[list[str]], web: bool) -> Iterator[str]:
    """The speech of each speaker in each cue."""
    last = ""
    for cue in cues:
        spoken: list[list[str]] = []
        for line in map(_plain, cue):
            if not line or (web and line == last and not spoken):
                continue  # captions that roll repeat the line above
            if spoken and not _DASH.match(line):
                spoken[-1].append(line)
            else:
                spoken.append([_DASH.sub("", line, count=1) if _DASH.match(line) else line])
        last = next((line for line in map(_plain, reversed(cue)) if line), last)
        yield from map(" ".join, spoken)


def _plain(line: str) -> str:
    text = _ENTITY.sub(_character, _TAG.sub("", line))
    return " ".join(without_controls(text).split())


def _character(entity: re.Match[str]) -> str:
    return "&" if entity[1] else "<" if entity[2] else ">" if entity[3] else " "


def _joined(utterances: Iterable[str]) -> Iterator[str]:
    pending = ""
    for utterance in utterances:
        unfinished = pending and not _SENTENCE_END.search(pending)
        if unfinished and utterance[0].islower() and len(pending) < _LONGEST:
            pending += f" {utterance}"
            continue
        if pending:
            yield pending
        pending = utterance
    if pending:
        yield pending
