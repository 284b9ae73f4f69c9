"""``tokenizer.json``: the format of the Hugging Face ``tokenizers`` library, read without it."""

from __future__ import annotations

import json
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nextword.errors import ModelError
from nextword.text.detokenizer import Kind
from nextword.text.token_pattern import PATTERNS
from nextword.text.vocabulary import END, SPECIAL_WORDS, UNKNOWN

if TYPE_CHECKING:
    from tokenizers import Tokenizer as HuggingFaceTokenizer


class TokenizerFile(NamedTuple):
    """The contents of a ``tokenizer.json``."""

    vocabulary: dict[str, int]
    """The id of every word, in id order."""
    kind: Kind
    lowercase: bool


def build(vocabulary: dict[str, int], kind: Kind, lowercase: bool) -> HuggingFaceTokenizer:
    """The library's tokenizer.

    Its normalizer serves other programs that read the file, and leaves ligatures as they are. No
    word is registered as an added token: the library matches those before it splits the text, so a
    literal ``<unk>`` in a book would become the special word.
    """
    # this import takes 50 ms, and most prompts are split without it
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    inner = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    steps = [normalizers.NFC(), *([normalizers.Lowercase()] if lowercase else [])]
    inner.normalizer = normalizers.Sequence(steps)
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(PATTERNS[kind]), "removed", invert=True)
    return inner


def structure(kind: Kind, lowercase: bool) -> dict[str, Any]:
    """The JSON of :func:`build` for a vocabulary of the unknown word alone."""
    steps = [{"type": "NFC"}, *([{"type": "Lowercase"}] if lowercase else [])]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": PATTERNS[kind]},
            "behavior": "Removed",
            "invert": True,
        },
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {UNKNOWN: 0}, "unk_token": UNKNOWN},
    }


def read_tokenizer_file(path: Path) -> TokenizerFile:
    """Read ``tokenizer.json``.

    Raises:
        ModelError: it is damaged, foreign or incompatible.
    """
    try:
        stored = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: damaged, it is not JSON ({error})") from error
    vocabulary = _stored_vocabulary(stored, path)
    stored["model"]["vocab"] = {UNKNOWN: 0}
    kind, lowercase = _splitting(stored, path)
    return TokenizerFile(vocabulary, kind, lowercase)


def _splitting(stored: dict[str, Any], path: Path) -> tuple[Kind, bool]:
    """How a tokenizer file splits text.

    Args:
        stored: its JSON, with a vocabulary of the unknown word alone.
        path: of the file, for messages.
    """
    kinds: tuple[Kind, ...] = ("words", "whitespace")
    known = list(product(kinds, (False, True)))
    for kind, lowercase in known:
        if stored == structure(kind, lowercase):
            return kind, lowercase
    # another version of the library may write the same splitting differently
    from tokenizers import Tokenizer as HuggingFaceTokenizer

    try:
        read = HuggingFaceTokenizer.from_str(json.dumps(stored)).to_str()
    except Exception as error:  # the library raises nothing narrower
        raise ModelError(f"{path}: damaged, or not a tokenizer ({error})") from error
    for kind, lowercase in known:
        if read == build({UNKNOWN: 0}, kind, lowercase).to_str():
            return kind, lowercase
    raise ModelError(
        f"{path}: splits text in a way this version does not know; it was written by another "
        "program or another version"
    )


def _stored_vocabulary(stored: Any, path: Path) -> dict[str, int]:
    """The id of every word, in id order. Raises ModelError unless the ids are 0, 1, 2 and so on."""
    model = stored.get("model") if isinstance(stored, dict) else None
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if model is None or not isinstance(vocabulary, dict) or model.get("type") != "WordLevel":
        raise ModelError(f"{path}: not a tokenizer of whole words")
    ids = list(vocabulary.values())
    if not set(map(type, ids)) <= {int} or ids != list(range(len(ids))):
        vocabulary = _in_id_order(vocabulary, path)
    if tuple(islice(vocabulary, len(SPECIAL_WORDS))) != SPECIAL_WORDS:
        raise ModelError(f"{path}: the words 0 and 1 are not {UNKNOWN} and {END}")
    try:
        "".join(vocabulary).encode()
    except UnicodeEncodeError as error:
        raise ModelError(f"{path}: damaged, a word is not valid Unicode ({error})") from None
    return vocabulary


def _in_id_order(vocabulary: dict[str, Any], path: Path) -> dict[str, int]:
    """The words of a file that lists them in another order."""
    for word, number in vocabulary.items():
        if type(number) is not int or not 0 <= number < len(vocabulary):
            raise _wrong_id(word, number, path)
    words, ids = list(vocabulary), np.fromiter(vocabulary.values(), dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    different = np.flatnonzero(ids[order] != np.arange(len(ids)))
    if len(different):
        # all ids are in range, so the first that is not in its place is a duplicate
        duplicate = order[different[0]]
        raise _wrong_id(words[duplicate], int(ids[duplicate]), path)
    return {words[place]: number for number, place in enumerate(order.tolist())}


def _wrong_id(word: str, number: object, path: Path) -> ModelError:
    return ModelError(f"{path}: damaged, the word {word!r} has the id {number!r}")
