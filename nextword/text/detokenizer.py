"""Words to readable text: decides word by word where a space goes.

The spacing learned from the training text (:mod:`nextword.text.spacing`) comes first; the rules
here decide what that text does not show, and what depends on open quotes and brackets.
"""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

from nextword.text.scripts import is_unspaced, is_unspaced_letter
from nextword.text.spacing import TURNING, Spacing
from nextword.text.vocabulary import END

Kind = Literal["words", "whitespace"]
"""``words``: prose that the tokenizer splits; ``whitespace``: text that is tokenized already."""

_GLUED = frozenset("/\\—―")
_GLUED_LEFT = frozenset(".,;:!?%‰…°′″™®")
_GLUED_RIGHT = frozenset("#@~`¿¡$£¥")
_PAIRED = frozenset('"_*')
"""Marks that open and close alike."""
_REPEATED_APART = frozenset(".*-–—")
_RUN_OF_DOTS = re.compile(r"\.\.+|…+")
_RUN_OF_DASHES = re.compile(r"--+|——+|――+")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_ELISIONS = frozenset(
    "bout cause cos cuz d em er im ll m n neath nother pon re round s t til tis twas tween twere "
    "twill twould ve".split()
)


class Detokenizer:
    """Turns one stream of words into text; remembers open quotes and brackets.

    Each word's text is returned at once, so nothing depends on the next word.

    Args:
        kind: of the words.
        spacing: learned from a text; None for rules alone.
        index: the id of each word that ``spacing`` knows.
    """

    def __init__(
        self,
        kind: Kind = "words",
        spacing: Spacing | None = None,
        index: Mapping[str, int] | None = None,
    ) -> None:
        self._kind = kind
        self._spacing = spacing
        self._index = index or {}
        self._reset()

    def _reset(self) -> None:
        self._previous = ""
        self._before = ""
        self._glued = False  # whether the previous word follows without a space
        self._glue_next = True
        self._open: set[str] = set()
        self._unspaced_paragraph = False

    def push(self, word: str) -> str:
        """The text to append: the word, with or without a space before it.

        The end word gives a paragraph break (``words``) or a line end (``whitespace``).
        """
        if word == END:
            self._reset()
            return "\n\n" if self._kind == "words" else "\n"
        if self._kind == "whitespace":
            space = "" if not self._previous else " "
            self._previous = word
            return space + word
        return self._push_prose(word)

    def spaces_around(self, word: str) -> tuple[bool, bool]:
        """Whether a space separates a word, if it came next, from its two neighbours.

        Whatever follows the word counts as a word, not as a mark.
        """
        if word == END or self._kind == "whitespace":
            return word != END and bool(self._previous), word != END
        ahead = self.fork()
        before = ahead.push(word) != word
        learned = ahead._learned_after()
        return before, not (ahead._glue_next if learned is None else learned)

    def fork(self) -> Detokenizer:
        """A detokenizer at the same position, which writes on by itself."""
        other = copy.copy(self)
        other._open = set(self._open)
        return other

    def _learned_after(self) -> bool | None:
        """Whether the training text has no space after the last word, where a word follows."""
        number = self._index.get(self._previous)
        if self._spacing is None or number is None:
            return None
        return self._spacing.glued_after(number, self._glued)

    def _push_prose(self, word: str) -> str:
        if not self._previous:
            self._unspaced_paragraph = is_unspaced(word[0])
        if self._previous == "'" and word.lower() in _ELISIONS:
            self._open.discard("'")
        learned = self._learned(word)
        if learned is not None and word in TURNING:
            (self._open.add if learned else self._open.discard)(word)  # it closes, or opens
        left, right = self._sides(word)
        apart = word == self._previous and word in _REPEATED_APART
        glued = not self._previous or (not apart and (left or self._glue_next))
        if not glued:
            glued = self._is_continued(word)
        if learned is not None:
            glued = learned
        self._glued = glued and bool(self._previous)
        self._before, self._previous, self._glue_next = self._previous, word, right
        return word if glued else " " + word

    def _learned(self, word: str) -> bool | None:
        """Whether the training text has no space before the word; None if it shows neither."""
        if self._spacing is None or not self._previous:
            return None
        previous, following = self._index.get(self._previous), self._index.get(word)
        if previous is None or following is None:
            return None
        return self._spacing.glued(previous, self._glued, following)

    def _is_continued(self, word: str) -> bool:
        """Whether no space separates the previous word from this one, judged as a pair."""
        last, first = self._previous[-1], word[0]
        if is_unspaced(last) or is_unspaced(first):
            both = is_unspaced(last) and is_unspaced(first)
            # wide punctuation includes its space; beside Latin words the paragraph's script decides
            wide = any(is_unspaced(c) and not is_unspaced_letter(c) for c in (last, first))
            beside = last.isalnum() and first.isalnum()
            return both or wide or (beside and self._unspaced_paragraph)
        if self._previous in ("-", "–") and self._before[-1:].isdigit() and first.isdigit():
            return True  # 1805-1812
        # e.g. and a.m.: a letter after a letter and its dot
        return self._previous == "." and _is_small_letter(self._before) and _is_small_letter(word)

    def _sides(self, word: str) -> tuple[bool, bool]:
        """Whether the word sticks to its left neighbour, and to its right one."""
        if word.isalnum():
            return False, False
        if word in _PAIRED:
            return self._alternate(word)
        if word == "'":
            return self._straight_single()
        if word == "’":
            return self._curly_apostrophe()
        if _RUN_OF_DOTS.fullmatch(word):
            return True, self._glue_next
        if _RUN_OF_DASHES.fullmatch(word) or word in _GLUED:
            spaced = _CYRILLIC.search(self._previous) is not None and word in ("—", "―")
            return not spaced, not spaced
        if word in ("-", "–"):
            return self._previous[-1:].isdigit(), False
        return self._by_category(word)

    def _by_category(self, word: str) -> tuple[bool, bool]:
        if word in _GLUED_LEFT:
            return True, False
        if word in _GLUED_RIGHT:
            return False, True
        if word == "€":
            return False, not self._previous[-1:].isdigit()
        if word in ("„", "‚"):
            self._open.add(word)
            return False, True
        if word in ("“", "‘") and (low := "„" if word == "“" else "‚") in self._open:
            self._open.discard(low)  # German „...“ closes with the English opening quote
            return True, False
        if word == "‘":
            self._open.add(word)
        category = unicodedata.category(word[0])
        if category == "Po" and self._is_of_another_script(word[0]):
            return True, False
        return category in ("Pe", "Pf"), category in ("Ps", "Pi")

    def _is_of_another_script(self, mark: str) -> bool:
        """Whether the mark ends a phrase in a script other than Latin, as ، । and ։ do."""
        if mark == "·":  # a Greek semicolon, elsewhere a multiplication or a list
            return "GREEK" in unicodedata.name(self._previous[-1:] or " ", "")
        return mark > "\u036f" and not "\u2000" <= mark <= "\u2e7f"

    def _alternate(self, mark: str) -> tuple[bool, bool]:
        if mark in self._open:
            self._open.discard(mark)
            return True, False
        self._open.add(mark)
        return False, True

    def _curly_apostrophe(self) -> tuple[bool, bool]:
        """A closing quote or a plural's apostrophe, or the beginning of a word (’Tis)."""
        if self._glue_next:
            return True, True
        begins = not self._previous[-1:].isalnum() and "‘" not in self._open
        if self._previous[-1:] not in "szx":  # after these letters it may be a plural's
            self._open.discard("‘")
        return not begins, begins

    def _straight_single(self) -> tuple[bool, bool]:
        """A closing quote, a plural's apostrophe (the princess' shawl), or an opening quote."""
        if "'" not in self._open and not self._glue_next and self._previous[-1:] in "szx":
            return True, False
        return self._alternate("'")


def _is_small_letter(word: str) -> bool:
    return len(word) == 1 and word.islower()


def detokenize(words: Iterable[str], detokenizer: Detokenizer | None = None) -> str:
    """Readable text of the words; by the rules for prose alone if no detokenizer is given."""
    detokenizer = detokenizer or Detokenizer()
    return "".join(detokenizer.push(word) for word in words)
