"""Text to word ids and back: one object for training and prediction.

Built on the Hugging Face ``tokenizers`` library and stored as its ``tokenizer.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as HuggingFaceTokenizer

from nextword.errors import ModelError
from nextword.storage.files import write_atomically
from nextword.text.detokenizer import Detokenizer, Kind, detokenize
from nextword.text.matching import Match, WordMatcher
from nextword.text.normalize import normalize
from nextword.text.scripts import UNSPACED_LETTERS
from nextword.text.spacing import FILE as SPACING
from nextword.text.spacing import Spacing
from nextword.text.vocabulary import END, END_ID, SPECIAL_WORDS, UNKNOWN, UNKNOWN_ID

__all__ = ["END", "PATTERNS", "SPECIAL_WORDS", "UNKNOWN", "Kind", "Tokenizer"]

_MARK = r"[\p{M}\u200c\u200d]"
_SPACED = rf"[[\p{{L}}\p{{N}}]&&[^{UNSPACED_LETTERS}]]"
_LETTER = rf"[\p{{L}}&&[^{UNSPACED_LETTERS}]]"
_WORD_PARTS = (
    rf"{_SPACED}{_MARK}*",
    rf"['’·](?={_SPACED})",  # don't, d'Artagnan
    rf"[-‐‑־](?={_LETTER})",  # absent-minded, 22-year-old, and the Hebrew maqaf
    r"(?<=\p{Hebrew})[\"״׳](?=\p{Hebrew})",  # acronyms and sounds that Hebrew has no letter for
    r"(?<=\p{Armenian})[՛՜՞](?=\p{Armenian})",  # the question mark stands after its vowel
    r"(?<=[\p{L}\p{M}])[-‐‑](?=\p{N})",  # mid-1805, but not 1805-1812
    r"(?<=\p{Nd})[.,:٫٬](?=\p{Nd})",  # 1,000 3.14 12:30 ٣٫١٤
)
PATTERNS: dict[Kind, str] = {
    "words": "|".join(
        (
            rf"[{UNSPACED_LETTERS}]{_MARK}*",  # a Han, kana or Thai character is a token
            rf"{_SPACED}{_MARK}*(?:{'|'.join(_WORD_PARTS)})*",
            r"\.{2,}|-{2,}|‐{2,}|–{2,}|—{2,}|―{2,}|…+",
            r"(?!\s)\X",  # punctuation, symbols, emoji: one grapheme cluster
        )
    ),
    "whitespace": r"\S+",
}
"""Regular expressions of a token, in the syntax of Oniguruma."""

_PIECE = 1 << 16
"""Characters encoded in one piece; longer paragraphs are cut between words."""
_BATCH = 1 << 20
"""Characters handed to the library at once."""
_CUTS = re.compile(rf"\s|(?<=[{UNSPACED_LETTERS}])(?=[{UNSPACED_LETTERS}])")


class Tokenizer:
    """Splits text into words; a word's id is its index in the vocabulary.

    Args:
        words: the vocabulary in id order, the special words first.
        kind: how text is split.
        lowercase: whether case is folded before.
        spacing: where the vocabulary's text has no space between words; None if not learned.

    Raises:
        ValueError: the special words are not the first.
    """

    def __init__(
        self,
        words: Sequence[str],
        kind: Kind,
        lowercase: bool,
        spacing: Spacing | None = None,
    ) -> None:
        if tuple(words[: len(SPECIAL_WORDS)]) != SPECIAL_WORDS:
            raise ValueError(f"a vocabulary starts with {SPECIAL_WORDS}")
        self.kind: Kind = kind
        self.lowercase = lowercase
        self.words = list(words)
        self.spacing = spacing
        self.index = {word: number for number, word in enumerate(words)}
        """The id of every word."""
        self._inner = _build(self.index, kind, lowercase)
        self._inner.normalizer = None  # :meth:`normalize` does its work, and more

    @classmethod
    def learn(cls, paragraphs: Iterable[str], kind: Kind, lowercase: bool) -> Tokenizer:
        """A tokenizer that knows every word of the text."""
        inner = _build({UNKNOWN: 0}, kind, lowercase)
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
            words += [word for word, _ in self._inner.pre_tokenizer.pre_tokenize_str(piece)]
        return words

    def encode(self, text: str) -> list[int]:
        """The ids of the text's words; no end is added."""
        ids: list[int] = []
        for piece in _pieces(self.normalize(text)):
            ids += self._inner.encode(piece, add_special_tokens=False).ids
        return ids

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
            encodings = self._inner.encode_batch_fast(
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
        write_atomically(path, _build(self.index, self.kind, self.lowercase).to_str())
        if self.spacing is not None:
            self.spacing.save(path.with_name(SPACING), self.words)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read ``tokenizer.json`` and, if there is one, the ``spacing.json`` beside it.

        Raises:
            ModelError: one is damaged, foreign or incompatible.
        """
        path = Path(path)
        try:
            stored = json.loads(path.read_bytes().decode("utf-8"))
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from error
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{path}: damaged, it is not JSON ({error})") from error
        words = _stored_words(stored, path)
        stored["model"]["vocab"] = {UNKNOWN: 0}
        try:
            structure = HuggingFaceTokenizer.from_str(json.dumps(stored)).to_str()
        except Exception as error:  # the library raises nothing narrower
            raise ModelError(f"{path}: damaged, or not a tokenizer ({error})") from error
        kinds: tuple[Kind, ...] = ("words", "whitespace")
        for kind, lowercase in product(kinds, (False, True)):
            if structure == _build({UNKNOWN: 0}, kind, lowercase).to_str():
                spacing_file = path.with_name(SPACING)
                spacing = Spacing.load(spacing_file, words) if spacing_file.exists() else None
                return cls(words, kind, lowercase, spacing)
        raise ModelError(
            f"{path}: splits text in a way this version does not know; it was written by another "
            "program or another version"
        )


def _build(vocabulary: dict[str, int], kind: Kind, lowercase: bool) -> HuggingFaceTokenizer:
    """The library's tokenizer.

    Its normalizer serves other programs that read the file, and leaves ligatures as they are. No
    word is registered as an added token: the library matches those before it splits the text, so a
    literal ``<unk>`` in a book would become the special word.
    """
    inner = HuggingFaceTokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    steps = [normalizers.NFC(), *([normalizers.Lowercase()] if lowercase else [])]
    inner.normalizer = normalizers.Sequence(steps)
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(PATTERNS[kind]), "removed", invert=True)
    return inner


def _specials_first(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys((*SPECIAL_WORDS, *words)))


def _stored_words(stored: Any, path: Path) -> list[str]:
    """The vocabulary in id order. Raises ModelError unless its ids are 0, 1, 2 and so on."""
    model = stored.get("model") if isinstance(stored, dict) else None
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if model is None or not isinstance(vocabulary, dict) or model.get("type") != "WordLevel":
        raise ModelError(f"{path}: not a tokenizer of whole words")
    words: list[str | None] = [None] * len(vocabulary)
    for word, number in vocabulary.items():
        if type(number) is not int or not 0 <= number < len(words) or words[number] is not None:
            raise ModelError(f"{path}: damaged, the word {word!r} has the id {number!r}")
        words[number] = word
    if tuple(words[: len(SPECIAL_WORDS)]) != SPECIAL_WORDS:
        raise ModelError(f"{path}: the words 0 and 1 are not {UNKNOWN} and {END}")
    return [word for word in words if word is not None]


def _pieces(text: str) -> Iterator[str]:
    """The text cut between words into pieces of bounded length."""
    start = 0
    while len(text) - start > _PIECE:
        cut = start + _PIECE  # a "word" of 32,000 characters may be cut in two
        for match in _CUTS.finditer(text, start + _PIECE // 2, cut):
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
