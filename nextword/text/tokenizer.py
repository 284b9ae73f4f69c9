"""Text to word ids and back: one object for training and prediction.

It is stored as ``tokenizer.json`` in the format of the Hugging Face ``tokenizers`` library. The
library is imported only to learn words, to encode long texts, and to split text that has other than
Western European characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nextword.storage.files import write_atomically
from nextword.text.detokenizer import Detokenizer, Kind, detokenize
from nextword.text.matching import Match, WordMatcher
from nextword.text.normalize import normalize
from nextword.text.scripts import UNSPACED_LETTERS
from nextword.text.spacing import FILE as SPACING
from nextword.text.spacing import Spacing
from nextword.text.token_pattern import split_western
from nextword.text.tokenizer_file import build, read_tokenizer_file
from nextword.text.vocabulary import END, END_ID, SPECIAL_WORDS, UNKNOWN, UNKNOWN_ID

if TYPE_CHECKING:
    from tokenizers import Tokenizer as HuggingFaceTokenizer
    from tokenizers.pre_tokenizers import PreTokenizer

__all__ = ["END", "SPECIAL_WORDS", "UNKNOWN", "Kind", "Tokenizer"]

_PIECE = 1 << 16
"""Characters encoded in one piece, at most; longer paragraphs are cut between words."""
_BATCH = 1 << 20
"""Characters handed to the library at once."""


class Tokenizer:
    """Splits text into words; a word's id is its index in the vocabulary.

    Args:
        words: the vocabulary in id order, the special words first.
        kind: how text is split.
        lowercase: whether case is folded before.
        spacing: where the vocabulary's text has no space between words; None if not learned.
        index: the id of every word; made from ``words`` if not given.

    Raises:
        ValueError: the special words are not the first.
    """

    def __init__(
        self,
        words: Sequence[str],
        kind: Kind,
        lowercase: bool,
        spacing: Spacing | None = None,
        index: dict[str, int] | None = None,
    ) -> None:
        if tuple(words[: len(SPECIAL_WORDS)]) != SPECIAL_WORDS:
            raise ValueError(f"a vocabulary starts with {SPECIAL_WORDS}")
        self.kind: Kind = kind
        self.lowercase = lowercase
        self.words = list(words)
        self.spacing = spacing
        self.index = index or dict(zip(self.words, range(len(self.words)), strict=True))
        """The id of every word."""

    @classmethod
    def learn(cls, paragraphs: Iterable[str], kind: Kind, lowercase: bool) -> Tokenizer:
        """A tokenizer that knows every word of the text."""
        from tokenizers import trainers

        inner = build({UNKNOWN: 0}, kind, lowercase)
        inner.normalizer = None
        trainer = trainers.WordLevelTrainer(vocab_size=2**62, min_frequency=0, show_progress=False)
        pieces = (
            piece for paragraph in paragraphs for piece in _pieces(normalize(paragraph, lowercase))
        )
        inner.train_from_iterator(pieces, trainer)
        vocabulary = inner.get_vocab(with_added_tokens=False)
        words = sorted(vocabulary, key=lambda word: vocabulary[word])
        return cls(_specials_first(words), kind, lowercase)

    def with_words(self, words: Iterable[str], spacing: Spacing | None = None) -> Tokenizer:
        """The same splitting with another vocabulary; special words are moved to the front."""
        return Tokenizer(_specials_first(words), self.kind, self.lowercase, spacing)

    @cached_property
    def _encoder(self) -> HuggingFaceTokenizer:
        """The library's tokenizer of the whole vocabulary, for long texts."""
        encoder = build(self.index, self.kind, self.lowercase)
        encoder.normalizer = None  # :meth:`normalize` does its work, and more
        return encoder

    @cached_property
    def _pre_tokenizer(self) -> PreTokenizer:
        """The library's splitting, without a vocabulary."""
        splitting: PreTokenizer = build({UNKNOWN: 0}, self.kind, self.lowercase).pre_tokenizer
        return splitting

    @cached_property
    def matcher(self) -> WordMatcher:
        """Finds words as people type them."""
        return WordMatcher(self.words, self.index)

    def find(self, word: str) -> Match:
        """The vocabulary's word for a single word that somebody typed."""
        return self.matcher.find(self.normalize(word.strip()))

    def normalize(self, text: str) -> str:
        """The text as it is split: see :func:`nextword.text.normalize.normalize`."""
        return normalize(text, self.lowercase)

    @property
    def unknown_id(self) -> int:
        """The id of every word outside the vocabulary."""
        return UNKNOWN_ID

    @property
    def end_id(self) -> int:
        """The id of the end of a paragraph or line."""
        return END_ID

    def __len__(self) -> int:
        return len(self.words)

    def split(self, text: str) -> list[str]:
        """The words of the text, known or not, normalised."""
        words: list[str] = []
        for piece in _pieces(self.normalize(text)):
            words += self._split_piece(piece)
        return words

    def _split_piece(self, piece: str) -> list[str]:
        words = split_western(piece, self.kind)
        if words is not None:
            return words
        return [word for word, _ in self._pre_tokenizer.pre_tokenize_str(piece)]

    def encode(self, text: str) -> list[int]:
        """The ids of the text's words; no end is added."""
        return [self.index.get(word, UNKNOWN_ID) for word in self.split(text)]

    def unknown_words(self, text: str) -> list[str]:
        """The distinct words of the text outside the vocabulary, in the text's order."""
        return [word for word in dict.fromkeys(self.split(text)) if word not in self.index]

    def decode(self, ids: Iterable[int]) -> str:
        """Readable text of the ids."""
        return detokenize((self.words[number] for number in ids), self.detokenizer())

    def detokenizer(self) -> Detokenizer:
        """A new detokenizer, at the beginning of a text."""
        return Detokenizer(self.kind, self.spacing, self.index)

    def encode_stream(self, paragraphs: Iterable[str]) -> Iterator[NDArray[np.uint32]]:
        """The ids of each paragraph with its end, ``(words + 1,)``; encoded in parallel."""
        end = np.array([self.end_id], dtype=np.uint32)
        pieces: list[NDArray[np.uint32]] = []
        for batch in _batches(map(self.normalize, paragraphs)):
            encodings = self._encoder.encode_batch_fast(
                [piece for piece, _ in batch], add_special_tokens=False
            )
            for (_, is_last), encoding in zip(batch, encodings, strict=True):
                pieces.append(np.array(encoding.ids, dtype=np.uint32))
                if is_last:
                    yield np.concatenate([*pieces, end])
                    pieces = []

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json``, and ``spacing.json`` beside it.

        Raises:
            NextwordError: that is impossible.
        """
        write_atomically(path, build(self.index, self.kind, self.lowercase).to_str())
        if self.spacing is not None:
            self.spacing.save(path.with_name(SPACING))

    @classmethod
    def load(cls, path: Path, verify: bool = True) -> Tokenizer:
        """Read ``tokenizer.json`` and, if there is one, the ``spacing.json`` beside it.

        Args:
            path: of ``tokenizer.json``.
            verify: whether checksums are compared; not needed for files that were verified before
                and are unchanged.

        Raises:
            ModelError: one is damaged, foreign or incompatible.
        """
        path = Path(path)
        index, kind, lowercase = read_tokenizer_file(path)
        words = list(index)
        spacing_file = path.with_name(SPACING)
        spacing = Spacing.load(spacing_file, words, verify) if spacing_file.exists() else None
        return cls(words, kind, lowercase, spacing, index)


def _specials_first(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys((*SPECIAL_WORDS, *words)))


@cache
def _cuts() -> re.Pattern[str]:
    """Where a text may be cut: at a space, and between letters that are a token each."""
    return re.compile(rf"\s|(?<=[{UNSPACED_LETTERS}])(?=[{UNSPACED_LETTERS}])")


def _pieces(text: str) -> Iterator[str]:
    """The text cut between words into pieces of bounded length."""
    start = 0
    while len(text) - start > _PIECE:
        cut = start + _PIECE  # a "word" of 32,000 characters may be cut in two
        for match in _cuts().finditer(text, start + _PIECE // 2, cut):
            cut = match.start()
        yield text[start:cut]
        start = cut
    yield text[start:]


def _batches(paragraphs: Iterable[str]) -> Iterator[list[tuple[str, bool]]]:
    """Batches of bounded length: pieces, and whether each is the last of its paragraph."""
    batch: list[tuple[str, bool]] = []
    characters = 0
    for paragraph in paragraphs:
        left = len(paragraph)
        for piece in _pieces(paragraph):
            left -= len(piece)
            batch.append((piece, left == 0))
            characters += len(piece) + 1
            if characters >= _BATCH:
                yield batch
                batch, characters = [], 0
    if batch:
        yield batch
