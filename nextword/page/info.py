"""The facts of a model that the page shows, or needs before the first answer."""

from __future__ import annotations

from nextword.inference.loaded_model import LoadedModel
from nextword.page.assemble import PageInfo
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import SPECIAL_WORDS

MAX_MARK = 3
"""Characters of a mark, at most."""


def page_info(loaded: LoadedModel) -> PageInfo:
    """The facts of a model."""
    return PageInfo(
        title=loaded.title,
        words=len(loaded.tokenizer),
        parts=parts(loaded),
        closing=closing_marks(loaded.tokenizer),
    )


def parts(loaded: LoadedModel) -> tuple[str, ...]:
    """The names of the parts that a session of the model has."""
    if not loaded.has_network:
        return ("ngrams",)
    mixed = [] if loaded.mixture.ngram is None else ["ngrams"]
    return ("network", *mixed, *["cache"] * (loaded.session_adapt == "cache"))


def closing_marks(tokenizer: Tokenizer) -> tuple[str, ...]:
    """The marks of the vocabulary that follow a word without a space, the commonest first."""
    words = tokenizer.words[len(SPECIAL_WORDS) :]
    word = next((word for word in words if word.isalpha()), "")
    marks = [mark for mark in words if len(mark) <= MAX_MARK and not any(map(str.isalnum, mark))]
    return tuple(mark for mark in marks if _is_glued(tokenizer, word, mark))


def _is_glued(tokenizer: Tokenizer, word: str, mark: str) -> bool:
    detokenizer = tokenizer.detokenizer()
    detokenizer.push(word)
    return detokenizer.push(mark) == mark
