"""Finds out how a text marks its paragraphs, from the shape of its first lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from nextword.text.normalize import INVISIBLE
from nextword.text.scripts import is_unspaced

Mode = Literal["blank_lines", "lines", "indents"]
Setting = Literal["auto", Mode]
HEAD = 1 << 18
"""Characters that decide about a file."""
MODE_NAMES: dict[Mode, str] = {
    "blank_lines": "separated by blank lines",
    "lines": "one per line",
    "indents": "each begins with an indented line",
}
"""The modes in words."""
_HANGING = "begun by a line that is less indented"
_LONGEST_WRAPPED = 200
"""Characters; no margin is wider."""
_LONG_SHARE = 0.3
_NARROWEST_MARGIN = 40
_FEWEST_LINES = 20
_FEWEST_INDENTS = 3
_LINES_A_GROUP = 8
"""Unwrapped lines between two blank lines, up to which they are one paragraph."""
_LINES_DOUBLE_SPACED = 1.2
"""Lines between two blank lines, up to which every line may be followed by a blank one."""
_UNDIVIDED_GROUP = 5_000
"""Characters between blank lines, above which a few of these divide nothing."""
_FEWEST_GROUPS = 20
_SLACK = 0.9
"""A line this full of its margin counts as filled: people wrap by hand, too."""
_LEAST_FILLED = 0.5
_MOST_ENDED = 0.5
_MOST_OPENED = 0.75
_LEAST_FILLED_DIVIDED = 0.3
"""Shares of a wrapped text's line ends that are full, end a clause, and precede a new beginning."""
_WIDE_SPACES = {"\t": 4, "\u3000": 2, "\u2003": 2, "\u2001": 2}
_LEAST_INDENT = 2
_BEFORE_TEXT = re.compile(rf"[\s{INVISIBLE}]*")
_CLAUSE_END = re.compile(r"""[.!?…,:;>。！？、，；：؟۔،؛।።։]["'”’»)\]」』]*\Z""")
_SENTENCE_END = re.compile(r"""[.!?…:。！？：؟۔।።։]["'”’»)\]」』]*\Z""")
_ITEM_STARTS = frozenset("<[{*#-+>|/@~=•·0123456789")


@dataclass(frozen=True)
class Division:
    """How a file marks its paragraphs."""

    mode: Mode
    reason: str
    """In plain words, to follow ``paragraphs:``."""
    divided: bool = True
    """Whether the text marks its paragraphs at all."""
    base_indent: int = 0
    """The indent of lines that begin no paragraph."""
    hanging: bool = False
    """Whether the lines with a larger indent go on, and the others begin a paragraph."""
    by_format: bool = False
    """Whether the file's format marks paragraphs, so that ``text.paragraphs`` has no effect."""


@dataclass(frozen=True)
class _Line:
    """A line of the head; blank if ``text`` is empty."""

    indent: int
    text: str

    @property
    def width(self) -> int:
        return self.indent + len(self.text)


def split_indent(line: str) -> tuple[int, str]:
    """The width of a line's indent, 0 for a single space, and its text without outer spaces.

    Neither includes invisible marks before the first letter.
    """
    if " " < line[:1] <= "\x7f":
        return 0, line.rstrip()
    match = _BEFORE_TEXT.match(line)
    text = line[match.end() :].rstrip() if match else line
    before = line[: match.end()] if match else ""
    width = sum(_WIDE_SPACES.get(space, space.isspace()) for space in before)
    return (width if text and width >= _LEAST_INDENT else 0), text


def set_division(mode: Mode, head: Sequence[str]) -> Division:
    """The division that a configuration sets for the text that begins with these lines."""
    shape = _shape(head)
    hanging = mode == "indents" and not shape.indented and shape.hanging
    reason = f"{_HANGING if hanging else MODE_NAMES[mode]}, as text.paragraphs says"
    return Division(mode, reason, base_indent=shape.base_indent, hanging=hanging)


def find_division(head: Sequence[str]) -> Division:
    """How the text that begins with these lines marks its paragraphs."""
    shape = _shape(head)
    if shape.count > 1 and shape.long_share >= _LONG_SHARE:
        if shape.lines_a_group > 2:
            return Division("lines", "one per line, since lines are longer than any margin")
    elif shape.indented:
        return Division("indents", MODE_NAMES["indents"], base_indent=shape.base_indent)
    elif shape.hanging:
        return Division("indents", _HANGING, base_indent=shape.base_indent, hanging=True)
    elif shape.count >= _FEWEST_LINES and not shape.wrapped:
        if shape.lines_a_group > _LINES_A_GROUP:
            return Division("lines", "one per line, since lines do not fill a margin")
    if shape.undivided:
        return Division("blank_lines", "none are marked", divided=False)
    return Division("blank_lines", MODE_NAMES["blank_lines"])


def is_double_spaced(head: Sequence[str]) -> bool:
    """Whether a blank line follows every line that a margin wrapped."""
    shape = _shape(head)
    if shape.count < _FEWEST_LINES or shape.lines_a_group > _LINES_DOUBLE_SPACED:
        return False
    closer = _shape(list(single_spaced(head)))
    return closer.lines_a_group > _LINES_DOUBLE_SPACED and closer.filled


