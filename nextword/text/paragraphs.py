"""Makes paragraphs of lines: joins lines that a margin wrapped, cuts text that nothing divides.

Lines come with their ends; a line without one is a piece, and the next piece continues it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nextword.text.detokenizer import Kind
from nextword.text.division import Division, split_indent
from nextword.text.scripts import UNSPACED_LETTERS, is_unspaced

LONGEST_PARAGRAPH = 12_000
"""Characters; longer paragraphs are cut into blocks after sentences."""
BLOCK_WORDS = 100
"""Words after which a block may end."""
SHORTEST_UNDIVIDED = 900
"""Characters; longer paragraphs of a text without any division are cut."""
_LOOK_AHEAD = 2_000
"""Characters that must follow a place before it is chosen as the end of a block."""
_SMALLEST_REST = 300
"""Characters; a shorter end of a paragraph stays with the block before it."""
_DASH_AT_END = re.compile(r"\S(?:--|[—―])\Z|[^\W\d_][-‐]\Z")
_SUSPENDED = re.compile(r"(?:and|or|to)\b")
_WORDS = {
    "words": re.compile(rf"[{UNSPACED_LETTERS}]|[^\s{UNSPACED_LETTERS}]+"),
    "whitespace": re.compile(r"\S+"),
}
_SENTENCE_END = r"""[.!?…؟۔।።։。！？]["'”’»)\]」』]*"""
_SENTENCE_ENDS = {
    "words": re.compile(rf"{_SENTENCE_END}(?:\s+|(?<=[。！？」』]))"),
    "whitespace": re.compile(rf"{_SENTENCE_END}\s+"),
}


class Cutter:
    """Cuts paragraphs that are too long into blocks, without ever holding a whole one.

    Args:
        kind: the tokenizer's; a block never ends within one of its words.
        longest: characters up to which a paragraph stays whole.
    """

    def __init__(self, kind: Kind, longest: int) -> None:
        self._word, self._sentence_end = _WORDS[kind], _SENTENCE_ENDS[kind]
        self._longest = longest
        self.cut = 0
        """Number of paragraphs that were cut so far."""

    def blocks(self, pieces: Iterable[str | None]) -> Iterator[str]:
        """Paragraphs, or blocks of them, from their pieces; None ends a paragraph."""
        waiting: list[str] = []
        size, enough, cut = 0, self._longest, False
        for piece in pieces:
            if piece is not None:
                waiting.append(piece)
                size += len(piece)
                if size <= enough + _LOOK_AHEAD:
                    continue
            text = "".join(waiting)
            if cut or size > self._longest:
                *blocks, text = self._cut(text, complete=piece is None)
                yield from blocks
                self.cut += bool(blocks) and not cut
                cut = cut or bool(blocks)
            if piece is not None:
                # a rest without an end is looked at again once it has doubled: linear time
                waiting, size = [text], len(text)
                enough = max(2 * size, self._longest)
                continue
            if text := text.strip():
                yield text
            waiting, size, enough, cut = [], 0, self._longest, False

    def _cut(self, text: str, complete: bool) -> list[str]:
        """Blocks of about 100 words and, last, the rest of the text.

        Args:
            text: the beginning of a paragraph, or its continuation.
            complete: whether the paragraph ends with it.
        """
        blocks: list[str] = []
        start = words = 0
        last = len(text) - (_SMALLEST_REST if complete else _LOOK_AHEAD)
        for word in self._word.finditer(text):
            if word.end() > last:
                break
            if word.start() < start:
                continue
            words += 1
            if words >= BLOCK_WORDS:
                end = self._end_of_block(text, word.end())
                blocks.append(text[start:end].strip())
                start, words = end, 0
        return [*blocks, text[start:]]

    def _end_of_block(self, text: str, first: int) -> int:
        """The end of the sentence at ``first``; ``first`` itself where none ends soon."""
        last = min(first + _LOOK_AHEAD // 2, len(text))
        ends = [
            match
            for match in self._sentence_end.finditer(text, max(first - 4, 0), last)
            if match.end() >= first
        ]
        for match in ends:
            # after an abbreviation the sentence goes on in lower case
            abbreviated = text[match.end() : match.end() + 1].islower()
            if not abbreviated or text[match.start() - 1].isspace():
                return match.end()
        return ends[0].end() if ends else first


def cutter_of(division: Division, kind: Kind, few_files: bool) -> Cutter:
    """The cutter for a file; an undivided text is cut unless it is one of many files."""
    whole = division.divided or not few_files
    return Cutter(kind, LONGEST_PARAGRAPH if whole else SHORTEST_UNDIVIDED)


def paragraph_pieces(lines: Iterable[str], division: Division) -> Iterator[str | None]:
    """The paragraphs' text in pieces with the spaces between them; None ends a paragraph."""
    last = ""
    open_line = False
    for line in lines:
        if open_line:
            # spaces are kept inside a line that is longer than a piece
            text = line.rstrip("\n")
            yield text
        else:
            indent, text = split_indent(line)
            if last and (not text or _begins(division, indent, last)):
                yield None
                last = ""
            if text:
                yield f" {text}" if last and not _sticks(last, text) else text
                if line[-1].isspace() and not line.endswith("\n"):
                    yield " "
        last = text.strip() or last
        open_line = not line.endswith("\n") and (open_line or bool(text))
    if last:
        yield None


def line_pieces(lines: Iterable[str]) -> Iterator[str | None]:
    """Pieces as of :func:`paragraph_pieces` for tokenized text, where every line is a paragraph."""
    for line in lines:
        yield line.rstrip("\n")
        if line.endswith("\n"):
            yield None
    yield None


def _begins(division: Division, indent: int, last: str) -> bool:
    """Whether a line that follows another one begins a paragraph."""
    if last[-1] == "\u00ad":  # a word is hyphenated there
        return False
    if division.mode == "indents":
        return (indent > division.base_indent) != division.hanging
    return division.mode == "lines"


def _sticks(last: str, line: str) -> bool:
    """Whether a wrapped line continues without a space: Han, kana, after a dash or hyphen."""
    if is_unspaced(last[-1]) and is_unspaced(line[0]):
        return True
    if last[-1] == "\u00ad":
        return True
    return (
        last[-1] in "-‐—―"
        and _DASH_AT_END.search(last, max(0, len(last) - 3)) is not None
        and not (last[-2:] != "--" and _SUSPENDED.match(line))
    )
