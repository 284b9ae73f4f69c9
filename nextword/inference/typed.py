"""The letters being typed at the end of a text, which the predicted words complete.

The page's engine in JavaScript follows the same rule.
"""

from __future__ import annotations

from nextword.text.tokenizer import Tokenizer

MOST_CHARACTERS = 64
"""Characters at the end of a text among which the letters are looked for."""


def split_typed(tokenizer: Tokenizer, text: str) -> tuple[str, str]:
    """Cut a text into what was written and the letters of the word being typed at its end.

    Of the characters since the last white space, the letters are the longest part, from where a
    word may begin up to the end, with which a word of the vocabulary begins; if there is none, they
    are the letters and digits at the end. They belong to a word that may go on, even if they are a
    word already.

    Returns:
        The text before, and the letters; none where the text ends in white space or in a mark with
        which no word begins.
    """
    run = _last_run(text)
    begins = tokenizer.matcher.begins_word
    for start in range(len(run)):
        opens = run[start].isalnum() and not (start and run[start - 1].isalnum())
        if opens and begins(tokenizer.normalize(run[start:])):
            return _cut(text, len(run) - start)
    letters = 0
    while letters < len(run) and run[-1 - letters].isalnum():
        letters += 1
    return _cut(text, letters)


def _last_run(text: str) -> str:
    """The characters since the last white space, at most :data:`MOST_CHARACTERS`."""
    end = text[-MOST_CHARACTERS:]
    return "" if end != end.rstrip() else (end.split() or [""])[-1]


def _cut(text: str, letters: int) -> tuple[str, str]:
    place = len(text) - letters
    return text[:place], text[place:]
