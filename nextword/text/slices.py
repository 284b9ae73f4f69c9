"""A typed text cut into the pieces that its tokens stand for, as they were typed."""

from __future__ import annotations

import re
from bisect import bisect_left

from nextword.text.tokenized import SPACES, TokenizedText
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END_ID
from nextword.text.written_ends import written_end

_RUN = re.compile(rf"[^{SPACES}]+")
_LONGER = 64
"""Characters by which a word as it was typed may be longer than its normalised spelling."""


def token_slices(tokenizer: Tokenizer, text: str, tokenized: TokenizedText) -> list[str]:
    """The piece of a text for each token, the space before it included; together they are the text.

    An end has the blank line or line end. Where tokens spell a run of characters in another length
    (an apostrophe typed as two marks), a cut inside the run may be a character off.

    Args:
        tokenizer: the model's.
        text: as it was typed.
        tokenized: the tokens that :func:`.read_prompt` made of it.
    """
    words = tokenized.words(tokenizer.words)
    ends = [number == END_ID for number in tokenized.ids.tolist()]
    # whether a token is the last of its run of characters
    closes = [
        spaced or following for spaced, following in zip(tokenized.spaced, ends[1:], strict=False)
    ]
    cutter = _Cutter(tokenizer, text)
    for word, is_end, closing in zip(words, ends, closes, strict=False):
        cutter.cut(cutter.end_of_break() if is_end else cutter.end_of_word(word, closing))
    if words:
        cutter.cut(len(text))
    return cutter.slices


class _Cutter:
    """Cuts a text from its beginning on."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self.tokenizer = tokenizer
        self.text = text
        self.slices: list[str] = []
        self._place = 0
        self._inside = False
        """Whether the next word belongs to the same run of characters as the last."""
        self._run_end = 0

    def cut(self, end: int) -> None:
        """Cut off the text up to a place."""
        self.slices.append(self.text[self._place : end])
        self._place = end

    def end_of_break(self) -> int:
        """Where a break ends: the last line end before the next word, or an end written out."""
        self._inside = False
        run = _RUN.search(self.text, self._place)
        if run is None:
            return len(self.text)
        if written_end(run[0]):
            return run.end()
        line_end = max(self.text.rfind(mark, self._place, run.start()) for mark in "\n\r")
        return run.start() if line_end < 0 else line_end + 1  # the indent belongs to the word

    def end_of_word(self, word: str, closes: bool) -> int:
        """Where a word ends.

        Args:
            word: as the tokenizer spells it.
            closes: whether white space or a break follows.
        """
        start = self._place
        if not self._inside:
            run = _RUN.search(self.text, start)
            start, self._run_end = run.span() if run is not None else (start, start)
        self._inside = not closes
        return self._run_end if closes else self._end_of_spelling(start, self._run_end, len(word))

    def _end_of_spelling(self, start: int, last: int, length: int) -> int:
        """Where characters end whose normalised spelling has a length.

        Args:
            start: their beginning.
            last: where they end at the latest.
            length: of the normalised spelling.
        """

        def spelled(first: int, end: int) -> int:
            return len(self.tokenizer.normalize(self.text[first:end]))

        end = min(start + length, last)
        if start < last and spelled(start, end) != length:
            ends = range(start + 1, min(last, start + length + _LONGER) + 1)
            end = ends[bisect_left(ends[:-1], length, key=lambda place: spelled(start, place))]
        # dropped marks, and accents that are joined to their letters
        while end < last and spelled(end - 1, end + 1) == spelled(end - 1, end):
            end += 1
        return end
