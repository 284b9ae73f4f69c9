"""Learns from a text where it has no space between words, for every word and pair of words.

Each word has three sides: before it, after it where a space stands before it, and after it where
none does; the two sides after a quotation mark differ as it opens or closes. A side is glued or
spaced where at least two of three places in the text agree. The sides of a mark are those that it
has beside words; pairs of words that differ from their sides (the dot of ``example.com``) are kept
as exceptions. The rules of :mod:`nextword.text.detokenizer` decide what the text does not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextword.errors import ModelError
from nextword.storage.files import read_json, write_json
from nextword.storage.integrity import checksum, verify_checksum, with_checksum
from nextword.text.vocabulary import END

UNSEEN, SPACED, GLUED, MIXED = range(4)
SIDE_AGREEMENT = 2 / 3
"""Share of the places that must agree for a side to be glued or spaced."""
TURNING = frozenset("\"'’*_")
"""Marks that open and close alike: which of the two they do, the words beside them seldom tell."""
TURNING_AGREEMENT = 0.97
"""Share of a pair's places that must agree where one of the two is such a mark."""
PAIR_AGREEMENT = 3 / 4
"""Share of a pair's places that must agree for an exception. Both shares were chosen among 0.6 to
0.9 on prose and code in 40 languages."""
FEWEST_PLACES = 2
"""Places of a pair from which it overrules two sides that are undecided."""
FILE = "spacing.json"
"""Beside ``tokenizer.json``."""
LEARNED_WORDS = 2_000_000
"""Words of the training part that spaces are learned from, at most."""

Ids = NDArray[np.integer]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Spacing:
    """Where a vocabulary's words stand without a space.

    Args:
        sides: ``(3, vocabulary)``: before a word, after it where a space stood before it, and after
            it where none did; each of :data:`UNSEEN`, :data:`SPACED`, :data:`GLUED`, :data:`MIXED`.
        words: the vocabulary by ids.
        pairs: whether a pair of words, by its two ids, is glued, where that differs.
    """

    sides: NDArray[np.uint8]
    words: Sequence[str]
    pairs: Mapping[tuple[int, int], bool] = field(default_factory=dict)

    def glued(self, previous: int, glued_before: bool, following: int) -> bool | None:
        """Whether no space separates two words; None where the text shows neither.

        Args:
            previous: the first word's id.
            glued_before: whether no space stands before the first word.
            following: the second word's id.
        """
        if (known := self.pairs.get((previous, following))) is not None:
            return known
        after, before = self.sides[1 + glued_before, previous], self.sides[0, following]
        first, second = (int(_is_word(self.words[number])) for number in (previous, following))
        verdict = _VERDICTS[after, before, first, second]
        return None if verdict == MIXED else bool(verdict == GLUED)

    def glued_after(self, word: int, glued_before: bool) -> bool | None:
        """Whether no space follows a word; None where the text shows neither.

        Args:
            word: its id.
            glued_before: whether no space stands before it.
        """
        side = self.sides[1 + glued_before, word]
        return None if side in (UNSEEN, MIXED) else bool(side == GLUED)

    def save(self, path: Path) -> None:
        """Write it as JSON: a digit for each word and side, and the pairs by their ids.

        Raises:
            NextwordError: that is impossible.
        """
        content = {
            "vocabulary": checksum({"words": list(self.words)}),
            "sides": ["".join(map(str, side)) for side in self.sides.tolist()],
            "glued": [pair for pair, glued in self.pairs.items() if glued],
            "spaced": [pair for pair, glued in self.pairs.items() if not glued],
        }
        write_json(path, with_checksum(content))

    @classmethod
    def load(cls, path: Path, words: Sequence[str], verify: bool = True) -> Spacing:
        """Read it.

        Args:
            path: of the file.
            words: the vocabulary by ids.
            verify: whether the checksums of the file and of the vocabulary are compared.

        Raises:
            ModelError: it is damaged, or of another vocabulary.
        """
        content = read_json(path, ModelError)
        if verify:
            verify_checksum(path, content)
            if content.get("vocabulary") != checksum({"words": list(words)}):
                raise ModelError(
                    f"{path.with_name('tokenizer.json')}: its words are not those of {path.name}; "
                    "the files do not belong together"
                )
        try:
            lengths = [len(side) for side in content["sides"]]
            digits = np.frombuffer("".join(content["sides"]).encode("ascii"), dtype=np.uint8)
            pairs = {
                **dict.fromkeys(_pairs(content["glued"]), True),
                **dict.fromkeys(_pairs(content["spaced"]), False),
            }
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelError(f"{path}: damaged ({error}); train again") from None
        sides = digits - np.uint8(ord("0"))  # what is no digit becomes more than MIXED
        if lengths != 3 * [len(words)] or sides.max(initial=0) > MIXED:
            raise ModelError(f"{path}: damaged, its sides are not those of the vocabulary")
        return cls(sides.reshape(3, -1), words, pairs)