def single_spaced(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a double-spaced text, without the blank line after each."""
    after_text = False
    for line in lines:
        blank = not line.strip()
        if not (blank and after_text):
            yield line
        after_text = not blank


def _shape(head: Sequence[str]) -> _Shape:
    return _Shape([_Line(*split_indent(line)) for line in head])


class _Shape:
    """The shape of a text's lines: their lengths, indents, ends and beginnings.

    Args:
        lines: of the beginning of a text.
    """

    def __init__(self, lines: Sequence[_Line]) -> None:
        visible = [line for line in lines if line.text]
        self.count = len(visible)
        indents = sorted(line.indent for line in visible)
        self.base_indent = indents[len(indents) // 10] if indents else 0
        """Above 0 in a text that is indented as a whole."""
        before = [_Line(0, ""), *lines]
        self.groups = sum(
            bool(line.text and not previous.text)
            for previous, line in zip(before, lines, strict=False)
        )
        self._visible = visible
        self._pairs = [
            (line, following)
            for line, following in zip(lines, lines[1:], strict=False)
            if line.text and following.text
        ]

    @property
    def lines_a_group(self) -> float:
        """Mean number of lines between blank lines, halves of a hyphenated word on one."""
        hyphenated = sum(line.text.endswith("\u00ad") for line in self._visible)
        return (self.count - hyphenated) / max(self.groups, 1)

    @cached_property
    def _characters(self) -> int:
        return max(sum(line.width for line in self._visible), 1)

    @property
    def long_share(self) -> float:
        """The share of characters in lines that no margin wrapped."""
        long = sum(line.width for line in self._visible if line.width > _LONGEST_WRAPPED)
        return long / self._characters

    @property
    def undivided(self) -> bool:
        """Whether blank lines are too rare to divide the text."""
        rare = self._characters > _UNDIVIDED_GROUP * self.groups and self.groups < _FEWEST_GROUPS
        return self.groups <= 1 or rare

    @cached_property
    def _margin(self) -> int:
        widths = sorted(line.width for line in self._visible)
        return widths[int(0.98 * (len(widths) - 1))]

    @property
    def wrapped(self) -> bool:
        """Whether a margin ended the lines."""
        # with regular blank lines, lines in between are wrapped even at a ragged margin
        least = _LEAST_FILLED if self.undivided else _LEAST_FILLED_DIVIDED
        return self._wrapped(self._continued, least)

    @property
    def filled(self) -> bool:
        """The same, for certain."""
        return self._wrapped(self._continued, _LEAST_FILLED)

    @property
    def indented(self) -> bool:
        """Whether indented lines begin paragraphs, and blank lines do not mark most of them."""
        begun = [line for line, _ in self._indented]
        if not self._are_marks(begun):
            return False
        ended = sum(_SENTENCE_END.search(line.text) is not None for line in begun)
        return ended >= 0.6 * len(begun) and self.filled

    @property
    def hanging(self) -> bool:
        """Whether all lines of a paragraph but its first are indented."""
        begun = [line for line, _ in self._continued]
        return self._are_marks(begun) and self._wrapped(self._indented, _LEAST_FILLED)

    def _are_marks(self, begun: Sequence[_Line]) -> bool:
        """Whether there are enough lines with a beginning after them."""
        least = max(_FEWEST_INDENTS, self.groups)
        return len(begun) >= least and len(begun) >= 0.02 * self.count

    @cached_property
    def _indented(self) -> list[tuple[_Line, _Line]]:
        return [pair for pair in self._pairs if self._is_indented(pair[1])]

    @cached_property
    def _continued(self) -> list[tuple[_Line, _Line]]:
        return [pair for pair in self._pairs if not self._is_indented(pair[1])]

    def _is_indented(self, line: _Line) -> bool:
        return line.indent > self.base_indent

    def _wrapped(self, pairs: Sequence[tuple[_Line, _Line]], least_filled: float) -> bool:
        """Whether the first line of these pairs mostly ends because a margin was reached.

        Args:
            pairs: lines, each with the following one.
            least_filled: the share of lines that must be filled.
        """
        if not pairs:
            return False
        unspaced = sum(is_unspaced(line.text[-1]) for line, _ in pairs) > len(pairs) / 2
        narrow = self._margin * (1 + unspaced) < _NARROWEST_MARGIN
        room = self._margin * (1 if narrow else _SLACK)

        def share(holds: Callable[[_Line, _Line], bool]) -> float:
            return sum(holds(line, following) for line, following in pairs) / len(pairs)

        def is_filled(line: _Line, following: _Line) -> bool:
            word = 1 if unspaced else len(following.text.split(maxsplit=1)[0])
            return line.width + 1 + word > room

        filled = share(is_filled)
        ended = share(lambda line, _: _CLAUSE_END.search(line.text) is not None)
        if narrow:
            return filled >= 0.8 and ended < 0.35
        return filled >= least_filled and ended < _MOST_ENDED and _opened(pairs) < _MOST_OPENED


def _opened(pairs: Sequence[tuple[_Line, _Line]]) -> float:
    """The share of pairs whose second line begins with a capital, a digit or an item's mark."""
    starts = [following.text[0] for _, following in pairs]
    opened = sum(start in _ITEM_STARTS for start in starts)
    capitals = sum(map(str.isupper, starts))
    others = sum(map(str.isalpha, starts)) - capitals
    letters = "".join(line.text for line, _ in pairs[:1000])
    if sum(map(str.islower, letters)) > sum(map(str.isupper, letters)) / 10:  # not all in capitals
        opened += capitals
    else:
        others += capitals
    return opened / max(opened + others, 1)