def _pairs(stored: list[list[int]]) -> Iterator[tuple[int, int]]:
    previous, following = np.array(stored, dtype=np.int64).reshape(len(stored), 2).T.tolist()
    return zip(previous, following, strict=True)


def _is_word(word: str) -> bool:
    """Whether the word holds a letter or digit; the unknown word counts as one."""
    return word != END and any(map(str.isalnum, word))


def _verdict(after: int, before: int, previous_is_word: int, following_is_word: int) -> int:
    """Whether two words are glued or spaced, by their sides that meet; MIXED if undecided.

    Between a mark and a word the mark alone decides. Of two marks one that is glued is enough; two
    words must agree.
    """
    if previous_is_word != following_is_word:
        side = before if previous_is_word else after
        return MIXED if side == UNSEEN else side
    if GLUED in (after, before) and (after == before or not previous_is_word):
        return GLUED
    return SPACED if after == before == SPACED else MIXED


_VERDICTS = np.array(
    [_verdict(*case) for case in product(range(4), range(4), range(2), range(2))], dtype=np.uint8
).reshape(4, 4, 2, 2)
"""By the side after the first word, that before the second, and whether each is a word."""


class SpacingCounter:
    """Counts the spaces of a text, paragraph by paragraph.

    Args:
        words: the vocabulary by ids.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.is_word = np.array([_is_word(word) for word in words], dtype=np.bool_)
        self.turns = np.array([word in TURNING for word in words])
        self._previous: list[Ids] = []
        self._following: list[Ids] = []
        self._glued: list[Flags] = []
        self._glued_before: list[Flags] = []

    def add(self, ids: Ids, spaced: Flags) -> None:
        """Count a paragraph.

        Args:
            ids: its words, ``(words,)``, without an end.
            spaced: whether a space follows each, ``(words,)``.
        """
        self._previous.append(ids[:-1].astype(np.int64))
        self._following.append(ids[1:].astype(np.int64))
        self._glued.append(~spaced[:-1])
        self._glued_before.append(np.concatenate([[False], ~spaced[:-2]])[: len(ids[:-1])])

    def spacing(self) -> Spacing:
        """The spacing that the counted paragraphs show."""
        nothing = [np.zeros(0, dtype=np.int64)]
        previous = np.concatenate(self._previous or nothing)
        following = np.concatenate(self._following or nothing)
        glued = np.concatenate(self._glued or nothing).astype(np.bool_)
        glued_before = np.concatenate(self._glued_before or nothing).astype(np.bool_)
        # between two marks it is not clear which of them is glued
        beside_word = self.is_word[previous], self.is_word[following]
        sides = np.stack(
            [
                self._side(following[beside_word[0]], glued[beside_word[0]]),
                *(
                    self._side(previous[chosen], glued[chosen])
                    for chosen in (beside_word[1] & ~glued_before, beside_word[1] & glued_before)
                ),
            ]
        )
        verdict = _VERDICTS[
            sides[1 + glued_before.astype(np.int64), previous],
            sides[0, following],
            self.is_word[previous].astype(np.int64),
            self.is_word[following].astype(np.int64),
        ]
        pairs = self._exceptions(previous, following, glued, verdict)
        return Spacing(sides, self.words, pairs)

    def _side(self, ids: Ids, glued: Flags) -> NDArray[np.uint8]:
        """One side of every word, ``(vocabulary,)``, from its places ``(places,)`` in the text."""
        count = np.bincount(ids, minlength=len(self.is_word))
        share = np.bincount(ids, glued, len(self.is_word)) / np.maximum(count, 1)
        side = np.where(
            share >= SIDE_AGREEMENT, GLUED, np.where(share <= 1 - SIDE_AGREEMENT, SPACED, MIXED)
        )
        return np.where(count == 0, UNSEEN, side).astype(np.uint8)

    def _exceptions(
        self, previous: Ids, following: Ids, glued: Flags, verdict: NDArray[np.uint8]
    ) -> dict[tuple[int, int], bool]:
        """The pairs whose places agree with each other but not with the sides of their words."""
        size = len(self.is_word)
        keys, where = np.unique(previous * size + following, return_inverse=True)
        count = np.bincount(where, minlength=len(keys))
        share = np.bincount(where, glued, len(keys)) / np.maximum(count, 1)
        # number of each pair's places that its sides get wrong, or leave undecided
        wrong = np.bincount(where, verdict == np.where(glued, SPACED, GLUED), len(keys))
        undecided = np.bincount(where, verdict == MIXED, len(keys))
        turning = (2 * undecided > count) & (self.turns[keys // size] | self.turns[keys % size])
        needed = np.where(turning, TURNING_AGREEMENT, PAIR_AGREEMENT)
        agrees = np.maximum(share, 1 - share) >= needed
        differs = (2 * wrong > count) | ((2 * undecided > count) & (count >= FEWEST_PLACES))
        return {
            (int(key) // size, int(key) % size): bool(part > 0.5)
            for key, part in zip(keys[agrees & differs], share[agrees & differs], strict=True)
        }
